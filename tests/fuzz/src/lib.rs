//! The target that is no part of the core: calls of the C interface.
#![allow(unsafe_code, reason = "it calls the C interface as C does")]

mod c_abi;
#[path = "../targets/feed.rs"]
mod feed;

pub use c_abi::c_abi;
