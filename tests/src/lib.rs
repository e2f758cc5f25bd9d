//! What the tests that look at p2pmap from outside share.
//!
//! - [`conformance`]: the scripts of `tests/conformance` and the Rust runner that plays them
#![forbid(unsafe_code)]

pub mod conformance;
