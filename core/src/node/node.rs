//! A node: one process's participation in a cluster.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::clock::{now_ms, random};
use super::host::Maps;
use super::identity::identity;
use super::keeper::Keeper;
use super::map::Map;
use super::saved::Loading;
use super::state::{MapState, NodeShared};
use super::status::{NodeStatus, PeerInfo, judge_clock};
use super::sweep::Sweeper;
use super::trust::trust;
use parking_lot::Mutex;

use crate::error::{Error, ErrorKind, Result};
use crate::fork;
use crate::limits::MAX_MAPS;
use crate::net::{NetConfig, NetPeer, Network};
use crate::options::{self, Config, Durability, MapOptions, MapSettings, NodeSettings};
use crate::peer::PeerId;
use crate::replica::{Origin, Replica, Rules, Signing};
use crate::store::{DataDir, OsDisk};
use crate::wire::Topic;

/// An identity, a network endpoint and the maps opened on it. Clones share it; it ends with `close`, or when the last handle of
/// it and of its maps is gone.
///
/// Threads: every method from any thread, callbacks included. The node owns one thread for the network, and one for each
/// callback subscription and each map with a validator function.
/// Errors: every method that returns a `Result` fails with `Closed` after `close`, and with `Forked` in a forked child. A node whose
/// `data_dir` is a copy of that of one that runs leaves the network when it meets it, or somebody who knows it: `connect`
/// fails with `Locked` then, as do the writes and waits of its maps, and `status` says why (`identity_error`).
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    settings: NodeSettings,
    /// Held until the node is closed.
    dir: Mutex<Option<DataDir>>,
    /// Held while a map is read from the disk.
    opening: Mutex<()>,
    maps: Arc<Maps>,
    network: Arc<Network>,
    sweeper: Sweeper,
    last_epoch: AtomicU64,
    closed: AtomicBool,
    generation: u32,
}

/// What a closing map gives its peers to take what waits.
const FAREWELL: Duration = Duration::from_millis(500);

impl Node {
    /// Starts a node, and opens the maps that its configuration declares. It listens when this returns; peers join behind it.
    ///
    /// Errors: `InvalidConfig`, `AddressInUse`, `Network`; with a `data_dir` also `Locked`, `Storage`, `Corrupted`, `Unsupported`.
    /// Nothing is left running.
    pub fn open(config: Config) -> Result<Self> {
        let settings = config.node;
        options::check_node(&settings)?;
        let dir = settings.data_dir.as_deref().map(|path| DataDir::open(Arc::new(OsDisk), path)).transpose()?;
        let identity = identity(&settings, dir.as_ref())?;
        let maps = Arc::new(Maps::new());
        let network = Network::start(
            NetConfig {
                listen: settings.listen.clone(),
                external_addrs: settings.external_addrs.clone(),
                bootstrap: settings.bootstrap.clone(),
                cluster_id: settings.cluster_id.clone(),
                secrets: settings.secrets.clone(),
                allow_peers: settings.allow_peers.clone(),
                ban_peers: settings.ban_peers.clone(),
                trust: trust(&settings, dir.as_ref()),
                identity,
                run: start_number(),
                target_peers: settings.target_peers,
                max_peers: settings.max_peers,
                anti_entropy: settings.anti_entropy,
                seed: random(),
            },
            maps.clone(),
        )?;
        let network = Arc::new(network);
        let _ = maps.network.set(Arc::downgrade(&network));
        let sweeper = Sweeper::start(maps.clone(), network.clone())?;
        let node = Self(Arc::new(Inner {
            settings,
            dir: Mutex::new(dir),
            opening: Mutex::new(()),
            maps,
            network,
            sweeper,
            last_epoch: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            generation: fork::generation(),
        }));
        for name in node.0.settings.declared.keys() {
            node.open_map(name, &MapOptions::new())?;
        }
        Ok(node)
    }

    /// Who this node is: the identity in its `identity_file` or `data_dir`, or a new one for every opening.
    pub fn id(&self) -> &PeerId {
        self.0.network.id()
    }

    /// Listen addresses, each ending in `/p2p/<id>`: what another node takes as `bootstrap`.
    pub fn addrs(&self) -> Vec<String> {
        self.0.network.addrs()
    }

    /// Dials a peer and waits for the connection; who it is.
    ///
    /// Errors: `InvalidArgument` (not an address), `Network` (why it cannot be reached), `Timeout`, `Locked`.
    pub fn connect(&self, addr: &str, timeout: Duration) -> Result<PeerId> {
        self.check_open()?;
        self.0.network.connect(addr, timeout)
    }

    /// Puts a node out: its connections end, it is forgotten, and not let in again while this node is open, at neither end;
    /// `ban_peers` does so from the start. Every node decides for itself: call it on all of them. What it wrote stays.
    ///
    /// Errors: `InvalidArgument` (this node's own id).
    pub fn ban(&self, peer: &PeerId) -> Result<()> {
        self.check_open()?;
        self.0.network.ban(peer)
    }

