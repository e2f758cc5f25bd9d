//! How every file of a map begins: what it is, of which format, of which map, and what it follows.

use xxhash_rust::xxh3::xxh3_64;

use super::reader::{Reader, padding, u32_at, u64_at};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_MAP_NAME_BYTES;

/// The format that this library writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

const FIXED_BYTES: usize = 56;
/// Magic, format and guard: the same in every format to come.
const GUARDED_BYTES: usize = 12;
const CHECK_BYTES: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Log,
    Snapshot,
    Identity,
}

impl Kind {
    const fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Log => b"p2pmaplg",
            Self::Snapshot => b"p2pmapsn",
            Self::Identity => b"p2pmapid",
        }
    }
}

/// Shape: magic 8, format u32, guard u32 (over the two), id u64, segment u64, base u64, link u64, extent u32, length of the name
/// u32, name, zeros up to a multiple of 8, check u64 (over all before it). Little-endian; hashes are XXH3-64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Drawn when the map was made: it seeds every hash in the map's files, so that no file of another map passes for one.
    pub id: u64,
    /// Which segment of the log this is; a snapshot takes the place of all segments before.
    pub segment: u64,
    /// The last commit before this segment.
    pub base: u64,
    /// The link of that commit's frame.
    pub link: u64,
    /// A log's length is a multiple of this.
    pub extent: u32,
    pub name: Vec<u8>,
}

impl Header {
    /// The bytes, and the link that the first frame continues.
    pub fn encode(&self, kind: Kind) -> (Vec<u8>, u64) {
        let mut bytes = start(kind);
        for number in [self.id, self.segment, self.base, self.link] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.extent.to_le_bytes());
        bytes.extend_from_slice(&(self.name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.name);
        bytes.resize(bytes.len() + padding(self.name.len()), 0);
        let link = xxh3_64(&bytes);
        bytes.extend_from_slice(&link.to_le_bytes());
        (bytes, link)
    }

    /// The header of a file, where its frames begin, and the link that the first of them continues.
    ///
    /// Errors: `Unsupported` for a newer format, `Corrupted` for everything else that is not as it was written.
    pub fn read(reader: &mut Reader, kind: Kind) -> Result<(Self, u64, u64)> {
        check_start(reader, kind)?;
        let Some(fixed) = reader.bytes(0, FIXED_BYTES)? else {
            return Err(reader.damaged(reader.len(), "it ends within its header"));
        };
        let name_len = u32_at(fixed, 52) as usize;
        let check_at = FIXED_BYTES + name_len.min(MAX_MAP_NAME_BYTES).next_multiple_of(8);
        let whole = reader.bytes(0, check_at + CHECK_BYTES)?;
        let Some(bytes) = whole.filter(|bytes| xxh3_64(&bytes[..check_at]) == u64_at(bytes, check_at)) else {
            return Err(reader.damaged(GUARDED_BYTES as u64 + 4, "its header is not as it was written"));
        };
        let header = Self {
            id: u64_at(bytes, 16),
            segment: u64_at(bytes, 24),
            base: u64_at(bytes, 32),
            link: u64_at(bytes, 40),
            extent: u32_at(bytes, 48),
            name: bytes[FIXED_BYTES..FIXED_BYTES + name_len.min(MAX_MAP_NAME_BYTES)].to_vec(),
        };
        let link = u64_at(bytes, check_at);
        if name_len > MAX_MAP_NAME_BYTES || header.extent < 8 || !header.extent.is_multiple_of(8) {
            return Err(reader.damaged(48, "its header is not one that was written"));
        }
        Ok((header, (check_at + CHECK_BYTES) as u64, link))
    }
}

/// What every file starts with.
pub fn start(kind: Kind) -> Vec<u8> {
    let mut bytes = kind.magic().to_vec();
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    let guard = xxh3_64(&bytes) as u32;
    bytes.extend_from_slice(&guard.to_le_bytes());
    bytes
}

/// Whether a file is of that kind, and of a format that this library reads.
pub fn check_start(reader: &mut Reader, kind: Kind) -> Result<()> {
    let Some(bytes) = reader.bytes(0, GUARDED_BYTES + 4)? else {
        return Err(reader.damaged(reader.len(), "it ends within its header"));
    };
    let format = u32_at(bytes, 8);
    // A damaged format is damage, not news from the future.
    if &bytes[..8] != kind.magic() || xxh3_64(&bytes[..GUARDED_BYTES]) as u32 != u32_at(bytes, GUARDED_BYTES) {
        return Err(reader.damaged(0, "it does not begin as such a file does"));
    }
    if format != FORMAT {
        let message = format!(
            "{} has format {format}, and this library reads format {FORMAT}: use the version of p2pmap that wrote it, or a newer one",
            reader.path().display()
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    Ok(())
}
