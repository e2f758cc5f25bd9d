//! Times to live: how long an entry lives, as Python says it.

use std::time::Duration;

use p2pmap::ErrorKind;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyEllipsis};

use crate::errors::refuse;

const ALLOWED: &str =
    "`ttl` must be a number of seconds or a timedelta, finite and above zero, or None for an entry that never expires";

/// What a `ttl` argument says.
#[derive(Clone, Copy)]
pub(crate) enum Ttl {
    /// Left out, or `...`: the map's `default_ttl_ms`.
    Default,
    /// This long; `None`: for ever.
    Lasts(Option<Duration>),
}

impl Ttl {
    pub(crate) fn put(
        self,
        map: &p2pmap::Map,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> p2pmap::Result<p2pmap::Stamp> {
        match self {
            Self::Default => map.put(key, value),
            Self::Lasts(ttl) => map.put_ttl(key, value, ttl),
        }
    }
}

impl FromPyObject<'_, '_> for Ttl {
    type Error = PyErr;

    /// Errors: `TypeError`; `InvalidArgument` for what is no duration. How long is too long, the core knows.
    fn extract(ttl: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if ttl.is_none() {
            return Ok(Self::Lasts(None));
        }
        if ttl.is(PyEllipsis::get(ttl.py())) {
            return Ok(Self::Default);
        }
        let ttl = Duration::try_from_secs_f64(seconds(ttl)?).map_err(|_| refuse(ErrorKind::InvalidArgument, ALLOWED))?;
        Ok(Self::Lasts(Some(ttl)))
    }
}

fn seconds(ttl: Borrowed<'_, '_, PyAny>) -> PyResult<f64> {
    let py = ttl.py();
    if ttl.is_instance_of::<PyDelta>() {
        return ttl.call_method0(intern!(py, "total_seconds"))?.extract();
    }
    ttl.extract().map_err(|failure: PyErr| match failure.is_instance_of::<PyTypeError>(py) {
        true => PyTypeError::new_err(ALLOWED),
        false => refuse(ErrorKind::InvalidArgument, ALLOWED),
    })
}