    /// Who is banned, sorted.
    pub fn banned(&self) -> Result<Vec<PeerId>> {
        self.check_open()?;
        Ok(self.0.network.banned())
    }

    /// Connected peers.
    pub fn peers(&self) -> Result<Vec<PeerInfo>> {
        self.check_open()?;
        let (maps, peers) = (self.0.maps.all(), self.0.network.peers());
        let drifts = self.drifts(&peers);
        Ok(peers.into_iter().map(|peer| describe(peer, &maps, &drifts)).collect())
    }

    pub(super) fn drifts(&self, peers: &[NetPeer]) -> HashMap<PeerId, i64> {
        self.0.maps.drifts(peers)
    }

    pub fn status(&self) -> Result<NodeStatus> {
        let drifts = self.drifts(&self.0.network.peers());
        let (clock_drift_ms, clock_suspect) = judge_clock(&drifts, self.0.settings.max_clock_drift_ms);
        Ok(NodeStatus {
            peers: self.peers()?,
            id: self.id().clone(),
            cluster_id: self.0.settings.cluster_id.clone(),
            addrs: self.addrs(),
            maps: self.maps()?,
            members: self.0.network.members(),
            rejected_messages: self.0.network.rejected() + self.0.maps.rejected(),
            clock_drift_ms,
            clock_suspect,
            identity_error: self.0.network.refusal().get().map(|error| error.message().to_owned()),
            admission_error: self.0.network.stranger(),
        })
    }

    /// Opens a map. Options that are not set come from the node's configuration. The same name again gives the same map.
    ///
    /// Errors: `InvalidArgument` (the name), `InvalidConfig` (options; or the map is open with other ones); for a durable map
    /// `Corrupted`, `Unsupported`, `Storage`, which change nothing on disk. Cost: a durable map is read, whole.
    pub fn map(&self, name: &str, options: MapOptions) -> Result<Map> {
        let state = self.open_map(name, &options)?;
        Ok(Map::new(state, self.clone(), false))
    }

    /// Names of the maps open here, sorted.
    pub fn maps(&self) -> Result<Vec<String>> {
        self.check_open()?;
        let mut names: Vec<_> = self.0.maps.all().iter().map(|map| map.name.clone()).collect();
        names.sort_unstable();
        Ok(names)
    }

    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// Sends what waits, says goodbye to peers, closes every map, ends every thread. Idempotent. In a forked child it does
    /// nothing.
    pub fn close(&self) {
        self.0.close();
    }

    pub(super) fn open_map(&self, name: &str, options: &MapOptions) -> Result<Arc<MapState>> {
        self.check_open()?;
        options::check_map_name(name)?;
        let settings = &self.0.settings;
        let declared =
            settings.declared.get(name).map_or(settings.map_defaults.clone(), |map| map.over(&settings.map_defaults));
        let wanted = options.over(&declared).settings()?;
        let (plain, signed) = (Topic::new(&settings.cluster_id, name), Topic::signed(&settings.cluster_id, name));
        let topic = if wanted.signed { signed } else { plain };
        let _opening = self.0.opening.lock();
        let held = self.0.maps.get(plain).or_else(|| self.0.maps.get(signed));
        let (state, new) = match held {
            Some(map) => (map.state, false),
            None if self.0.maps.len() >= MAX_MAPS => {
                let message = format!("a node has at most {MAX_MAPS} maps open: close one");
                return Err(Error::new(ErrorKind::Full, message));
            }
            None => (self.0.maps.add(self.load(name, topic, &wanted)?), true),
        };
        if new {
            if let Some(keeper) = &state.keeper {
                let network = Arc::downgrade(&self.0.network);
                keeper.start(state.clone(), network).inspect_err(|_| self.0.close_map(&state))?;
            }
            self.0.network.subscribe(topic);
            self.0.maps.alarm.wake();
        } else if !options.is_empty() && state.settings != wanted {
            let message = format!("the map `{name}` is open here with other options: close it first, or open it without any");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        }
        Ok(state)
    }

    /// A map as its disk has it, if it is kept on one.
    fn load(&self, name: &str, topic: Topic, settings: &MapSettings) -> Result<MapState> {
        let (origin, rules) = (self.new_origin(), self.rules(settings));
        let shared = NodeShared {
            alarm: self.0.maps.alarm.clone(),
            refusal: self.0.network.refusal().clone(),
            max_clock_drift_ms: self.0.settings.max_clock_drift_ms,
        };
        if settings.durability == Durability::None {
            let mut replica = Replica::new(origin, rules);
            self.sign(&mut replica, topic);
            return Ok(MapState::new(name, topic, settings.clone(), replica, None, shared));
        }
        let Some(dir) = self.0.dir.lock().clone() else {
            let message =
                format!("the map `{name}` is to be durable, and there is nowhere to keep it: set the node's `data_dir`");
            return Err(Error::new(ErrorKind::InvalidConfig, message));
        };
        let (mut replica, keeper) = Keeper::open(name, settings, &dir, Loading::new(origin, rules, now_ms()))?;
        self.sign(&mut replica, topic);
        Ok(MapState::new(name, topic, settings.clone(), replica, Some(Arc::new(keeper)), shared))
    }

