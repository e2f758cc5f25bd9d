//! Who may write what: the map option `writers`.

use super::invalid;
use crate::error::Result;
use crate::peer::PeerId;
use crate::secret::can_sign;

/// Nobody listed: everybody may write everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writers(Vec<Writer>);

/// One that may write the keys with that prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Writer {
    prefix: String,
    peer: PeerId,
}

impl Writers {
    /// Of `<peer id>`, for every key, and `<prefix>=<peer id>`. Errors: `InvalidConfig`.
    pub fn parse<'a>(items: impl Iterator<Item = &'a str>) -> Result<Self> {
        let parse = |item: &str| {
            let (prefix, peer) = item.rsplit_once('=').unwrap_or(("", item));
            let id = peer.parse().ok().filter(|peer: &PeerId| can_sign(peer.as_bytes()));
            let peer = id.ok_or_else(|| {
                let message = "allowed are <peer id> and <prefix>=<peer id>, with the ids of Ed25519 keys";
                invalid(format!("`writers` cannot have `{item}`: {message}"))
            })?;
            Ok(Writer { prefix: prefix.to_owned(), peer })
        };
        items.map(parse).collect::<Result<_>>().map(Self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether that one may write that key. Cost: O(writers).
    pub fn permit(&self, peer: &PeerId, key: &[u8]) -> bool {
        self.0.is_empty() || self.0.iter().any(|writer| writer.peer == *peer && key.starts_with(writer.prefix.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    const BERT: &str = "12D3KooWHdiAxVd8uMQR1hGWXccidmfCwLqcMpGwR6QcTP6QRMuD";

    #[test]
    fn a_prefix_is_for_those_that_are_listed_with_it_or_without_any() {
        let (anna, bert): (PeerId, PeerId) = (ANNA.parse().expect("an id"), BERT.parse().expect("an id"));
        let writers = Writers::parse([ANNA, &format!("db/a=b/={BERT}")].into_iter()).expect("two writers");
        assert!(writers.permit(&anna, b"db/a=b/1") && writers.permit(&anna, b""));
        assert!(writers.permit(&bert, b"db/a=b/1") && writers.permit(&bert, b"db/a=b/"));
        assert!(!writers.permit(&bert, b"db/a=b") && !writers.permit(&bert, b"x"));
        assert!(Writers::default().permit(&bert, b"x"));
    }

    #[test]
    fn what_is_no_peer_is_named() {
        for item in ["db/=nobody0", "nobody", "=", "db/"] {
            let error = Writers::parse([item].into_iter()).expect_err("no peer");
            assert!(error.message().contains(&format!("`{item}`")), "{error}");
        }
    }
}
