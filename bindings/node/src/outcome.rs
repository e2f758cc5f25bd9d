//! How results leave for JavaScript: errors carry a `code`, panics are caught, slow work becomes a promise.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use napi::bindgen_prelude::{Object, Status, ToNapiValue};
use napi::{Env, JsError};
use p2pmap::ErrorKind;

/// A `code` such as `P2PMAP_TOO_LARGE`.
struct Code(String);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The JavaScript `Error` for an error of the core.
fn thrown(env: &Env, error: &p2pmap::Error) -> napi::Error {
    let code = Code(format!("P2PMAP_{}", error.kind().name()));
    let error = JsError::from(napi::Error::new(code, error.message())).into_unknown(*env);
    napi::Error::from_unknown_without_coercion(error)
}

/// Runs `work`, with its panics caught.
fn caught<T>(work: impl FnOnce() -> p2pmap::Result<T>) -> p2pmap::Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(p2pmap::Error::new(ErrorKind::Internal, "p2pmap panicked: this is a bug, please report it")))
}

/// Runs `work` on this thread. Errors: as JavaScript errors with a `code`.
#[inline]
pub fn run<T>(env: &Env, work: impl FnOnce() -> p2pmap::Result<T>) -> napi::Result<T> {
    caught(work).map_err(|error| thrown(env, &error))
}

/// Runs `work`, which may wait, on a thread of its own, and settles the promise that is returned.
///
/// Not on Node's own pool: that has four threads, which file and DNS calls of the application need.
pub fn promise<T, J>(
    env: &Env,
    work: impl FnOnce() -> p2pmap::Result<T> + Send + 'static,
    convert: impl FnOnce(T) -> J + Send + 'static,
) -> napi::Result<Object<'_>>
where
    T: Send + 'static,
    J: ToNapiValue + 'static,
{
    let (deferred, promise) = env.create_deferred()?;
    thread::Builder::new()
        .name("p2pmap-promise".into())
        .spawn(move || {
            let outcome = caught(work);
            deferred.resolve(move |env| outcome.map(convert).map_err(|error| thrown(&env, &error)));
        })
        .map_err(|error| napi::Error::new(Status::GenericFailure, format!("no thread to wait on: {error}")))?;
    Ok(promise)
}
