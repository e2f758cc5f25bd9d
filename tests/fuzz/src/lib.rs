//! The target that is no part of the core: calls of the C interface.
#![allow(unsafe_code, reason = "it calls the C interface as C does")]

mod arguments;
mod c_abi;
mod calls;
#[path = "../targets/feed.rs"]
mod feed;

pub use c_abi::c_abi;
