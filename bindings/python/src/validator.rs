//! Validators that are Python functions.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use p2pmap::Validator;
use pyo3::prelude::*;

use crate::face::Face;

type Judge = dyn Fn(&[u8], &[u8]) -> Result<(), String> + Send + Sync;

/// The core's validators that are in use, with the callable each was made of: the same function is the same option, however
/// often it is given. An address names a callable for as long as the validator, which holds it, lives.
static IN_USE: Mutex<Vec<(usize, Face, Weak<Judge>)>> = Mutex::new(Vec::new());

/// The core's validator for a Python callable: raising means no, and so does returning something false other than None.
///
/// The core calls it outside its locks, on the thread that writes or receives; there it waits for the GIL.
pub(crate) fn validator(callable: Bound<'_, PyAny>, face: Face) -> Validator {
    let address = callable.as_ptr() as usize;
    let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    in_use.retain(|(_, _, judge)| judge.strong_count() > 0);
    let known = in_use.iter().find(|(of, with, _)| (*of, *with) == (address, face));
    if let Some(judge) = known.and_then(|(_, _, judge)| judge.upgrade()) {
        return judge;
    }
    let callable = callable.unbind();
    let judge: Validator = Arc::new(move |key: &[u8], value: &[u8]| {
        Python::try_attach(|py| judge(py, &callable, face, key, value))
            .unwrap_or_else(|| Err("the interpreter is shutting down".to_owned()))
    });
    in_use.push((address, face, Arc::downgrade(&judge)));
    judge
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
