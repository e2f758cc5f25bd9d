//! The node as the network sees it: the maps that are open, under their topics.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::RwLock;

use super::inbox::Inbox;
use super::receive::MapPull;
use super::state::MapState;
use crate::limits::{DELTA_TARGET_BYTES, PAGE_TARGET_BYTES};
use crate::net::{Answer, Compared, Delivered, Host, Network, Pull};
use crate::peer::PeerId;
use crate::replica::Digest;
use crate::wire::sync::{Request, Response};
use crate::wire::{self, Topic};

/// Threads: called on the network thread; the node adds and removes maps on any.
pub struct Maps {
    open: RwLock<HashMap<Topic, OpenMap>>,
    max_drift_ms: u64,
    /// Messages that no map could be blamed for.
    rejected: AtomicU64,
    /// Set once the network runs.
    pub network: OnceLock<Weak<Network>>,
}

#[derive(Clone)]
pub struct OpenMap {
    pub state: Arc<MapState>,
    /// Where deltas wait for a validator that may take its time.
    inbox: Option<Arc<Inbox>>,
}

impl Maps {
    pub fn new(max_drift_ms: u64) -> Self {
        Self { open: RwLock::default(), max_drift_ms, rejected: AtomicU64::new(0), network: OnceLock::new() }
    }

    /// The open map of that topic, or the one that `make` makes.
    pub fn open<E>(&self, topic: Topic, make: impl FnOnce() -> Result<MapState, E>) -> Result<(Arc<MapState>, bool), E> {
        let mut open = self.open.write();
        if let Some(map) = open.get(&topic) {
            return Ok((map.state.clone(), false));
        }
        let state = Arc::new(make()?);
        let inbox = state.settings.validators.may_block().then(|| {
            let network = self.network.get().cloned().unwrap_or_default();
            Arc::new(Inbox::start(state.clone(), network, self.max_drift_ms))
        });
        open.insert(topic, OpenMap { state: state.clone(), inbox });
        Ok((state, true))
    }

    pub fn len(&self) -> usize {
        self.open.read().len()
    }

    pub fn all(&self) -> Vec<Arc<MapState>> {
        self.open.read().values().map(|map| map.state.clone()).collect()
    }

    pub fn get(&self, topic: Topic) -> Option<OpenMap> {
        self.open.read().get(&topic).cloned()
    }

    /// Forgets a map, if it is still that one.
    pub fn forget(&self, state: &Arc<MapState>) {
        let mut open = self.open.write();
        let removed = match open.get(&state.topic) {
            Some(map) if Arc::ptr_eq(&map.state, state) => open.remove(&state.topic),
            _ => None,
        };
        drop(open);
        // It may wait for user code, and that must not happen under the lock.
        if let Some(inbox) = removed.and_then(|map| map.inbox) {
            inbox.stop();
        }
    }

    pub fn rejected(&self) -> u64 {
        self.rejected.load(Relaxed)
    }

    fn reject(&self, from: &PeerId, what: wire::Malformed) {
        self.rejected.fetch_add(1, Relaxed);
        tracing::warn!(%from, "{what}");
    }

    fn digests(&self) -> Vec<(Topic, Digest)> {
        self.all().iter().map(|map| (map.topic, map.writer().replica.digest())).collect()
    }

    /// Compares a peer's digests with ours; the maps that both have.
    fn compare_with(&self, from: &PeerId, theirs: &[(Topic, Digest)]) -> (Vec<(Topic, Digest)>, Compared) {
        let mut ours = Vec::new();
        let mut compared = Compared { equal: Vec::new(), differs: Vec::new() };
        for (topic, theirs) in theirs {
            let Some(OpenMap { state, .. }) = self.get(*topic) else { continue };
            let digest = state.writer().replica.digest();
            ours.push((*topic, digest));
            let equal = digest == *theirs;
            if equal { &mut compared.equal } else { &mut compared.differs }.push(*topic);
            let mut peers = state.peers.lock();
            let known = peers.entry(from.clone()).or_default();
            known.equal = Some(equal);
            known.suspicious = !equal && digest.same_context(theirs);
        }
        (ours, compared)
    }
}

impl Host for Maps {
    fn next_delta(&self, topic: Topic) -> Option<Vec<u8>> {
        let map = self.get(topic)?;
        let delta = map.state.writer().replica.cut_delta(DELTA_TARGET_BYTES)?;
        Some(wire::delta::encode(&delta))
    }

    fn forget_waiting(&self, topic: Topic) {
        if let Some(map) = self.get(topic) {
            map.state.writer().replica.clear_outbox();
        }
    }

    fn deliver(&self, topic: Topic, from: &PeerId, delta: &[u8]) -> Delivered {
        match self.get(topic) {
            None => Delivered::Rejected,
            Some(OpenMap { inbox: Some(inbox), .. }) => inbox.push(from, delta),
            Some(OpenMap { state, .. }) => state.receive_delta(from, delta, self.max_drift_ms),
        }
    }

    fn answer(&self, from: &PeerId, request: &[u8]) -> Option<Answer> {
        let request = wire::sync::decode_request(request).map_err(|malformed| self.reject(from, malformed)).ok()?;
        Some(match request {
            Request::Compare(theirs) => {
                let (ours, compared) = self.compare_with(from, &theirs);
                Answer { response: wire::sync::encode_compared(&ours), differs: compared.differs }
            }
            Request::Pull(topic, request) => {
                let response = match self.get(topic) {
                    Some(map) => {
                        let page = map.state.writer().replica.page(&request, PAGE_TARGET_BYTES);
                        wire::sync::encode_page(&page)
                    }
                    None => wire::sync::encode_no_map(),
                };
                Answer { response, differs: Vec::new() }
            }
            Request::Holds(topic, stamp) => {
                let map = self.get(topic).map(|map| map.state).filter(|map| !map.is_closed());
                let holds = map.is_some_and(|map| map.writer().replica.context().covers(&stamp));
                Answer { response: wire::sync::encode_held(holds), differs: Vec::new() }
            }
        })
    }

    fn compare(&self) -> Option<Vec<u8>> {
        let digests = self.digests();
        (!digests.is_empty()).then(|| wire::sync::encode_compare(&digests))
    }

    fn compared(&self, from: &PeerId, response: &[u8]) -> Option<Compared> {
        match wire::sync::decode_response(response) {
            Ok(Response::Compared(theirs)) => Some(self.compare_with(from, &theirs).1),
            Ok(_) => {
                self.reject(from, wire::Malformed("not a comparison"));
                None
            }
            Err(malformed) => {
                self.reject(from, malformed);
                None
            }
        }
    }

    fn holds(&self, from: &PeerId, response: &[u8]) -> Option<bool> {
        match wire::sync::decode_response(response) {
            Ok(Response::Holds(holds)) => Some(holds),
            Ok(_) => {
                self.reject(from, wire::Malformed("not a yes or no"));
                None
            }
            Err(malformed) => {
                self.reject(from, malformed);
                None
            }
        }
    }

    fn pull(&self, from: &PeerId, topic: Topic) -> Option<Box<dyn Pull>> {
        let map = self.get(topic)?;
        Some(Box::new(MapPull::new(map.state, from, self.max_drift_ms)))
    }
}
