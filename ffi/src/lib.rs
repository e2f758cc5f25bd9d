//! The C ABI of p2pmap: translation, and nothing more.
//!
//! `include/p2pmap.h` is made from these files (`make header`): each file that declares something is one section of the
//! header, in the order below. Its `//!` text introduces the section, its doc comments are the header's comments, so
//! they speak to people who write C.
//!
//! | file | keeps |
//! |---|---|
//! | `guard.rs` | no panic and no error gets past an entry: both become a status and a `p2pmap_error` |
//! | `handle.rs` | handles know which process they belong to: after a `fork` they fail, and their `free` leaks |
//! | `input.rs` | pointers that callers pass become references and slices, and NULL an error |
//! | `ready.rs` | the descriptor behind `p2pmap_watch_fd` |
//! | the rest | one noun of the header each |
//!
//! An entry takes handles and outputs as `Option<&T>` and `Option<&mut MaybeUninit<T>>`, which C sees as pointers that
//! may be NULL. It checks everything first, does its work, and writes outputs last.
#![allow(unsafe_code, reason = "C passes pointers; each block says who promises what")]
#![allow(non_camel_case_types, reason = "the types carry the names that C programs see")]
#![allow(clippy::missing_safety_doc, reason = "the contract is the header: its conventions and the lines under each function")]

mod guard;
mod handle;
mod input;
mod ready;

pub mod version;

pub mod error;

pub mod bytes;

pub mod stamp;

pub mod config;

pub mod peer;

pub mod node;

pub mod identity;

pub mod map_options;

pub mod map;

pub mod read;

pub mod write;

pub mod batch;

pub mod dump;

pub mod scan;

pub mod event;

pub mod subscription;

pub mod watch;
