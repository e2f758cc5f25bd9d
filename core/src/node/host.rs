//! The node as the network sees it: the maps that are open, under their topics.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::{Mutex, RwLock};
use xxhash_rust::xxh3::xxh3_64;

use super::clock::now_ms;
use super::inbox::Inbox;
use super::receive::MapPull;
use super::state::MapState;
use super::sweep::Alarm;
use crate::limits::{DELTA_TARGET_BYTES, PAGE_TARGET_BYTES};
use crate::net::{Answer, Compared, Delivered, Host, NetPeer, Network, Pull};
use crate::peer::PeerId;
use crate::replica::{Comparison, Request as PullRequest};
use crate::wire::sync::{Digests, Request, Response};
use crate::wire::{self, Topic};

/// Threads: called on the network thread; the node adds and removes maps on any.
pub struct Maps {
    open: RwLock<HashMap<Topic, OpenMap>>,
    /// Wakes the thread that looks at the time.
    pub alarm: Arc<Alarm>,
    /// How far each peer's clock is ahead. Units: milliseconds.
    drifts: Mutex<HashMap<PeerId, i64>>,
    /// Messages that no map could be blamed for.
    rejected: AtomicU64,
    /// Set once the network runs.
    pub network: OnceLock<Weak<Network>>,
}

#[derive(Clone)]
pub struct OpenMap {
    pub state: Arc<MapState>,
    /// Where deltas wait, if checking them takes time.
    inbox: Option<Arc<Inbox>>,
}

impl Maps {
    pub fn new() -> Self {
        Self {
            open: RwLock::default(),
            alarm: Arc::default(),
            drifts: Mutex::default(),
            rejected: AtomicU64::new(0),
            network: OnceLock::new(),
        }
    }

    /// Takes in a map whose topic is not there.
    pub fn add(&self, state: MapState) -> Arc<MapState> {
        let state = Arc::new(state);
        let inbox = state.settings.takes_time().then(|| {
            let network = self.network.get().cloned().unwrap_or_default();
            Arc::new(Inbox::start(state.clone(), network))
        });
        self.open.write().insert(state.topic, OpenMap { state: state.clone(), inbox });
        state
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

    /// How far each of those peers' clocks is ahead; the others are forgotten.
    pub fn drifts(&self, peers: &[NetPeer]) -> HashMap<PeerId, i64> {
        let mut drifts = self.drifts.lock();
        drifts.retain(|id, _| peers.iter().any(|peer| peer.id == *id));
        drifts.clone()
    }

    fn digests(&self) -> Digests {
        let maps = self.all().iter().map(|map| (map.topic, map.writer().replica.digest())).collect();
        Digests { now_ms: now_ms(), maps }
    }

    /// Compares a peer's digests with ours; the maps that both have.
    fn compare_with(&self, from: &PeerId, theirs: &Digests) -> (Digests, Compared) {
        let now = now_ms();
        self.drifts.lock().insert(from.clone(), theirs.now_ms as i64 - now as i64);
        let mut ours = Vec::new();
        let mut compared = Compared { equal: Vec::new(), differs: Vec::new() };
        for (topic, theirs) in &theirs.maps {
            let Some(OpenMap { state, .. }) = self.get(*topic) else { continue };
            let digest = state.writer().replica.digest();
            ours.push((*topic, digest));
            let verdict = digest.compare(theirs);
            let equal = verdict == Comparison::Equal;
            if equal { &mut compared.equal } else { &mut compared.differs }.push(*topic);
            let mut peers = state.peers.lock();
            let known = peers.entry(from.clone()).or_default();
            known.equal = Some(equal);
            if equal {
                (known.behind, known.last_sync_ms) = (Some(0), Some(now));
            }
            known.suspicious = verdict == Comparison::Suspicious;
            if known.suspicious {
                state.counters.self_checks.fetch_add(1, Relaxed);
                tracing::warn!(%from, map = state.name, "the same writes seen, and another state: a full sync will settle it");
            }
        }
        (Digests { now_ms: now, maps: ours }, compared)
    }

    /// A page of a pull, and at its beginning how much the peer lacks.
    fn page(&self, from: &PeerId, topic: Topic, request: &PullRequest) -> Answer {
        let Some(OpenMap { state, .. }) = self.get(topic) else { return Answer::of(wire::sync::encode_no_map()) };
        let writer = state.writer();
        let page = writer.replica.page(request, PAGE_TARGET_BYTES);
        let edits = writer.replica.edits();
        drop(writer);
        if request.since == 0 && request.cursor.is_none() {
            let behind = state.writer().replica.count_lacking(&request.base);
            state.peers.lock().entry(from.clone()).or_default().behind = Some(behind);
        }
        let mut answer = Answer::of(wire::sync::encode_page(&page));
        if let Some(keeper) = state.keeper.clone().filter(|keeper| !keeper.may_leave(edits)) {
            answer.hold = Some(Box::new(move || keeper.wait_to_leave(&state, edits)));
        }
        answer
    }
}

impl Host for Maps {
    fn next_delta(&self, topic: Topic) -> Option<Vec<u8>> {
        let map = self.get(topic)?;
        if let Some(pulse) = map.state.take_pulse() {
            return Some(pulse);
        }
        let delta = match &map.state.keeper {
            Some(keeper) => keeper.next_delta(&map.state),
            None => {
                let delta = map.state.writer().replica.cut_delta(DELTA_TARGET_BYTES);
                delta.map(|delta| map.state.signed(wire::gossip::encode_delta(&delta)))
            }
        };
        delta.or_else(|| map.state.last_words())
    }

