//! What the handle and the network thread share.
//!
//! Calls go into an [`Inbox`] that coalesces: it holds at most one entry a map, a (map, peer) or a waiting caller, so it is
//! bounded without blocking anyone. What is read often (peers, addresses) is kept in a [`Directory`], so that reading
//! does not wait for the network thread.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId as Id};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::held::Wait;
use super::{NetPeer, Refusal};
use crate::PeerId;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_KNOWN_MEMBERS;
use crate::wire::Topic;

pub(super) type Gates = HashMap<Topic, Arc<Gate>, foldhash::fast::FixedState>;

/// What `wake` looks at, one for each open map.
pub(super) struct Gate {
    /// Connected peers that have subscribed.
    pub subscribers: AtomicUsize,
    /// Set by whoever wakes, cleared by the network thread before it finds the outbox empty.
    pub woken: AtomicBool,
}

#[derive(Default)]
pub(super) struct Shared {
    /// The node's; set as it starts.
    pub keypair: OnceLock<Keypair>,
    pub gates: ArcSwap<Gates>,
    /// Who is not let in, whatever else it knows.
    pub banned: Mutex<BTreeSet<Id>>,
    /// Who has asked too much, until when.
    resting: Mutex<HashMap<Id, Instant>>,
    pub inbox: Mutex<Inbox>,
    /// The network thread waits here.
    pub bell: Notify,
    pub directory: Mutex<Directory>,
    pub closed: AtomicBool,
    pub rejected: Arc<AtomicU64>,
    /// Set once, with the bell rung.
    pub refusal: Arc<Refusal>,
    /// Why the node that was dialled last is no peer, if one of the two is a stranger to the other.
    pub stranger: Mutex<Option<String>>,
}

#[derive(Default)]
pub(super) struct Inbox {
    /// Maps whose outbox holds something.
    pub woken: Vec<Topic>,
    pub topics: HashMap<Topic, Turn>,
    pub gaps: HashSet<(Topic, PeerId)>,
    pub calls: Vec<Call>,
}

/// What became of a map since the network thread last looked.
#[derive(Default)]
pub(super) struct Turn {
    /// It was closed, with these last words. Of several openings the first: the network has not heard of the others.
    pub closed: Option<Option<Vec<u8>>>,
    /// And (again) it is open.
    pub open: bool,
}

/// A caller that waits for an answer. It gives up at its own deadline, so that the answer may find nobody.
pub(super) enum Call {
    Connect {
        addr: Multiaddr,
        reply: SyncSender<Result<PeerId>>,
    },
    Sync {
        topic: Topic,
        deadline: Instant,
        reply: SyncSender<Result<()>>,
    },
    Held {
        topic: Topic,
        request: Vec<u8>,
        wait: Wait,
    },
    /// It is among the banned already.
    Ban(Id),
    Close,
}

#[derive(Default)]
pub(super) struct Directory {
    pub addrs: Vec<Multiaddr>,
    pub peers: HashMap<Id, Peer>,
    pub members: usize,
}

/// A connected peer.
pub(super) struct Peer {
    pub id: PeerId,
    /// Whether it has spoken for this cluster: only then does anyone outside hear of it.
    pub admitted: bool,
    pub addr: Multiaddr,
    pub outbound: bool,
    pub round_trip: Option<Duration>,
    pub topics: HashSet<Topic>,
}

impl Shared {
    pub fn is_banned(&self, peer: &Id) -> bool {
        self.banned.lock().contains(peer)
    }

    /// Lets that peer in no more until then.
    pub fn let_rest(&self, peer: Id, until: Instant) {
        let mut resting = self.resting.lock();
        resting.retain(|_, until| *until > Instant::now());
        if resting.len() < MAX_KNOWN_MEMBERS {
            resting.insert(peer, until);
        }
    }

    pub fn rests(&self, peer: &Id) -> bool {
        self.resting.lock().get(peer).is_some_and(|until| *until > Instant::now())
    }

