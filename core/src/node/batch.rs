//! Many writes as one.

use std::time::Duration;

use super::ttl::Ttl;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, MAX_SIGNED_BATCH_ENTRIES};
use crate::replica::Write;

/// Many puts and removes that are committed together, travel as one delta and are applied whole by every replica.
///
/// Order: as added; a later write to the same key wins. Limits: 65,536 writes, 4 MiB of keys and values.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    writes: Vec<Waiting>,
    bytes: usize,
}

/// A key, and its value or nothing: a removal.
type Waiting = (Box<[u8]>, Option<Box<[u8]>>, Ttl);

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn put(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        self.add(key.as_ref(), Some(value.as_ref()), Ttl::Default)
    }

    /// Like [`put`](Self::put), with a time to live as in [`Map::put_ttl`](super::Map::put_ttl); checked when it is applied.
    pub fn put_ttl(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, ttl: Option<Duration>) -> &mut Self {
        self.add(key.as_ref(), Some(value.as_ref()), ttl.into())
    }

    pub fn remove(&mut self, key: impl AsRef<[u8]>) -> &mut Self {
        self.add(key.as_ref(), None, Ttl::Never)
    }

    /// Like [`put`](Self::put), until a moment in milliseconds since the Unix epoch, or for ever.
    pub(super) fn put_until(&mut self, key: &[u8], value: &[u8], expires_at_ms: Option<u64>) -> &mut Self {
        self.add(key, Some(value), expires_at_ms.map_or(Ttl::Never, Ttl::Until))
    }

    fn add(&mut self, key: &[u8], value: Option<&[u8]>, ttl: Ttl) -> &mut Self {
        self.bytes += key.len() + value.map_or(0, <[u8]>::len);
        self.writes.push((key.into(), value.map(Into::into), ttl));
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

    /// The writes as they are to be stamped now.
    pub(super) fn writes(&self, now_ms: u64, default_ttl_ms: u64) -> impl Iterator<Item = Write<'_>> + Clone {
        self.writes.iter().map(move |(key, value, ttl)| Write {
            key,
            value: value.as_deref(),
            expires_at_ms: ttl.expires_at_ms(now_ms, default_ttl_ms),
        })
    }

    /// Errors: `TooLarge`, `InvalidArgument`.
    pub(super) fn check(&self, signed: bool) -> Result<()> {
        let max_entries = if signed { MAX_SIGNED_BATCH_ENTRIES } else { MAX_BATCH_ENTRIES };
        self.writes.iter().try_for_each(|(_, _, ttl)| ttl.check())?;
        if self.writes.len() <= max_entries && self.bytes <= MAX_BATCH_BYTES {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "a batch has at most {max_entries} writes and {MAX_BATCH_BYTES} bytes, this one {} and {}: \
                 apply it as several",
                self.writes.len(),
                self.bytes
            ),
        ))
    }
}
