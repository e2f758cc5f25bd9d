//! Signed maps: who wrote what arrives, and whether they may.

use super::clock::now_ms;
use super::state::MapState;
use crate::error::{Error, ErrorKind, Result};
use crate::peer::PeerId;
use crate::replica::{Incoming, Said, Value};
use crate::secret::{Claim, proven};
use crate::wire::Malformed;
use crate::wire::gossip::{self, Gossip};

impl MapState {
    /// Errors: `NotPermitted`, when `writers` do not include this node.
    pub(super) fn check_permitted(&self, key: &[u8]) -> Result<()> {
        if self.settings.writers.permit(&self.me, key) {
            return Ok(());
        }
        let (map, key, me) = (&self.name, key.escape_ascii(), &self.me);
        let message =
            format!("this node, {me}, may not write `{key}` in the map `{map}`: add it to the `writers` of every node");
        Err(Error::new(ErrorKind::NotPermitted, message))
    }

    /// A message that leaves for the first time; on a signed map with this node's signature.
    pub(super) fn signed(&self, message: Vec<u8>) -> Vec<u8> {
        let Some(signing) = &self.signing else { return message };
        gossip::encode_signed(&(signing.sign)(&self.statement(&message)), &message)
    }

    /// A message that came. On a signed map its author must have signed it: who can speak for another says that it was told what it
    /// was not. Errors: what is wrong with it.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> std::result::Result<Gossip<'a>, Malformed> {
        if !self.settings.signed {
            return gossip::decode(bytes);
        }
        let (signature, message) = gossip::split_signed(bytes).ok_or(Malformed("not signed"))?;
        let gossip = gossip::decode(message)?;
        let claim = Claim { author: gossip.author().as_bytes(), statement: self.statement(message), signature };
        if proven(&[claim]) == [true] { Ok(gossip) } else { Err(Malformed("not signed by its author")) }
    }

    /// What is signed of a message.
    fn statement(&self, message: &[u8]) -> Vec<u8> {
        [b"p2pmap message 1\0", &self.topic.0[..], message].concat()
    }

    /// On a signed map: whether each entry is signed by its author, who may write it. Cost: an Ed25519 signature to check for each.
    pub(super) fn permitted(&self, from: &PeerId, entries: &[Incoming<'_>]) -> Vec<bool> {
        let newest = now_ms() + self.node.max_clock_drift_ms;
        let claims: Vec<Option<Claim<'_>>> = entries.iter().map(|entry| self.claim(entry, newest)).collect();
        let (at, claims): (Vec<usize>, Vec<Claim<'_>>) =
            claims.into_iter().enumerate().filter_map(|(at, claim)| Some((at, claim?))).unzip();
        let mut permitted = vec![false; entries.len()];
        for (at, is_true) in at.into_iter().zip(proven(&claims)) {
            permitted[at] = is_true;
        }
        let refused = permitted.iter().filter(|permitted| !**permitted).count();
        if refused > 0 {
            let map = &self.name;
            tracing::warn!(%from, map, refused, "entries that their author did not sign, or may not write");
        }
        permitted
    }

    /// What an entry claims of its author. `None`: it is refused whoever signed it.
    fn claim<'a>(&self, entry: &'a Incoming<'_>, newest_ms: u64) -> Option<Claim<'a>> {
        let Incoming { key, value, expires_at_ms, place, stamp, proof } = entry;
        let (expires_at_ms, place) = (*expires_at_ms, *place);
        let (value, signature) = Value::proven(*value, proof)?;
        if !self.settings.writers.permit(stamp.author(), key) {
            return None;
        }
        if matches!(value, Value::Was(_)) {
            // Whoever relays it says that its time is over: that is believed when it is, or where an author may have departed.
            let is_over = if expires_at_ms > 0 { expires_at_ms <= newest_ms } else { self.settings.presence };
            is_over.then_some(())?;
        }
        let statement = Said { key, value, expires_at_ms, place, stamp }.statement(&self.topic.0);
        Some(Claim { author: stamp.author().as_bytes(), statement, signature })
    }
}
