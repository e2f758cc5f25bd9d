//! The native half of the Node.js package: handles over the core for the JavaScript in `lib/`, which users see.
//!
//! - `hot`: get, put, has, remove as plain functions over shared memory, which is what makes them fast; `call`: such functions
//! - `node`, `map`, `scan`, `watch`: one class each for everything else
//! - `flat`: entries and events as one buffer a batch, read by `lib/flat.cjs`
//! - `environment`: what is open in one JavaScript thread, closed when that ends
//! - `validator`: a JavaScript function, called from library threads
//! - `outcome`: errors with a `code`, panics caught, promises
//!
//! JavaScript calls these functions through `lib/` only, which has checked the types.

// Not `forbid`: the glue that `#[napi]` generates says `allow`.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(dead_code, reason = "nothing is exported to JavaScript then"))]

mod call;
mod environment;
mod flat;
mod hot;
mod map;
mod node;
mod outcome;
mod scan;
mod settings;
mod status;
mod ttl;
mod validator;
mod watch;

/// The version of the library.
#[napi_derive::napi]
pub fn version() -> &'static str {
    p2pmap::VERSION
}
