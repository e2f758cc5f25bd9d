//! The network: the only code that names libp2p. Plain types outside.
//!
//! It moves bytes and decides when: which peers to hold, when to publish, whom to sync with. What the bytes mean is
//! the [`Host`]'s business.

mod addr;
mod admission;
mod beat;
mod behaviour;
mod codec;
mod cork;
mod doors;
mod exchange;
mod flow;
mod gossip;
mod handle;
mod held;
mod hello;
mod listen;
mod membership;
mod pace;
mod peers;
mod rng;
mod runs;
mod schedule;
mod sealed;
mod shared;
mod sync;
mod task;
#[cfg(test)]
mod tests;
mod throttle;
mod transport;
mod waiters;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub(crate) use behaviour::{new_identity, peer_of};
pub(crate) use handle::Network;
#[cfg(any(test, fuzzing))]
pub(crate) use hello::fuzz::greeting;

use crate::secret::Secret;
use crate::wire::Topic;
use crate::{Error, PeerId};

/// Why this node has left the network for good, if it has: another one with its identity was there first.
pub(crate) type Refusal = OnceLock<Error>;

/// What the network asks of the node that it serves. Called on the network thread; quick, except where
/// said. A panic in what a peer's message has led to costs that message, which is counted, and not the node.
pub(crate) trait Host: Send + Sync + 'static {
    /// The next delta of that map's outbox, encoded, or `None` when nothing waits. Each call takes what it returns:
    /// if it does not arrive, only a sync repairs it.
    fn next_delta(&self, topic: Topic) -> Option<Vec<u8>>;

    /// Forgets what waits in that map's outbox: nobody has listened, and who comes pulls it.
    fn forget_waiting(&self, topic: Topic);

    /// A delta that a peer gossiped (the propagation source, not necessarily its author).
    fn deliver(&self, topic: Topic, from: &PeerId, delta: &[u8]) -> Delivered;

    /// Serves one sync request. `None`: malformed, counted by the host; drop it.
    fn answer(&self, from: &PeerId, request: &[u8]) -> Option<Answer>;

    /// One number for all maps open here and what they hold. On nodes that hold the same it is the same.
    fn state(&self) -> u64;

    /// A peer has told the same number as this node has.
    fn found_equal(&self, peer: &PeerId);

    /// The request that compares all maps open here with a peer's: `None` when no map is open.
    fn compare(&self) -> Option<Vec<u8>>;

    /// The answer to `compare`: the maps that differ (to be pulled), or `None`: malformed.
    fn compared(&self, from: &PeerId, response: &[u8]) -> Option<Compared>;

    /// The answer to whether a peer holds a write, or `None`: malformed.
    fn holds(&self, from: &PeerId, response: &[u8]) -> Option<bool>;

    /// Starts pulling a map from a peer: `None` when the map is not open here.
    fn pull(&self, from: &PeerId, topic: Topic) -> Option<Box<dyn Pull>>;
}

/// Who is taken at which address.
pub(crate) trait Trust: Send + Sync {
    /// Whether that peer is taken at an address that was dialled without naming anybody. May write to the disk.
    /// Errors: why not, in words.
    fn check(&self, addr: &str, peer: &PeerId) -> Result<(), String>;
}

/// What became of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// Merged, or waiting to be (the host reports a gap later through [`Network::gap`]).
    Taken,
    /// Merged, but something before it is missing: sync with who sent it (debounced).
    Gap,
    /// A sign of life, which changes nothing that a peer could lack.
    Heard,
    /// Malformed, or no such map. Counted by the host.
    Rejected,
}

pub(crate) struct Answer {
    pub response: Vec<u8>,
    /// Maps that the request showed to differ: pull them from the asking peer (debounced, one pull at a time).
    pub differs: Vec<Topic>,
    /// Returns when the response may leave, or `false`: it must not. May take long: it is run off the network thread.
    pub hold: Option<Hold>,
}

pub(crate) type Hold = Box<dyn FnOnce() -> bool + Send>;

impl Answer {
    pub fn of(response: Vec<u8>) -> Self {
        Self { response, differs: Vec::new(), hold: None }
    }
}

pub(crate) struct Compared {
    pub equal: Vec<Topic>,
    pub differs: Vec<Topic>,
}

/// One pull of one map from one peer: request, response, request, ... Dropped when the connection breaks: a broken pull joins
/// nothing.
pub(crate) trait Pull: Send {
    /// The first request.
    fn request(&mut self) -> Vec<u8>;
    /// Merges a page. Hands the next request to `ask`, if there is one, as soon as it is known: where that is before the merge, the
    /// next page comes meanwhile. May take long when `blocks` says so, or the page is large: then it is run off the network thread.
    fn response(&mut self, response: &[u8], ask: &mut dyn FnMut(Vec<u8>)) -> PullStep;
    fn blocks(&self) -> bool;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullStep {
    /// The next page has been asked for.
    More,
    /// Everything merged and joined; whether the two replicas were then equal.
    Done { equal: bool },
    /// Malformed (counted by the host), or the map closed.
    Failed,
}

/// What the network needs to know.
pub(crate) struct NetConfig {
    /// Multiaddrs, already checked to be loopback, or the node to keep strangers out.
    pub listen: Vec<String>,
    pub external_addrs: Vec<String>,
    pub bootstrap: Vec<String>,
    pub cluster_id: String,
    /// The first seals, all open. Without one: whoever names the cluster id belongs here.
    pub secrets: Vec<Secret>,
    /// Let in; without one: whoever belongs here.
    pub allow_peers: Vec<PeerId>,
    /// Never let in.
    pub ban_peers: Vec<PeerId>,
    /// `None`: whoever belongs here, wherever it is.
    pub trust: Option<Arc<dyn Trust>>,
    /// `None`: a new one.
    pub identity: Option<Identity>,
    /// Greater for each opening of a node: of two with one identity the lesser stays.
    pub run: u64,
    pub target_peers: usize,
    pub max_peers: usize,
    pub anti_entropy: Duration,
    /// Seeds every random choice the network makes (jitter, whom to sync with).
    pub seed: u64,
}

/// Who a node is.
pub(crate) struct Identity {
    /// The secret half of its Ed25519 key.
    pub key: [u8; 32],
    /// Where it is kept, in the data directory.
    pub file: PathBuf,
}

/// A connected peer.
#[derive(Clone, Debug)]
pub(crate) struct NetPeer {
    pub id: PeerId,
    pub addr: String,
    pub outbound: bool,
    pub round_trip: Option<Duration>,
    /// Topics that the peer has subscribed to and that are open here.
    pub topics: Vec<Topic>,
}
