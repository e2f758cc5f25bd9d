//! Rows: what a commit is made of.

use super::reader::u32_at;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_FRAME_BYTES;

/// One row as a commit leaves it: its whole new value, or `None` when it is removed.
///
/// Shape: length of the key u32, length of the value u32 (`u32::MAX`: removed), key, value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
}

/// What can be stored as a row.
pub trait ToRow {
    fn to_row(&self) -> Row<'_>;
}

impl ToRow for Row<'_> {
    fn to_row(&self) -> Row<'_> {
        *self
    }
}

/// A row that owns its bytes.
impl ToRow for (Vec<u8>, Option<Vec<u8>>) {
    fn to_row(&self) -> Row<'_> {
        Row { key: &self.0, value: self.1.as_deref() }
    }
}

/// Who takes rows when a map is opened: key and value, once each.
pub type TakeRow<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

const LENGTHS_BYTES: usize = 8;
const REMOVED: u32 = u32::MAX;

impl<'a> Row<'a> {
    pub fn put(key: &'a [u8], value: &'a [u8]) -> Self {
        Self { key, value: Some(value) }
    }

    pub fn remove(key: &'a [u8]) -> Self {
        Self { key, value: None }
    }

    /// What it takes in a file.
    pub fn stored_bytes(&self) -> usize {
        LENGTHS_BYTES.saturating_add(self.key.len()).saturating_add(self.value.map_or(0, <[u8]>::len))
    }

    /// Errors: `TooLarge` when it does not fit in a frame.
    pub fn check_size(&self) -> Result<()> {
        let bytes = self.stored_bytes();
        if bytes <= MAX_FRAME_BYTES {
            return Ok(());
        }
        Err(Error::new(ErrorKind::TooLarge, format!("a row of {bytes} bytes, of {MAX_FRAME_BYTES} at most")))
    }

    pub fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(&(self.key.len() as u32).to_le_bytes());
        buffer.extend_from_slice(&self.value.map_or(REMOVED, |value| value.len() as u32).to_le_bytes());
        buffer.extend_from_slice(self.key);
        buffer.extend_from_slice(self.value.unwrap_or_default());
    }
}

/// The rows of a frame, one after the other; a row that is not one ends them with `Err`.
pub fn decode(bytes: &[u8]) -> impl Iterator<Item = std::result::Result<Row<'_>, ()>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let row = first(rest);
        rest = row.map_or(&[][..], |(_, rest)| rest);
        Some(row.map(|(row, _)| row).ok_or(()))
    })
}

fn first(bytes: &[u8]) -> Option<(Row<'_>, &[u8])> {
    let (lengths, rest) = bytes.split_at_checked(LENGTHS_BYTES)?;
    let (key, rest) = rest.split_at_checked(u32_at(lengths, 0) as usize)?;
    match u32_at(lengths, 4) {
        REMOVED => Some((Row::remove(key), rest)),
        len => rest.split_at_checked(len as usize).map(|(value, rest)| (Row::put(key, value), rest)),
    }
}
