//! The network thread: one loop that takes swarm events, calls from the handle and timers, one at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::request_response::OutboundRequestId;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId as Id, Swarm};
use tokio::sync::{mpsc, oneshot};

use super::admission::Admission;
use super::behaviour::{self, Behaviour, BehaviourEvent};
use super::flow::{Flow, Seen};
use super::gossip::Outflow;
use super::held::Held;
use super::listen;
use super::membership::Membership;
use super::pace::Pace;
use super::peers::{Connection, Dialled, Reply};
use super::rng::Rng;
use super::runs::{Doubt, Runs};
use super::schedule::Schedule;
use super::shared::{Call, Directory, Shared, public};
use super::sync::Syncs;
use super::throttle::Throttle;
use super::waiters::Waiters;
use super::{Host, NetConfig};
use crate::secret::Keyring;
use crate::{PeerId, Result};

/// Two nodes tell each other whom they know this often, jittered. News travels by itself; this finds what got lost.
const EXCHANGE: Duration = Duration::from_secs(600);
/// `close` gives what waits so long to arrive, and the connections so long to end.
const FAREWELL: Duration = Duration::from_millis(500);

/// The state of the network thread. The files of this folder each add the part that they are about.
pub(super) struct Task {
    pub(super) shared: Arc<Shared>,
    pub(super) host: Arc<dyn Host>,
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) rng: Rng,

    pub(super) outflow: Outflow,
    pub(super) flow: Flow,
    pub(super) seen: Seen,
    pub(super) schedule: Schedule,
    pub(super) syncs: Syncs,
    pub(super) waiters: Waiters,
    pub(super) held: Held,
    pub(super) throttle: Throttle,

    pub(super) membership: Membership,
    pub(super) external: Vec<Multiaddr>,
    pub(super) connections: HashMap<ConnectionId, Connection>,
    pub(super) dials: HashMap<ConnectionId, Dialled>,
    /// Callers of `connect` whose peer has yet to show that it belongs to this cluster.
    pub(super) callers: HashMap<Id, Vec<Reply>>,
    /// What newcomers ask, who have the identity of a peer.
    doubts: mpsc::Receiver<Doubt>,
    /// Requests whose answer proves to a newcomer that the peer is alive.
    pub(super) proofs: HashMap<OutboundRequestId, oneshot::Sender<()>>,
    /// Peers with more than one connection, and when to choose between them.
    pub(super) surplus: Vec<(Instant, Id)>,
    /// Peers that gossipsub called slow: when last, and how many times in a row.
    pub(super) slow: HashMap<Id, (Instant, u32)>,
    /// Peers that have yet to answer the goodbye.
    pub(super) goodbyes: usize,

    pub(super) max_peers: usize,
    pub(super) pace: Pace,
    /// Who has compared with this node since then.
    pub(super) served: Option<Id>,
    /// Peers whose last beat told that they hold the same, and when.
    pub(super) equal: HashMap<Id, Instant>,
    next_exchange: Instant,
    /// When somebody is to be dialled next; recomputed when `replan` is set.
    next_dial: Option<Instant>,
    pub(super) replan: bool,
}