    /// The node's signature, once it has started.
    pub fn sign(&self, statement: &[u8]) -> [u8; 64] {
        let signature = self.keypair.get().and_then(|keypair| keypair.sign(statement).ok());
        // Invariant: the key was set before anybody has a handle, and is an Ed25519 key, which signs whatever there is.
        signature.and_then(|signature| signature.try_into().ok()).unwrap_or([0; 64])
    }

    /// See [`super::Network::wake`]. The caller has put something into the outbox before.
    pub fn wake(&self, topic: Topic) {
        let gates = self.gates.load();
        let Some(gate) = gates.get(&topic) else { return };
        if gate.subscribers.load(Ordering::Relaxed) == 0 || gate.woken.swap(true, Ordering::AcqRel) {
            return;
        }
        self.inbox.lock().woken.push(topic);
        self.bell.notify_one();
    }

    /// Changes the inbox, then wakes the network thread.
    pub fn post(&self, change: impl FnOnce(&mut Inbox)) {
        change(&mut self.inbox.lock());
        self.bell.notify_one();
    }

    pub fn gate(&self, topic: Topic) -> Option<Arc<Gate>> {
        self.gates.load().get(&topic).cloned()
    }

    /// Adds a gate or takes it away.
    pub fn set_gate(&self, topic: Topic, open: bool) {
        self.gates.rcu(|gates| {
            let mut gates = Gates::clone(gates);
            match open {
                true => {
                    let gate = || Arc::new(Gate { subscribers: AtomicUsize::new(0), woken: AtomicBool::new(false) });
                    gates.entry(topic).or_insert_with(gate);
                }
                false => {
                    gates.remove(&topic);
                }
            }
            gates
        });
    }

    /// Counts the peers that have subscribed to that map, for `wake`.
    pub fn count_subscribers(&self, topic: Topic) {
        if let Some(gate) = self.gate(topic) {
            let count = self.directory.lock().peers.values().filter(|peer| peer.topics.contains(&topic)).count();
            gate.subscribers.store(count, Ordering::Relaxed);
        }
    }

    /// The connected peers that have subscribed to that map.
    pub fn subscribers(&self, topic: Topic) -> Vec<Id> {
        let directory = self.directory.lock();
        directory.peers.iter().filter(|(_, peer)| peer.topics.contains(&topic)).map(|(id, _)| *id).collect()
    }

    /// Those of them that have spoken for this cluster.
    pub fn members_of(&self, topic: Topic) -> Vec<Id> {
        let directory = self.directory.lock();
        let has = |peer: &Peer| peer.admitted && peer.topics.contains(&topic);
        directory.peers.iter().filter(|(_, peer)| has(peer)).map(|(id, _)| *id).collect()
    }

    /// The peers that have spoken for this cluster.
    pub fn admitted(&self) -> Vec<Id> {
        let directory = self.directory.lock();
        directory.peers.iter().filter(|(_, peer)| peer.admitted).map(|(id, _)| *id).collect()
    }

    pub fn reject(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// Why nothing can be asked of the network any more.
    pub fn why_ended(&self) -> Error {
        let closed = || Error::new(ErrorKind::Closed, "the node was closed");
        self.refusal.get().cloned().unwrap_or_else(closed)
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Directory {
    /// The peers, with those of their maps that are open here.
    pub fn peers(&self, open: &Gates) -> Vec<NetPeer> {
        let mut peers: Vec<_> = self.peers.values().filter(|peer| peer.admitted).map(|peer| peer.describe(open)).collect();
        peers.sort_by(|a, b| a.id.cmp(&b.id));
        peers
    }
}

impl Peer {
    fn describe(&self, open: &Gates) -> NetPeer {
        let mut topics: Vec<_> = self.topics.iter().filter(|topic| open.contains_key(topic)).copied().collect();
        topics.sort_unstable();
        NetPeer {
            id: self.id.clone(),
            addr: self.addr.to_string(),
            outbound: self.outbound,
            round_trip: self.round_trip,
            topics,
        }
    }
}

/// The id as every layer above sees it.
pub(super) fn public(id: &Id) -> PeerId {
    // Invariant: libp2p's peer ids are multihashes of 34 to 42 bytes, within `MAX_PEER_ID_BYTES`.
    PeerId::from_bytes(&id.to_bytes()).expect("a libp2p peer id is a valid peer id")
}
