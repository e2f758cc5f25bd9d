//! Times to live, as one number: `lib/ttl.cjs` makes it of what the user said.

use std::time::Duration;

use p2pmap::{Batch, Error, ErrorKind, Map, Stamp};

/// What a put says of how long its entry lives.
#[derive(Clone, Copy)]
pub enum Ttl {
    /// The map's `default_ttl_ms`.
    Default,
    /// This long; `None`: for ever.
    Lasts(Option<Duration>),
}

impl Ttl {
    /// Shape: milliseconds; infinite: for ever; not a number: the map's default.
    /// Errors: `InvalidArgument` for what is no duration. Which durations are refused, the core knows.
    pub fn parse(number: f64) -> p2pmap::Result<Self> {
        if number.is_nan() {
            return Ok(Self::Default);
        }
        if number == f64::INFINITY {
            return Ok(Self::Lasts(None));
        }
        let ttl = Duration::try_from_secs_f64(number / 1000.0);
        let ttl = ttl.map_err(|_| Error::new(ErrorKind::InvalidArgument, format!("ttlMs cannot be {number:e}")))?;
        Ok(Self::Lasts(Some(ttl)))
    }

    pub fn put(self, map: &Map, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> p2pmap::Result<Stamp> {
        match self {
            Self::Default => map.put(key, value),
            Self::Lasts(ttl) => map.put_ttl(key, value, ttl),
        }
    }

    pub fn add(self, batch: &mut Batch, key: &[u8], value: &[u8]) {
        match self {
            Self::Default => batch.put(key, value),
            Self::Lasts(ttl) => batch.put_ttl(key, value, ttl),
        };
    }
}