impl Task {
    /// Starts listening. Errors: `AddressInUse`, `Network`, `InvalidConfig`.
    pub(super) async fn start(config: NetConfig, host: Arc<dyn Host>, shared: Arc<Shared>) -> Result<Self> {
        let external = listen::parse_all("external_addrs", &config.external_addrs)?;
        let seeds = listen::parse_seeds(&config.bootstrap)?;
        let (secret, file) = config.identity.as_ref().map(|identity| (identity.key, identity.file.clone())).unzip();
        let keypair = behaviour::keypair(secret)?;
        let me = keypair.public().to_peer_id();
        let _ = shared.keypair.set(keypair.clone());
        let (runs, doubts) = Runs::new(me, config.run, file, shared.clone());
        *shared.banned.lock() = listen::peers("ban_peers", &config.ban_peers)?;
        let keyring = Arc::new(Keyring::new(&config.cluster_id, &config.secrets));
        let sealed = behaviour::sealed(&keyring, &shared.rejected)?;
        let admission =
            Admission::new(me, keyring, listen::allowed(&config.allow_peers)?, config.trust.clone(), runs, shared.clone());
        let mut swarm = behaviour::swarm(&config, &keypair, &admission, &sealed, &shared.rejected, &host)?;
        listen::listen(&mut swarm, &config.listen).await?;

        let now = Instant::now();
        let mut rng = Rng::new(config.seed);
        let dialling = Rng::new(rng.next());
        let mut task = Self {
            membership: Membership::new(me, seeds, config.target_peers, config.max_peers, dialling, now),
            pace: Pace::new(config.anti_entropy, now, &mut rng),
            next_exchange: now + rng.jitter(EXCHANGE),
            served: None,
            equal: HashMap::new(),
            max_peers: config.max_peers,
            shared,
            host,
            swarm,
            rng,
            external,
            outflow: Outflow::default(),
            flow: Flow::default(),
            seen: Seen::default(),
            schedule: Schedule::default(),
            syncs: Syncs::default(),
            waiters: Waiters::default(),
            held: Held::default(),
            throttle: Throttle::default(),
            connections: HashMap::new(),
            dials: HashMap::new(),
            callers: HashMap::new(),
            doubts,
            proofs: HashMap::new(),
            surplus: Vec::new(),
            slow: HashMap::new(),
            goodbyes: 0,
            next_dial: None,
            replan: true,
        };
        task.note_addrs();
        Ok(task)
    }

    pub(super) fn id(&self) -> PeerId {
        public(self.swarm.local_peer_id())
    }

