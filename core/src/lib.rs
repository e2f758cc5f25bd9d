//! p2pmap: a replicated key-value map that lives inside your process.
//!
//! Every process that opens the map `flags` holds a full copy of it. Reads are local memory reads; writes are local and reach
//! every other copy through peer-to-peer gossip; the last write wins. No server runs anywhere.
//!
//! ```
//! use p2pmap::{Config, SubscribeOptions};
//!
//! # fn main() -> p2pmap::Result<()> {
//! let mut config = Config::new();
//! config.set("bootstrap", "127.0.0.1:7400")?; // any member that runs
//! let flags = p2pmap::open("flags", config)?;
//!
//! let _changes = flags.subscribe(SubscribeOptions::default(), |events| {
//!     for event in events {
//!         println!("{} {}", event.kind().name(), event.key().escape_ascii());
//!     }
//! })?;
//! flags.put("dark_mode", "on")?;
//! assert_eq!(flags.get("dark_mode")?.as_deref(), Some(&b"on"[..]));
//! # flags.close();
//! # Ok(())
//! # }
//! ```
//!
//! The map of the house: `replica` is the pure core (who wins, what was seen, what must be told); `wire` turns messages into
//! bytes; `net` moves them over libp2p; `store` is the only code that touches a disk; `node` is the shell that users hold.
#![forbid(unsafe_code)]

#[cfg(any(test, fuzzing))]
#[path = "../../tests/sim/dice.rs"]
mod dice;
mod error;
mod fork;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/targets/mod.rs"]
pub mod fuzz;
#[cfg(test)]
#[path = "../../tests/hostile/mod.rs"]
mod hostile;
mod limits;
mod net;
mod node;
mod options;
mod peer;
mod replica;
mod secret;
#[cfg(test)]
#[path = "../../tests/sim/mod.rs"]
mod sim;
mod store;
mod wire;

pub use error::{Error, ErrorKind, Result};
pub use fork::forked_in_child;
pub use node::{
    Batch, Entry, Event, EventKind, Key, Map, MapPeer, MapStatus, Node, NodeStatus, PeerInfo, Scan, ScanOptions,
    SubscribeOptions, Subscription, Value, Watch, generate_identity, open,
};
pub use options::{Config, Durability, MapOptions, OptionInfo, Validator};
pub use peer::PeerId;
pub use replica::{Digest, Stamp};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
