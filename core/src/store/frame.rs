//! Frames: what a log and a snapshot are made of. Each carries the link of the one before, so none can be missing, moved or
//! replayed without notice.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::reader::{Reader, padding, u32_at, u64_at};
use crate::error::Result;
use crate::limits::MAX_FRAME_BYTES;

pub const HEAD_BYTES: usize = 40;
/// The bit of the length that says that the commit goes on in the next frame.
const GOES_ON: u32 = 1 << 31;

/// What stands before a frame's bytes.
///
/// Shape: head u32 (lower half of the link, with its lowest bit set), length u32 (its highest bit: the commit goes on in the next
/// frame), number u64, durable u64, previous link u64, check u64 (over the bytes that follow); the bytes, and zeros up to a
/// multiple of 8. The link is the hash of all fields after the head. Hashes are XXH3-64, seeded with the map's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub len: u32,
    pub says: Says,
    check: u64,
}

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Says {
    /// A log's commit; a mark, without bytes, repeats it. A snapshot's block, from 1; 0 is its end.
    pub number: u64,
    /// The next frame belongs to the same commit.
    pub goes_on: bool,
    /// The last commit that was known to be on disk when this frame was written: what tells damage from a torn tail.
    pub durable: u64,
    /// The link of the frame before.
    pub previous: u64,
}

/// What is found where a frame should be.
pub enum Found<'a> {
    Frame {
        head: Head,
        link: u64,
        bytes: &'a [u8],
        next: u64,
    },
    /// Eight zeros: no frame any more.
    End,
    Damage(&'static str),
}

/// Makes room for a head at the end of a buffer; what is added after it becomes the frame's bytes.
pub fn begin(buffer: &mut Vec<u8>) -> usize {
    let at = buffer.len();
    buffer.resize(at + HEAD_BYTES, 0);
    at
}

/// Completes the frame that was begun there. Returns its link.
pub fn finish(buffer: &mut Vec<u8>, at: usize, id: u64, says: Says) -> u64 {
    let Says { number, goes_on, durable, previous } = says;
    let len = buffer.len() - at - HEAD_BYTES;
    let check = xxh3_64_with_seed(&buffer[at + HEAD_BYTES..], id);
    buffer.resize(buffer.len() + padding(len), 0);
    buffer[at + 4..at + 8].copy_from_slice(&(len as u32 | if goes_on { GOES_ON } else { 0 }).to_le_bytes());
    for (place, field) in [(8, number), (16, durable), (24, previous), (32, check)] {
        buffer[at + place..at + place + 8].copy_from_slice(&field.to_le_bytes());
    }
    let link = xxh3_64_with_seed(&buffer[at + 4..at + HEAD_BYTES], id);
    buffer[at..at + 4].copy_from_slice(&head_of(link).to_le_bytes());
    link
}

/// Never zero, so that zeros are never a frame.
fn head_of(link: u64) -> u32 {
    link as u32 | 1
}

/// A head and its link, if these bytes are one.
pub fn head(bytes: &[u8], id: u64) -> Option<(Head, u64)> {
    if bytes[..8] == [0; 8] {
        return None;
    }
    let link = xxh3_64_with_seed(&bytes[4..HEAD_BYTES], id);
    let len = u32_at(bytes, 4);
    let (number, durable, previous) = (u64_at(bytes, 8), u64_at(bytes, 16), u64_at(bytes, 24));
    let says = Says { number, goes_on: len & GOES_ON != 0, durable, previous };
    let head = Head { len: len & !GOES_ON, says, check: u64_at(bytes, 32) };
    (head_of(link) == u32_at(bytes, 0)).then_some((head, link))
}

/// Looks for the frame that continues a link.
pub fn read(reader: &mut Reader, id: u64, at: u64, previous: u64) -> Result<Found<'_>> {
    match reader.bytes(at, 8)? {
        None => return Ok(Found::Damage("it ends early")),
        Some([0, 0, 0, 0, 0, 0, 0, 0]) => return Ok(Found::End),
        Some(_) => {}
    }
    let Some(bytes) = reader.bytes(at, HEAD_BYTES)? else {
        return Ok(Found::Damage("it ends within a frame"));
    };
    let Some((head, link)) = head(bytes, id) else {
        return Ok(Found::Damage("a frame's head is not as it was written"));
    };
    if head.says.previous != previous {
        return Ok(Found::Damage("a frame does not continue the one before"));
    }
    let len = head.len as usize;
    if len > MAX_FRAME_BYTES {
        return Ok(Found::Damage("a frame is over its limit"));
    }
    let padded = len + padding(len);
    let start = at + HEAD_BYTES as u64;
    let Some(bytes) = reader.bytes(start, padded)? else {
        return Ok(Found::Damage("it ends within a frame"));
    };
    let (bytes, zeros) = bytes.split_at(len);
    if xxh3_64_with_seed(bytes, id) != head.check || zeros.iter().any(|byte| *byte != 0) {
        return Ok(Found::Damage("a frame is not as it was written"));
    }
    Ok(Found::Frame { head, link, bytes, next: start + padded as u64 })
}