    /// Runs until the handle says `Close`, or a peer that another node with this one's identity was there first.
    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        let sleep = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(sleep);
        // After a turn of publishing, the connections get theirs before the next.
        let mut turn_over = false;
        loop {
            let now = Instant::now();
            if self.shared.refusal.get().is_some() {
                return self.withdraw().await;
            }
            if self.take_inbox() {
                break;
            }
            self.run_timers(now);
            self.run_schedule(now);
            if !turn_over {
                turn_over = self.publish();
            }
            self.ask_who_holds(now);
            let due = self.next_due().into();
            if sleep.deadline() != due {
                sleep.as_mut().reset(due);
            }
            tokio::select! {
                biased;
                event = self.swarm.select_next_some() => self.on_event(event),
                done = self.syncs.done() => self.on_done(done),
                Some(doubt) = self.doubts.recv() => self.on_doubt(doubt),
                () = shared.bell.notified() => {}
                () = &mut sleep => {}
                () = tokio::task::yield_now(), if turn_over => turn_over = false,
            }
        }
        self.farewell().await;
    }

    /// Does what the handle asked for. Whether it asked to close.
    fn take_inbox(&mut self) -> bool {
        let inbox = std::mem::take(&mut *self.shared.inbox.lock());
        for (topic, turn) in inbox.topics {
            if let Some(last_words) = turn.closed {
                self.close_topic(topic, last_words);
            }
            if turn.open {
                self.open_topic(topic);
            }
        }
        for topic in inbox.woken {
            self.outflow.add(topic);
        }
        for (topic, peer) in inbox.gaps {
            // Whoever sent it may have gone: then any other may fill the gap.
            let sender = Id::from_bytes(peer.as_bytes()).ok().filter(|peer| self.swarm.is_connected(peer));
            if let Some(peer) = sender.or_else(|| self.rng.pick(self.shared.subscribers(topic))) {
                self.schedule.gap(topic, peer, Instant::now());
            }
        }
        let mut close = false;
        for call in inbox.calls {
            match call {
                Call::Connect { addr, reply } => self.connect(addr, reply),
                Call::Ban(peer) => self.expel(peer),
                Call::Sync { topic, deadline, reply } => {
                    // Also those that have not told yet which maps they have: the comparison says it.
                    let peers = self.shared.admitted();
                    self.waiters.add(topic, &peers, deadline, reply);
                    for peer in peers {
                        self.schedule.compare(peer);
                    }
                }
                Call::Held { topic, request, wait } => {
                    self.held.add(topic, request, wait, &self.shared.members_of(topic), Instant::now());
                }
                Call::Close => close = true,
            }
        }
        close
    }

    pub(super) fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.on_sync(event),
            SwarmEvent::Behaviour(BehaviourEvent::Members(event)) => self.on_members(event),
            SwarmEvent::Behaviour(BehaviourEvent::Flow(event)) => self.on_flow(event),
            SwarmEvent::Behaviour(BehaviourEvent::Beat(event)) => self.on_beat(&event),
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => self.note_addrs(),
            SwarmEvent::ListenerClosed { addresses, reason, .. } => {
                tracing::warn!(?addresses, ?reason, "no longer listening");
                self.note_addrs();
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listener"),
            event => self.on_connection(event),
        }
    }

    fn run_timers(&mut self, now: Instant) {
        if self.pace.is_due(now, &mut self.rng) {
            let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
            let picked = self.rng.pick(peers);
            // A comparison serves both ends. Not twice in a row, or one peer could keep this node from asking the others.
            let served = std::mem::take(&mut self.served);
            if let Some(peer) = picked.filter(|peer| served != Some(*peer))
                && !self.pace.may_skip(self.equal.get(&peer).copied(), now)
            {
                self.schedule.compare(peer);
            }
        }
        if self.next_exchange <= now {
            self.next_exchange = now + self.rng.jitter(EXCHANGE);
            let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
            if let Some(peer) = self.rng.pick(peers) {
                self.exchange(peer);
            }
        }
        self.waiters.expire(now);
        self.held.expire(now);
        self.leave_behind(now);
        self.close_surplus(now);
        if self.replan || self.next_dial.is_some_and(|due| due <= now) {
            self.dial_due(now);
            self.next_dial = self.membership.next_due();
            self.replan = false;
        }
    }

    fn next_due(&self) -> Instant {
        let surplus = self.surplus.iter().map(|(at, _)| *at).min();
        let waiting = [self.waiters.next_due(), self.held.next_due()];
        [self.schedule.next_due(), self.flow.next_due(), self.next_dial, surplus]
            .into_iter()
            .chain(waiting)
            .flatten()
            .fold(self.pace.next_due().min(self.next_exchange), Instant::min)
    }

    fn note_addrs(&mut self) {
        let addrs = self.swarm.listeners().cloned().collect();
        self.shared.directory.lock().addrs = addrs;
    }

    /// Sends what waits, makes sure that it has arrived, tells the peers, and ends the connections. Each within [`FAREWELL`].
    async fn farewell(mut self) {
        // Who waits is told that the node was closed.
        self.held = Held::default();
        let deadline = Instant::now() + FAREWELL;
        self.settle(deadline).await;
        self.say_goodbye();
        while self.goodbyes > 0 && Instant::now() < deadline {
            self.drive(deadline).await;
        }
        self.part().await;
    }

    /// Leaves without a goodbye, in which the others would hear the node that stays. Those who wait are told why.
    async fn withdraw(mut self) {
        tracing::error!("{}", self.shared.why_ended());
        self.part().await;
        *self.shared.directory.lock() = Directory::default();
    }

    /// Ends the connections.
    async fn part(&mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let deadline = Instant::now() + FAREWELL;
        while self.swarm.network_info().num_peers() > 0 && Instant::now() < deadline {
            self.drive(deadline).await;
        }
    }

    /// Publishes what waits, and serves the peers until they hold the same.
    async fn settle(&mut self, deadline: Instant) {
        let gates = self.shared.gates.load_full();
        // Nobody waits for this answer; the comparisons that it takes are the point.
        let (reply, _answer) = std::sync::mpsc::sync_channel(0);
        for topic in gates.keys() {
            self.outflow.add(*topic);
            self.waiters.add(*topic, &self.shared.subscribers(*topic), deadline, reply.clone());
        }
        let peers: Vec<_> = self.swarm.connected_peers().copied().filter(|peer| self.waiters.want(*peer)).collect();
        let mut compared = false;
        loop {
            let now = Instant::now();
            let busy = self.publish();
            if !busy && !compared && !self.flow.is_full() {
                compared = true;
                peers.iter().for_each(|peer| self.schedule.compare(*peer));
            }
            self.leave_behind(now);
            self.run_schedule(now);
            if now >= deadline || self.waiters.is_empty() {
                return;
            }
            let due = if busy { now } else { self.next_due().min(deadline) };
            self.drive(due).await;
        }
    }

    /// Lets the swarm run until something has happened there, or until then.
    async fn drive(&mut self, until: Instant) {
        tokio::select! {
            biased;
            event = self.swarm.select_next_some() => self.on_event(event),
            done = self.syncs.done() => self.on_done(done),
            () = tokio::time::sleep_until(until.into()) => tokio::task::yield_now().await,
        }
    }
}
