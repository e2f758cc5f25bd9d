//! Gossip: how gossipsub is set up, and how deltas leave and arrive.
//!
//! A publish is best effort. Whatever goes wrong with one is answered by a sync with the peers concerned; the message is
//! not repeated (its id is remembered, so gossipsub would refuse it).

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use libp2p::PeerId as Id;
use libp2p::gossipsub::{
    self, Behaviour as Gossipsub, CallbackSubscriptionFilter, ConfigBuilder, IdentTopic, MaxCountSubscriptionFilter, Message,
    MessageAuthenticity, MessageId, PublishError, TopicHash, ValidationMode, Version,
};

use super::Delivered;
use super::behaviour::internal;
use super::sealed::Sealed;
use super::task::Task;
use crate::error::Result;
use crate::limits::{MAX_DELTA_BYTES, MAX_MAPS};
use crate::wire::Topic;
use crate::wire::gossip::is_pulse;

/// What is published before the connections get a turn.
const TURN_MESSAGES: usize = 32;
const TURN_BYTES: usize = 512 * 1024;
/// The repair of a publish that failed waits so long, for the load to pass.
const REPAIR_DELAY: Duration = Duration::from_millis(100);

type TopicFilter = MaxCountSubscriptionFilter<CallbackSubscriptionFilter<fn(&TopicHash) -> bool>>;
pub(super) type Behaviour = Gossipsub<Sealed, TopicFilter>;

/// Gossipsub under that protocol name.
pub(super) fn behaviour(protocol: String, sealed: Sealed) -> Result<Behaviour> {
    let config = ConfigBuilder::default()
        .protocol_id(protocol, Version::V1_1)
        // Connections are authenticated; signing each hop's message again costs more than everything else together.
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(message_id)
        // The receiver compares its whole read buffer with the limit, which may hold the start of the next message.
        .max_transmit_size(MAX_DELTA_BYTES + 64 * 1024)
        // An announcement over the limit ends the stream: with short ids this one is out of reach.
        .max_control_message_size(1024 * 1024)
        // Own messages go to all subscribed peers at once; the mesh only forwards. It is formed on SUBSCRIBE: a node grafts while
        // it has fewer than `mesh_n_low`. One that many dial keeps `mesh_n_high` of them: with less, those it prunes may be
        // left with nobody who forwards to them.
        .flood_publish(true)
        .mesh_n_low(8)
        .mesh_n(10)
        .mesh_n_high(16)
        .mesh_outbound_min(2)
        .gossip_lazy(3)
        .gossip_factor(0.1)
        // A map that is closed and opened again is back in the mesh soon.
        .unsubscribe_backoff(Duration::from_secs(1))
        .prune_backoff(Duration::from_secs(10))
        // Full copies of every message are kept for `history_length` heartbeats.
        .heartbeat_interval(Duration::from_secs(1))
        .history_length(2)
        .history_gossip(1)
        .duplicate_cache_time(Duration::from_secs(10))
        .build()
        .map_err(|error| internal(&error))?;
    let filter = MaxCountSubscriptionFilter {
        filter: CallbackSubscriptionFilter((|topic| parse(topic).is_some()) as fn(&TopicHash) -> bool),
        max_subscribed_topics: MAX_MAPS,
        max_subscriptions_per_request: MAX_MAPS,
    };
    Gossipsub::new_with_subscription_filter_and_transform(MessageAuthenticity::Anonymous, config, filter, sealed)
        .map_err(|error| internal(&std::io::Error::other(error)))
}

/// Deltas carry their origin and place in its chain, so their bytes are unique, and a hash of them names them.
fn message_id(message: &Message) -> MessageId {
    let seed = xxhash_rust::xxh3::xxh3_64(message.topic.as_str().as_bytes());
    MessageId(xxhash_rust::xxh3::xxh3_128_with_seed(&message.data, seed).to_be_bytes().to_vec())
}

/// The topic's name on the wire: 32 hexadecimal digits.
fn name(topic: Topic) -> String {
    format!("{:032x}", u128::from_be_bytes(topic.0))
}

pub(super) fn hash(topic: Topic) -> TopicHash {
    TopicHash::from_raw(name(topic))
}

