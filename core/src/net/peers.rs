//! Connections: dialling, meeting, losing peers, and keeping one connection to each.

use std::collections::HashSet;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use libp2p::core::ConnectedPoint;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId as Id};

use super::addr;
use super::beat::{self, Alive, Beat};
use super::behaviour::BehaviourEvent;
use super::membership::Dial;
use super::shared::{Peer, public};
use super::task::Task;
use crate::PeerId;
use crate::error::{Error, ErrorKind, Result};

/// When both ends have dialled, both connections stay for so long: gossipsub tells its subscriptions on the first one only.
const SURPLUS: Duration = Duration::from_millis(1_500);
/// A first connection that ends sooner may have taken the subscriptions with it. Well below [`SURPLUS`]: the other end
/// counts from another moment.
const EARLY: Duration = Duration::from_millis(750);
/// After a connection of several was closed, what it may have held is synced.
const SETTLE: Duration = Duration::from_millis(100);

/// gossipsub says once a heartbeat (1 s) that it drops messages to a peer. So many times in a row, and the stream may be
/// stuck for good, which nothing but a new connection mends.
const SLOW_TIMES: u32 = 5;
const SLOW_APART: Duration = Duration::from_millis(2_500);

pub(super) type Reply = SyncSender<Result<PeerId>>;

pub(super) struct Connection {
    peer: Id,
    addr: Multiaddr,
    outbound: bool,
    since: Instant,
}

/// Why an address is being dialled.
pub(super) enum Dialled {
    Seed(usize),
    Member(Id),
    Call(Multiaddr, Reply),
}

// Every dial leaves from a port of its own: from the listening port, two nodes that dial each other at once would meet
// in the middle, each taking itself for the dialler.
impl Task {
    pub(super) fn dial_due(&mut self, now: Instant) {
        for dial in self.membership.dials(now) {
            match dial {
                Dial::Seed(seed, addr) => {
                    self.dial(DialOpts::unknown_peer_id().address(addr).allocate_new_port().build(), Dialled::Seed(seed));
                }
                Dial::Member(peer, addrs) => {
                    let opts = DialOpts::peer_id(peer).condition(PeerCondition::Disconnected).addresses(addrs);
                    self.dial(opts.allocate_new_port().build(), Dialled::Member(peer));
                }
            }
        }
    }

    /// Dials for a caller who waits.
    pub(super) fn connect(&mut self, addr: Multiaddr, reply: Reply) {
        if let Some(peer) = addr::peer_of(&addr).filter(|peer| self.membership.is_admitted(peer)) {
            let _ = reply.try_send(Ok(public(&peer)));
            return;
        }
        let opts = match addr::peer_of(&addr) {
            Some(peer) => {
                let opts = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(vec![addr.clone()]);
                opts.allocate_new_port().build()
            }
            None => DialOpts::unknown_peer_id().address(addr.clone()).allocate_new_port().build(),
        };
        self.dial(opts, Dialled::Call(addr, reply));
    }

    fn dial(&mut self, opts: DialOpts, why: Dialled) {
        let connection = opts.connection_id();
        match self.swarm.dial(opts) {
            Ok(()) => {
                self.dials.insert(connection, why);
            }
            Err(error) => self.dial_failed(why, &error),
        }
    }

