//! The shell around the pure core: what users hold and call.

mod event;
#[allow(clippy::module_inception)]
mod node;
mod map;
mod scan;
mod status;
mod subscribe;
mod view;

pub use event::{Event, EventKind};
pub use map::{Batch, Map, open};
pub use node::Node;
pub use scan::{Scan, ScanOptions};
pub use status::{MapPeer, MapStatus, NodeStatus, PeerInfo};
pub use subscribe::{SubscribeOptions, Subscription, Watch};
pub use view::{Entry, Key, Value};
