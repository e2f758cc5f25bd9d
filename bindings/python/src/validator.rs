//! Validators that are Python functions.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::face::Face;

/// The core's validator for a Python callable: raising means no, and so does returning something false other than None.
///
/// The core calls it outside its locks, on the thread that writes or receives; there it waits for the GIL.
pub(crate) fn validator(callable: Py<PyAny>, face: Face) -> p2pmap::Validator {
    Arc::new(move |key: &[u8], value: &[u8]| {
        Python::try_attach(|py| judge(py, &callable, face, key, value))
            .unwrap_or_else(|| Err("the interpreter is shutting down".to_owned()))
    })
}

fn judge(py: Python<'_>, callable: &Py<PyAny>, face: Face, key: &[u8], value: &[u8]) -> Result<(), String> {
    let verdict = || -> PyResult<bool> {
        let answer = callable.bind(py).call1((face.decode_key(py, key)?, face.decode_value(py, value)?))?;
        Ok(answer.is_none() || answer.is_truthy()?)
    };
    match verdict() {
        Ok(true) => Ok(()),
        Ok(false) => Err("the validator said no".to_owned()),
        Err(raised) => Err(format!("the validator raised {raised}")),
    }
}
