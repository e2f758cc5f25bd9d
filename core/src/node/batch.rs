//! Many writes as one.

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES};

/// Many puts and removes that are committed together, travel as one delta and are applied whole by every replica.
///
/// Order: as added; a later write to the same key wins. Limits: 65,536 writes, 4 MiB of keys and values.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    writes: Vec<Write>,
    bytes: usize,
}

/// A key, and its value or nothing: a removal.
type Write = (Box<[u8]>, Option<Box<[u8]>>);

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn put(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.add(key.as_ref(), Some(value.as_ref()))
    }

    pub fn remove(&mut self, key: impl AsRef<[u8]>) -> &mut Self {
        self.add(key.as_ref(), None)
    }

    fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> &mut Self {
        self.bytes += key.len() + value.map_or(0, <[u8]>::len);
        self.writes.push((key.into(), value.map(Into::into)));
        self
    }

    /// Writes in it.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn writes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> + Clone {
        self.writes.iter().map(|(key, value)| (&**key, value.as_deref()))
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.writes.len() <= MAX_BATCH_ENTRIES && self.bytes <= MAX_BATCH_BYTES {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "a batch has at most {MAX_BATCH_ENTRIES} writes and {MAX_BATCH_BYTES} bytes, this one {} and {}: \
                 apply it as several",
                self.writes.len(),
                self.bytes
            ),
        ))
    }
}