pub(super) fn parse(hash: &TopicHash) -> Option<Topic> {
    let text = hash.as_str();
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != 32 || !digits {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(|bits| Topic(bits.to_be_bytes()))
}

/// Maps whose outbox may hold something. The queue is the outbox itself, where waiting writes still merge: only as much
/// is handed to gossipsub as the connections take.
#[derive(Default)]
pub(super) struct Outflow {
    ready: VecDeque<Topic>,
}

impl Outflow {
    pub fn add(&mut self, topic: Topic) {
        if !self.ready.contains(&topic) {
            self.ready.push_back(topic);
        }
    }

    pub fn remove(&mut self, topic: Topic) {
        self.ready.retain(|ready| *ready != topic);
    }
}

impl Task {
    /// Opens a map's topic: the mesh forms on SUBSCRIBE, and what was written before is synced.
    pub(super) fn open_topic(&mut self, topic: Topic) {
        if let Err(error) = self.swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(name(topic))) {
            tracing::error!(%error, "cannot subscribe");
        }
        self.shared.count_subscribers(topic);
        self.outflow.add(topic);
        for peer in self.shared.subscribers(topic) {
            self.schedule.met(topic, peer);
        }
    }

    /// Leaves a map's topic, after what waits and these last words.
    pub(super) fn close_topic(&mut self, topic: Topic, last_words: Option<Vec<u8>>) {
        while let Some(delta) = self.host.next_delta(topic) {
            self.publish_one(topic, delta);
        }
        if let Some(last_words) = last_words {
            self.publish_one(topic, last_words);
        }
        self.swarm.behaviour_mut().gossip.unsubscribe(&IdentTopic::new(name(topic)));
        self.outflow.remove(topic);
        self.syncs.closed(topic);
        self.schedule.closed(topic);
        self.held.closed(topic);
    }

    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source, message, message_id } => {
                self.on_message(propagation_source, &message);
                self.note_seen(message_id);
            }
            gossipsub::Event::Subscribed { peer_id, topic } => self.on_subscribed(peer_id, &topic),
            gossipsub::Event::Unsubscribed { peer_id, topic } => {
                let Some(topic) = parse(&topic) else { return };
                if let Some(peer) = self.shared.directory.lock().peers.get_mut(&peer_id) {
                    peer.topics.remove(&topic);
                }
                self.shared.count_subscribers(topic);
                self.waiters.lost(topic, peer_id);
                self.held.lost(topic, peer_id);
            }
            gossipsub::Event::SlowPeer { peer_id, failed_messages } => {
                tracing::debug!(%peer_id, ?failed_messages, "slow peer");
                self.on_slow_peer(peer_id);
            }
            gossipsub::Event::GossipsubNotSupported { peer_id } => self.expel(peer_id),
        }
    }

    fn on_message(&mut self, from: Id, message: &Message) {
        let Some(topic) = parse(&message.topic) else { return self.shared.reject() };
        let public = super::shared::public(&from);
        let host = self.host.clone();
        match self.guard(|| host.deliver(topic, &public, &message.data)).unwrap_or(Delivered::Rejected) {
            Delivered::Taken => self.pace.news(Instant::now()),
            Delivered::Gap => {
                let now = Instant::now();
                self.pace.news(now);
                self.schedule.gap(topic, from, now);
            }
            Delivered::Heard => {}
            Delivered::Rejected => tracing::debug!(%from, "refused a delta"),
        }
    }

    fn on_subscribed(&mut self, peer: Id, topic: &TopicHash) {
        let Some(topic) = parse(topic) else { return };
        let open = self.shared.gate(topic);
        if open.as_ref().is_some_and(|gate| gate.subscribers.load(Ordering::Relaxed) == 0) {
            // Nobody listened, so a sync tells the first who does. After this, writes leave as deltas.
            self.host.forget_waiting(topic);
        }
        let (new, admitted) = match self.shared.directory.lock().peers.get_mut(&peer) {
            Some(peer) => (peer.topics.insert(topic), peer.admitted),
            None => return,
        };
        if new && admitted {
            self.held.met(topic, peer, Instant::now());
        }
        if new && open.is_some() {
            self.shared.count_subscribers(topic);
            // What was written in between rang no bell.
            self.outflow.add(topic);
            self.schedule.met(topic, peer);
        }
    }

    /// Publishes for one turn. Whether something is left for the next.
    pub(super) fn publish(&mut self) -> bool {
        let (mut messages, mut bytes) = (0, 0);
        while let Some(&topic) = self.outflow.ready.front() {
            if self.flow.is_full() {
                // An answered probe goes on with it.
                return false;
            }
            if messages >= TURN_MESSAGES || bytes >= TURN_BYTES {
                // The others' turn.
                self.outflow.ready.rotate_left(1);
                return true;
            }
            match self.next_delta(topic) {
                Some(delta) => {
                    messages += 1;
                    bytes += delta.len();
                    self.publish_one(topic, delta);
                }
                None => {
                    self.outflow.ready.pop_front();
                }
            }
        }
        false
    }

    /// The next delta. Before it finds nothing it takes the bell back, so that a write that came meanwhile rings again.
    fn next_delta(&mut self, topic: Topic) -> Option<Vec<u8>> {
        if let Some(delta) = self.host.next_delta(topic) {
            return Some(delta);
        }
        let gate = self.shared.gate(topic)?;
        gate.woken.swap(false, Ordering::AcqRel);
        let delta = self.host.next_delta(topic)?;
        gate.woken.store(true, Ordering::Release);
        Some(delta)
    }

    fn publish_one(&mut self, topic: Topic, delta: Vec<u8>) {
        let (bytes, is_news) = (delta.len(), !is_pulse(&delta));
        let peers = self.shared.subscribers(topic);
        match self.swarm.behaviour_mut().gossip.publish(hash(topic), delta) {
            Ok(id) => {
                if is_news {
                    self.pace.news(Instant::now());
                }
                self.note_sent(&id, bytes, &peers);
            }
            Err(PublishError::Duplicate) => {}
            Err(error) => {
                tracing::debug!(%error, bytes, "a delta was not published, a sync will carry it");
                let at = Instant::now() + REPAIR_DELAY;
                for peer in peers {
                    self.schedule.compare_at(peer, at);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_back_from_its_name() {
        let topic = Topic([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(parse(&hash(topic)), Some(topic));
        for bad in ["", "00", "+0000000000000000000000000000000", "0000000000000000000000000000000G"] {
            assert_eq!(parse(&TopicHash::from_raw(bad)), None, "{bad}");
        }
    }

    #[test]
    fn gossipsub_accepts_its_settings() {
        behaviour("/p2pmap/1/00/gossip".into(), Sealed::new(None, Default::default())).unwrap();
    }
}
