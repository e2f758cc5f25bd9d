//! What the tests that look at p2pmap from outside share.
//!
//! - [`conformance`]: the scripts of `tests/conformance` and the Rust runner that plays them
//! - [`journal`]: what a process wrote and saw, as text that outlives it
#![forbid(unsafe_code)]

pub mod conformance;
pub mod journal;
