//! The identity of a node, as every layer sees it.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};
use crate::limits::MAX_PEER_ID_BYTES;

/// Who a node is: the libp2p peer id, that is the multihash of its public key.
///
/// Shape: 1 to 64 bytes; as text, base58 (52 characters for an Ed25519 key).
/// Order: by bytes; it settles ties between equal timestamps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(Box<[u8]>);

impl PeerId {
    /// The id with these bytes. Errors: `InvalidArgument` when empty or over 64 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.is_empty() || bytes.len() > MAX_PEER_ID_BYTES {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("a peer id has 1 to {MAX_PEER_ID_BYTES} bytes, this one {}", bytes.len()),
            ));
        }
        Ok(Self(bytes.into()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for PeerId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = bs58::decode(text)
            .into_vec()
            .map_err(|error| Error::new(ErrorKind::InvalidArgument, format!("not a peer id in base58: {error}")))?;
        Self::from_bytes(&bytes)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(&self.0).into_string())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