    /// What a signed map's replica writes is signed with this node's key.
    fn sign(&self, replica: &mut Replica, topic: Topic) {
        if replica.rules().signed {
            replica.sign_with(Signing { map: topic.0, sign: self.0.network.signer() });
        }
    }

    fn rules(&self, map: &MapSettings) -> Rules {
        let node = &self.0.settings;
        Rules {
            presence: map.presence,
            signed: map.signed,
            tombstone_ttl_ms: map.tombstone_ttl_ms,
            origin_retention_ms: map.origin_retention_ms,
            peer_timeout_ms: node.peer_timeout_ms,
            max_clock_drift_ms: node.max_clock_drift_ms,
        }
    }

    pub(super) fn close_map(&self, state: &Arc<MapState>) {
        self.0.close_map(state);
    }

    /// Removes what is on disk of a map that is closed.
    pub(super) fn destroy_map(&self, state: &MapState) -> Result<()> {
        if state.keeper.is_none() {
            return Ok(());
        }
        let dir = match (self.0.dir.lock().clone(), &self.0.settings.data_dir) {
            (Some(dir), _) => dir,
            // The node has been closed since.
            (None, Some(path)) => DataDir::open(Arc::new(OsDisk), path)?,
            (None, None) => return Ok(()),
        };
        dir.destroy(state.name.as_bytes()).map(|_| ())
    }

    pub(super) fn network(&self) -> &Network {
        &self.0.network
    }

    #[inline]
    pub(super) fn check_fork(&self) -> Result<()> {
        if self.0.generation == fork::generation() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Forked, "opened before this process was forked: open a new node in the child"))
    }

    fn check_open(&self) -> Result<()> {
        self.check_fork()?;
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Closed, "the node is closed: open a new one"));
        }
        Ok(())
    }

    /// An origin that was never used: a later opening has a greater epoch, whatever the clock does while the node lives.
    fn new_origin(&self) -> Origin {
        let now = start_number();
        let next = |last: u64| Some(now.max(last + 1));
        // Invariant: `next` never gives up.
        let last = self.0.last_epoch.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
        Origin::new(self.id().clone(), now.max(last + 1))
    }
}

impl Inner {
    fn close_map(&self, state: &Arc<MapState>) {
        let waiting = !state.is_closed() && state.writer().replica.waiting() > 0;
        if waiting {
            // Best effort, like every goodbye: whoever is not reached in time hears it from the others, or not at all.
            let _ = self.network.sync(state.topic, FAREWELL);
        }
        if state.close() {
            state.finish();
            self.network.unsubscribe(state.topic, state.last_words());
            self.maps.forget(state);
        }
    }

    fn close(&self) {
        if self.generation != fork::generation() {
            return;
        }
        self.closed.store(true, Ordering::Release);
        self.sweeper.stop();
        let maps = self.maps.all();
        for map in maps.iter().filter(|map| map.close()) {
            map.finish();
        }
        self.network.close();
        for map in &maps {
            self.maps.forget(map);
        }
        *self.dir.lock() = None;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.generation == fork::generation() {
            self.close();
        } else {
            // A forked child has none of the threads to wait for: what they shared is left alone.
            std::mem::forget(self.network.clone());
        }
    }
}

/// A number that no other opening has, and an earlier one has a lesser one, as far as clocks tell.
fn start_number() -> u64 {
    now_ms() << 16 | (random() & 0xffff)
}

fn describe(peer: NetPeer, maps: &[Arc<MapState>], drifts: &HashMap<PeerId, i64>) -> PeerInfo {
    let common: Vec<_> = maps.iter().filter(|map| peer.topics.contains(&map.topic)).collect();
    let verdicts: Vec<_> =
        common.iter().map(|map| map.peers.lock().get(&peer.id).and_then(|compared| compared.equal)).collect();
    let in_sync = match verdicts.contains(&Some(false)) {
        true => Some(false),
        false if verdicts.contains(&None) => None,
        false => Some(true),
    };
    let maps = common.iter().map(|map| map.name.clone()).collect();
    let drift_ms = drifts.get(&peer.id).copied();
    let NetPeer { id, addr, outbound, round_trip, .. } = peer;
    PeerInfo { id, addr, outbound, round_trip, drift_ms, maps, in_sync }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("id", self.id()).field("closed", &self.is_closed()).finish()
    }
}
