//! p2pmap: a replicated key-value map that lives inside your process.
#![forbid(unsafe_code)]

mod error;
mod fork;
mod limits;
#[allow(dead_code)]
mod net;
mod node;
mod options;
mod peer;
mod replica;
#[allow(dead_code)]
mod wire;

pub use error::{Error, ErrorKind, Result};
pub use fork::forked_in_child;
pub use node::*;
pub use options::{Config, MapOptions, OptionInfo, Validator};
pub use peer::PeerId;
pub use replica::{Digest, Stamp};
/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
