//! The shell around the pure core: what users hold and call.

mod batch;
mod clock;
mod dump;
mod event;
mod host;
mod identity;
mod inbox;
mod keeper;
mod map;
#[allow(clippy::module_inception, reason = "a node is the noun")]
mod node;
mod permit;
mod queue;
mod receive;
pub mod saved;
mod scan;
mod state;
mod status;
mod subscribe;
mod sweep;
#[cfg(test)]
mod tests;
mod trust;
mod ttl;
mod view;

pub use batch::Batch;
pub use event::{Event, EventKind};
pub use identity::generate_identity;
pub use map::{Map, open};
pub use node::Node;
pub use scan::{Scan, ScanOptions};
pub use status::{MapPeer, MapStatus, NodeStatus, PeerInfo};
pub use subscribe::{SubscribeOptions, Subscription, Watch};
pub use view::{Entry, Key, Value};
