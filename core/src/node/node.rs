//! A node: one process's participation in a cluster.
use std::time::Duration;
use super::*;
use crate::{Config, MapOptions, PeerId, Result};

/// An identity, a network endpoint and the maps opened on it. Clones share it; `close` ends it for all.
#[derive(Clone)]
pub struct Node(());
impl Node {
    /// Errors: `InvalidConfig`, `AddressInUse`, `Network`.
    pub fn open(_config: Config) -> Result<Self> { todo!() }
    pub fn id(&self) -> &PeerId { todo!() }
    /// Listen addresses, each ending in `/p2p/<id>`: what another node takes as `bootstrap`.
    pub fn addrs(&self) -> Vec<String> { todo!() }
    /// Dials a peer and waits for the connection. Errors: `InvalidArgument`, `Network`, `Timeout`, `Closed`.
    pub fn connect(&self, _addr: &str, _timeout: Duration) -> Result<PeerId> { todo!() }
    pub fn peers(&self) -> Result<Vec<PeerInfo>> { todo!() }
    pub fn status(&self) -> Result<NodeStatus> { todo!() }
    /// Opens a map. The same name again gives the same map; with other options: `InvalidConfig`.
    /// Options that are not set come from the configuration's own map options.
    pub fn map(&self, _name: &str, _options: MapOptions) -> Result<Map> { todo!() }
    pub fn maps(&self) -> Result<Vec<String>> { todo!() }
    pub fn is_closed(&self) -> bool { todo!() }
    /// Says goodbye to peers, closes every map, ends every thread. Idempotent.
    pub fn close(&self) { todo!() }
}