    /// A peer that takes too little: what it missed is synced, and if it goes on, the connection is made anew.
    pub(super) fn on_slow_peer(&mut self, peer: Id) {
        let now = Instant::now();
        self.schedule.compare_at(peer, now + SETTLE);
        let slow = self.slow.entry(peer).or_insert((now, 0));
        *slow = (now, if now.duration_since(slow.0) < SLOW_APART { slow.1 + 1 } else { 1 });
        if slow.1 >= SLOW_TIMES {
            tracing::warn!(%peer, "messages to this peer keep getting lost, connecting anew");
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn dial_failed(&mut self, why: Dialled, error: &DialError) {
        tracing::debug!(%error, "dial failed");
        let now = Instant::now();
        self.replan = true;
        match why {
            Dialled::Seed(seed) => self.membership.seed_failed(seed, matches!(error, DialError::LocalPeerId { .. }), now),
            Dialled::Member(peer) => {
                let somebody_else = match error {
                    DialError::WrongPeerId { address, .. } | DialError::LocalPeerId { address } => addr::dialable(address),
                    _ => None,
                };
                self.membership.member_failed(peer, somebody_else.as_slice(), now);
            }
            Dialled::Call(addr, reply) => {
                let message = format!("cannot reach `{addr}`: {}", reason(error));
                let unreachable = || Error::new(ErrorKind::Network, message);
                let _ = reply.try_send(Err(self.shared.refusal.get().cloned().unwrap_or_else(unreachable)));
            }
        }
        self.note_members();
    }

    pub(super) fn on_connection(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, cause, .. } => {
                tracing::debug!(%peer_id, ?cause, "connection closed");
                let closed = self.connections.remove(&connection_id);
                match num_established {
                    0 => self.on_gone(peer_id),
                    _ => self.on_one_closed(peer_id, closed.map(|connection| connection.since)),
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some(why) = self.dials.remove(&connection_id) {
                    self.dial_failed(why, &error);
                }
            }
            SwarmEvent::IncomingConnectionError { error, .. } => tracing::debug!(%error, "inbound connection failed"),
            _ => {}
        }
    }

    fn on_established(&mut self, peer: Id, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        self.replan = true;
        let (outbound, remote) = (endpoint.is_dialer(), endpoint.get_remote_address().clone());
        let why = self.dials.remove(&connection);
        if let Some(Dialled::Seed(seed)) = why {
            self.membership.seed_reached(seed, peer);
        }
        self.connections.insert(connection, Connection { peer, addr: remote.clone(), outbound, since: now });

        let known = self.shared.directory.lock().peers.contains_key(&peer);
        if !known && self.shared.directory.lock().peers.len() >= self.max_peers {
            return self.refuse(peer, connection, why);
        }
        self.membership.joined(peer, now);
        if let Some(dialled) = addr::dialable(&remote).filter(|_| outbound) {
            self.membership.introduce(peer, vec![dialled]);
        }
        if known {
            self.surplus.push((now + SURPLUS, peer));
        } else {
            let topics = HashSet::new();
            let entry = Peer { id: public(&peer), admitted: false, addr: remote, outbound, round_trip: None, topics };
            self.shared.directory.lock().peers.insert(peer, entry);
        }
        // Also on a second connection: where both ends dialled, each may have met the other's first.
        if outbound && !self.membership.is_admitted(&peer) {
            self.exchange(peer);
        }
        if let Some(Dialled::Call(_, reply)) = why {
            self.callers.entry(peer).or_default().push(reply);
            if self.membership.is_admitted(&peer) {
                self.answer_callers(peer);
            }
        }
        if self.shared.is_banned(&peer) {
            // While the two were greeting each other.
            self.expel(peer);
        }
        self.note_members();
    }

    /// More peers than allowed.
    fn refuse(&mut self, peer: Id, connection: ConnectionId, why: Option<Dialled>) {
        tracing::debug!(%peer, "refused, there are `max_peers` already");
        self.swarm.close_connection(connection);
        match why {
            Some(Dialled::Call(addr, reply)) => {
                let message = format!("cannot keep `{addr}`: connected to `max_peers` = {} peers already", self.max_peers);
                let _ = reply.try_send(Err(Error::new(ErrorKind::Network, message)));
            }
            Some(Dialled::Seed(seed)) => self.membership.seed_failed(seed, false, Instant::now()),
            Some(Dialled::Member(peer)) => self.membership.member_failed(peer, &[], Instant::now()),
            None => {}
        }
    }

    /// The peer speaks for this cluster: those who wait for it are told.
    pub(super) fn answer_callers(&mut self, peer: Id) {
        for reply in self.callers.remove(&peer).unwrap_or_default() {
            let _ = reply.try_send(Ok(public(&peer)));
        }
    }

    fn on_gone(&mut self, peer: Id) {
        let now = Instant::now();
        self.replan = true;
        let Some(entry) = self.shared.directory.lock().peers.remove(&peer) else { return };
        for topic in entry.topics {
            self.shared.count_subscribers(topic);
        }
        self.surplus.retain(|(_, other)| *other != peer);
        self.slow.remove(&peer);
        self.equal.remove(&peer);
        self.flow.gone(peer);
        self.syncs.gone(peer);
        self.schedule.gone(peer);
        self.waiters.gone(peer);
        self.held.gone(peer);
        self.membership.left(peer, now);
        for reply in self.callers.remove(&peer).unwrap_or_default() {
            let message = format!("{peer} closed the connection: it may belong to another cluster, or have no room");
            let _ = reply.try_send(Err(Error::new(ErrorKind::Network, message)));
        }
        self.note_members();
    }

    /// One of several connections has ended, which was made at `since`.
    fn on_one_closed(&mut self, peer: Id, since: Option<Instant>) {
        let now = Instant::now();
        self.schedule.compare_at(peer, now + SETTLE);
        let left = self.connections.values().filter(|connection| connection.peer == peer);
        let Some(left) = left.min_by_key(|connection| connection.since) else { return };
        // It was the first: meet anew.
        if since.is_some_and(|since| since < left.since && now.duration_since(since) < EARLY) {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        if let Some(entry) = self.shared.directory.lock().peers.get_mut(&peer) {
            entry.addr = left.addr.clone();
            entry.outbound = left.outbound;
        }
    }

    pub(super) fn on_beat(&mut self, event: &beat::Event) {
        match event.beat {
            Beat::Alive(Alive { round_trip, equal }) => {
                let admitted = self.shared.directory.lock().peers.get_mut(&event.peer).is_some_and(|peer| {
                    peer.round_trip = round_trip.or(peer.round_trip);
                    peer.admitted
                });
                if equal && admitted {
                    self.host.found_equal(&public(&event.peer));
                    self.equal.insert(event.peer, Instant::now());
                } else {
                    self.equal.remove(&event.peer);
                }
            }
            Beat::Silent => {
                tracing::debug!(peer = %event.peer, "the connection went silent");
                self.swarm.close_connection(event.connection);
            }
            Beat::Stranger => self.expel(event.peer),
        }
    }

    /// The peer does not belong here.
    pub(super) fn expel(&mut self, peer: Id) {
        tracing::debug!(%peer, "not of this cluster");
        self.membership.forget(peer, Instant::now());
        let _ = self.swarm.disconnect_peer_id(peer);
        for reply in self.callers.remove(&peer).unwrap_or_default() {
            let message = format!("{peer} does not belong to this cluster, or speaks another version of the protocol");
            let _ = reply.try_send(Err(Error::new(ErrorKind::Network, message)));
        }
    }

    /// Where there are several connections to a peer, one stays: the oldest of those dialled by the smaller id, so that
    /// both ends choose the same.
    pub(super) fn close_surplus(&mut self, now: Instant) {
        let due: Vec<_> = self.surplus.iter().filter(|(at, _)| *at <= now).map(|(_, peer)| *peer).collect();
        self.surplus.retain(|(at, _)| *at > now);
        for peer in due {
            let i_am_smaller = *self.swarm.local_peer_id() < peer;
            let mut several: Vec<_> = self.connections.iter().filter(|(_, one)| one.peer == peer).collect();
            several.sort_by_key(|(_, one)| (one.outbound != i_am_smaller, one.since));
            let kept = several.first().map(|(_, one)| one.outbound);
            // Of those that the peer dialled, it chooses itself, unless this node's stays.
            let closing: Vec<_> =
                several.iter().skip(1).filter(|(_, one)| one.outbound || kept == Some(true)).map(|(id, _)| **id).collect();
            for connection in closing {
                self.swarm.close_connection(connection);
            }
        }
    }

    pub(super) fn note_members(&self) {
        self.shared.directory.lock().members = self.membership.len();
    }
}

/// What went wrong, without the layers of the transports.
fn reason(error: &DialError) -> String {
    match error {
        DialError::Transport(errors) => match errors.last() {
            Some((_, error)) => innermost(error),
            None => "no address".into(),
        },
        // The swarm does not even try where it listens itself.
        DialError::LocalPeerId { .. } | DialError::NoAddresses => "this is this node's own address".into(),
        DialError::WrongPeerId { obtained, .. } => format!("another peer answered there, {obtained}"),
        DialError::Denied { .. } => "too many connections".into(),
        error => error.to_string(),
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
