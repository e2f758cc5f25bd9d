//! The first words on a connection, before any protocol of the node has it: which run of which node is there, and whether it
//! belongs here.
//!
//! Shape: who dialled says its [`Hello`]; the answer is the other's, and its proofs; then come the verdict of who dialled and, when
//! it is `Welcome`, its proofs; then the verdict of the other. Proofs are their number, one byte, and 64 bytes for each key of
//! the secret (`secret::proof`). Any other version is refused, after an answer which shows the own one.

use super::Malformed;

/// Of these words, and of everything that follows them on the connection.
pub(crate) const VERSION: u8 = 1;

/// Which node this is, beside its identity, which the connection has proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// What this node can do beyond the version: bits of which none has a meaning yet. Unknown ones are ignored.
    pub features: u32,
    /// Drawn by every opening of a node; of two with one identity the lesser stays.
    pub run: u64,
    /// Random, for this connection: no proof holds for another one.
    pub nonce: [u8; 32],
}

/// What one end thinks of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Welcome,
    /// Another run of that node is alive, and was there first.
    Second,
    /// It knows none of the secrets.
    NoSecret,
    /// It is of another cluster.
    OtherCluster,
    /// It is not among the peers that are allowed.
    NotAllowed,
    /// It was banned.
    Banned,
    /// It has asked too much, and may come again later.
    Resting,
}

impl Hello {
    pub const BYTES: usize = 45;

    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [VERSION; Self::BYTES];
        bytes[1..5].copy_from_slice(&self.features.to_be_bytes());
        bytes[5..13].copy_from_slice(&self.run.to_be_bytes());
        bytes[13..].copy_from_slice(&self.nonce);
        bytes
    }

    /// Of bytes whose first, the version, is [`VERSION`].
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Result<Self, Malformed> {
        if bytes[0] != VERSION {
            return Err(Malformed("unknown version"));
        }
        let (mut features, mut run, mut nonce) = ([0; 4], [0; 8], [0; 32]);
        features.copy_from_slice(&bytes[1..5]);
        run.copy_from_slice(&bytes[5..13]);
        nonce.copy_from_slice(&bytes[13..]);
        Ok(Self { features: u32::from_be_bytes(features), run: u64::from_be_bytes(run), nonce })
    }
}

impl Verdict {
    const ALL: [Self; 7] =
        [Self::Welcome, Self::Second, Self::NoSecret, Self::OtherCluster, Self::NotAllowed, Self::Banned, Self::Resting];

    pub fn encode(self) -> u8 {
        self as u8
    }

    pub fn decode(byte: u8) -> Result<Self, Malformed> {
        Self::ALL.get(usize::from(byte)).copied().ok_or(Malformed("unknown verdict"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_frozen() {
        let hello = Hello { features: 0x0a0b_0c0d, run: 0x0102_0304_0506_0708, nonce: [7; 32] };
        let bytes = [&[1, 10, 11, 12, 13, 1, 2, 3, 4, 5, 6, 7, 8][..], &[7; 32]].concat();
        assert_eq!(hello.encode(), *bytes);
        assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
        for (byte, verdict) in Verdict::ALL.into_iter().enumerate() {
            assert_eq!((verdict.encode(), Verdict::decode(byte as u8)), (byte as u8, Ok(verdict)));
        }
    }

    #[test]
    fn another_version_and_another_verdict_are_refused() {
        let mut bytes = Hello { features: 0, run: 1, nonce: [7; 32] }.encode();
        bytes[0] = 2;
        assert_eq!(Hello::decode(&bytes), Err(Malformed("unknown version")));
        assert_eq!(Verdict::decode(7), Err(Malformed("unknown verdict")));
    }
}