    fn forget_waiting(&self, topic: Topic) {
        if let Some(map) = self.get(topic) {
            map.state.writer().replica.clear_outbox();
            map.state.keeper.iter().for_each(|keeper| keeper.forget_parked());
        }
    }

    fn deliver(&self, topic: Topic, from: &PeerId, delta: &[u8]) -> Delivered {
        match self.get(topic) {
            None => Delivered::Rejected,
            Some(OpenMap { inbox: Some(inbox), .. }) if !wire::gossip::is_pulse(delta) => inbox.push(from, delta),
            Some(OpenMap { state, .. }) => state.receive(from, delta),
        }
    }

    fn answer(&self, from: &PeerId, request: &[u8]) -> Option<Answer> {
        let request = wire::sync::decode_request(request).map_err(|malformed| self.reject(from, malformed)).ok()?;
        Some(match request {
            Request::Compare(theirs) => {
                let (ours, compared) = self.compare_with(from, &theirs);
                Answer { differs: compared.differs, ..Answer::of(wire::sync::encode_compared(&ours)) }
            }
            Request::Pull(topic, request) => self.page(from, topic, &request),
            Request::Holds(topic, stamp) => {
                let map = self.get(topic).map(|map| map.state).filter(|map| !map.is_closed());
                let holds = map.is_some_and(|map| map.holds(&stamp));
                Answer::of(wire::sync::encode_held(holds))
            }
        })
    }

    fn state(&self) -> u64 {
        let mut maps = self.digests().maps;
        maps.sort_unstable_by_key(|(topic, _)| *topic);
        let bytes: Vec<u8> = maps.iter().flat_map(|(topic, digest)| [&topic.0[..], &digest.0].concat()).collect();
        xxh3_64(&bytes)
    }

    fn found_equal(&self, peer: &PeerId) {
        let now = now_ms();
        for state in self.all() {
            let mut peers = state.peers.lock();
            let known = peers.entry(peer.clone()).or_default();
            (known.equal, known.behind, known.last_sync_ms) = (Some(true), Some(0), Some(now));
        }
    }

    fn compare(&self) -> Option<Vec<u8>> {
        let digests = self.digests();
        (!digests.maps.is_empty()).then(|| wire::sync::encode_compare(&digests))
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
        Some(Box::new(MapPull::new(map.state, from)))
    }
}
