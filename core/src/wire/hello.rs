//! The first words on a connection, before any protocol of the node has it: which run of which node is there.
//!
//! Shape: a version byte, the cluster's hash, the run as a big-endian number. Who dialled says it first; the answer is the
//! same of the other end, and its verdict, one byte; then the verdict of who dialled. Any other version is refused.

use super::Malformed;

const VERSION: u8 = 1;

/// Which node this is, beside its identity, which the connection has proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The hash of the cluster id.
    pub cluster: [u8; 16],
    /// Drawn by every opening of a node; of two with one identity the lesser stays.
    pub run: u64,
}

/// What one end thinks of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Welcome,
    /// Another run of that node is alive, and was there first.
    Refused,
}

impl Hello {
    pub const BYTES: usize = 25;

    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [VERSION; Self::BYTES];
        bytes[1..17].copy_from_slice(&self.cluster);
        bytes[17..].copy_from_slice(&self.run.to_be_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8; Self::BYTES]) -> Result<Self, Malformed> {
        if bytes[0] != VERSION {
            return Err(Malformed("unknown version"));
        }
        let (mut cluster, mut run) = ([0; 16], [0; 8]);
        cluster.copy_from_slice(&bytes[1..17]);
        run.copy_from_slice(&bytes[17..]);
        Ok(Self { cluster, run: u64::from_be_bytes(run) })
    }
}

impl Verdict {
    pub fn encode(self) -> u8 {
        match self {
            Self::Welcome => 0,
            Self::Refused => 1,
        }
    }

    pub fn decode(byte: u8) -> Result<Self, Malformed> {
        match byte {
            0 => Ok(Self::Welcome),
            1 => Ok(Self::Refused),
            _ => Err(Malformed("unknown verdict")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_frozen() {
        let hello = Hello { cluster: [7; 16], run: 0x0102_0304_0506_0708 };
        let bytes = [&[1][..], &[7; 16], &[1, 2, 3, 4, 5, 6, 7, 8]].concat();
        assert_eq!(hello.encode(), *bytes);
        assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
        for (verdict, byte) in [(Verdict::Welcome, 0), (Verdict::Refused, 1)] {
            assert_eq!((verdict.encode(), Verdict::decode(byte)), (byte, Ok(verdict)));
        }
    }

    #[test]
    fn another_version_and_another_verdict_are_refused() {
        let mut bytes = Hello { cluster: [7; 16], run: 1 }.encode();
        bytes[0] = 2;
        assert_eq!(Hello::decode(&bytes), Err(Malformed("unknown version")));
        assert_eq!(Verdict::decode(2), Err(Malformed("unknown verdict")));
    }
}
