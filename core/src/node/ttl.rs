//! How long an entry lives.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_TTL_MS;

/// What a put says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// The map's `default_ttl_ms`.
    Default,
    Never,
    After(Duration),
    /// Until then, in milliseconds since the Unix epoch.
    Until(u64),
}

impl From<Option<Duration>> for Ttl {
    fn from(ttl: Option<Duration>) -> Self {
        ttl.map_or(Self::Never, Self::After)
    }
}

impl Ttl {
    /// Errors: `InvalidArgument`.
    pub fn check(self) -> Result<()> {
        match self {
            Self::After(ttl) if ttl.is_zero() || ttl > Duration::from_millis(MAX_TTL_MS) => {
                let message = format!(
                    "a time to live is more than 0 and at most {MAX_TTL_MS} ms, not {ttl:?}: to end an entry, remove it"
                );
                Err(Error::new(ErrorKind::InvalidArgument, message))
            }
            _ => Ok(()),
        }
    }

    /// When an entry written now expires, in milliseconds since the Unix epoch; 0: never. What is less than a millisecond counts
    /// as one.
    pub fn expires_at_ms(self, now_ms: u64, default_ttl_ms: u64) -> u64 {
        match self {
            Self::Never => 0,
            Self::Default if default_ttl_ms == 0 => 0,
            Self::Until(at_ms) => at_ms,
            Self::Default => now_ms + default_ttl_ms,
            Self::After(ttl) => now_ms + u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(MAX_TTL_MS),
        }
    }
}
