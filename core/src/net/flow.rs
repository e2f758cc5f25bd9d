//! How much is on its way to each peer, so that what waits, waits in the outbox.
//!
//! gossipsub takes what it is given and drops what its queues cannot hold. So a sender asks, every [`STEP`] bytes, whether
//! a peer has seen a certain message (a *probe*, answered once it has), and stops publishing while more than [`WINDOW`] bytes
//! are unaccounted for. A peer that takes longer than [`PATIENCE`] is waited for no longer: it misses messages, and a sync
//! repairs that when it answers.
//!
//! Where little is sent, a probe every [`WATCH`] sees whether anything arrives at all: gossipsub gives up on a stream
//! without a word.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use libp2p::PeerId as Id;
use libp2p::gossipsub::MessageId;
use libp2p::request_response::{Event, Message, OutboundRequestId, ResponseChannel};

use super::task::Task;

const STEP: Amount = Amount { bytes: 1024 * 1024, messages: 512 };
const WINDOW: Amount = Amount { bytes: 4 * 1024 * 1024, messages: 2048 };
/// A peer that does not answer a probe for so long is left behind.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two probes, where there is anything to probe with.
const WATCH: Duration = Duration::from_secs(10);
/// So many probes in a row without an answer, and the connection is made anew.
const MAX_FAILURES: u32 = 2;
/// Messages that a probe may name after they were seen.
const SEEN: usize = 16 * 1024;
/// Probes that wait for their message, from all peers. Those beyond are answered at once.
const MAX_WAITING: usize = 1024;
/// A probe is a message id; its answer is empty.
pub(super) const MAX_PROBE_BYTES: usize = 64;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Amount {
    bytes: usize,
    messages: usize,
}

impl Amount {
    fn reaches(self, limit: Amount) -> bool {
        self.bytes >= limit.bytes || self.messages >= limit.messages
    }

    fn since(self, earlier: Amount) -> Amount {
        Amount { bytes: self.bytes - earlier.bytes, messages: self.messages - earlier.messages }
    }
}

/// What is on its way to each peer. Pure.
#[derive(Default)]
pub(super) struct Flow {
    windows: HashMap<Id, Window>,
    probes: HashMap<OutboundRequestId, Probe>,
}

#[derive(Default)]
struct Window {
    sent: Amount,
    /// What had been sent at the last probe, and at the last one answered.
    probed: Amount,
    arrived: Amount,
    /// Since when the window is full.
    full: Option<Instant>,
    probed_at: Option<Instant>,
    /// Left behind: nobody waits for it.
    late: bool,
    /// Probes in a row that were not answered.
    failures: u32,
}

struct Probe {
    peer: Id,
    sent: Amount,
}

/// What an answer, or its failure to come, calls for.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// The peer has missed something.
    Sync(Id),
    /// Nothing gets through.
    Reconnect(Id),
}

impl Flow {
    /// A message of that size goes to that peer. Whether to probe with it.
    fn sent(&mut self, peer: Id, bytes: usize, now: Instant) -> bool {
        let window = self.windows.entry(peer).or_default();
        window.sent.bytes += bytes;
        window.sent.messages += 1;
        if window.full.is_none() && window.sent.since(window.arrived).reaches(WINDOW) {
            window.full = Some(now);
        }
        let long_ago = window.probed_at.is_none_or(|at| now.saturating_duration_since(at) >= WATCH);
        let probe = long_ago || window.sent.since(window.probed).reaches(STEP);
        if probe {
            window.probed = window.sent;
            window.probed_at = Some(now);
        }
        probe
    }

    fn asked(&mut self, request: OutboundRequestId, peer: Id) {
        let sent = self.windows.get(&peer).map_or(Amount::default(), |window| window.sent);
        self.probes.insert(request, Probe { peer, sent });
    }

    /// A probe was answered, or failed. Either way nothing more is to be expected of what was sent before it.
    fn ended(&mut self, request: OutboundRequestId, answered: bool) -> Verdict {
        let Some(probe) = self.probes.remove(&request) else { return Verdict::Fine };
        let Some(window) = self.windows.get_mut(&probe.peer) else { return Verdict::Fine };
        if probe.sent.messages > window.arrived.messages {
            window.arrived = probe.sent;
        }
        let caught_up = !window.sent.since(window.arrived).reaches(WINDOW);
        if caught_up {
            window.full = None;
        }
        window.failures = if answered { 0 } else { window.failures + 1 };
        if window.failures >= MAX_FAILURES {
            return Verdict::Reconnect(probe.peer);
        }
        let missed = !answered || (caught_up && std::mem::take(&mut window.late));
        if missed { Verdict::Sync(probe.peer) } else { Verdict::Fine }
    }

    /// Whether to publish nothing for now.
    pub fn is_full(&self) -> bool {
        self.windows.values().any(|window| window.full.is_some() && !window.late)
    }

    /// Leaves behind the peers that have been full for too long. Those newly so.
    fn leave_behind(&mut self, now: Instant) -> Vec<Id> {
        let slow = |window: &Window| !window.late && window.full.is_some_and(|since| now.duration_since(since) >= PATIENCE);
        let mut late = Vec::new();
        for (peer, window) in self.windows.iter_mut().filter(|(_, window)| slow(window)) {
            window.late = true;
            late.push(*peer);
        }
        late
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.windows.values().filter(|window| !window.late).filter_map(|window| window.full).min().map(|since| since + PATIENCE)
    }

    pub fn gone(&mut self, peer: Id) {
        self.windows.remove(&peer);
        self.probes.retain(|_, probe| probe.peer != peer);
    }
}

/// The messages seen of late, and who asks for those to come.
#[derive(Default)]
pub(super) struct Seen {
    ids: HashSet<MessageId>,
    order: VecDeque<MessageId>,
    waiting: HashMap<MessageId, Vec<ResponseChannel<Vec<u8>>>>,
    waiters: usize,
}

impl Seen {
    /// Remembers a message. Those who have asked for it.
    fn add(&mut self, id: MessageId) -> Vec<ResponseChannel<Vec<u8>>> {
        let asked = if self.waiting.is_empty() { None } else { self.waiting.remove(&id) };
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
        }
        if self.order.len() > SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        let asked = asked.unwrap_or_default();
        self.waiters -= asked.len();
        asked
    }

    /// Somebody asks for a message. Whom to answer at once.
    fn ask(&mut self, id: MessageId, channel: ResponseChannel<Vec<u8>>) -> Option<ResponseChannel<Vec<u8>>> {
        if self.waiters >= MAX_WAITING {
            self.forget_closed();
        }
        if self.ids.contains(&id) || self.waiters >= MAX_WAITING {
            return Some(channel);
        }
        self.waiting.entry(id).or_default().push(channel);
        self.waiters += 1;
        None
    }

    /// Drops the probes whose time has run out.
    fn forget_closed(&mut self) {
        self.waiting.retain(|_, channels| {
            channels.retain(ResponseChannel::is_open);
            !channels.is_empty()
        });
        self.waiters = self.waiting.values().map(Vec::len).sum();
    }
}

impl Task {
    /// A message has been published to those peers.
    pub(super) fn note_sent(&mut self, id: &MessageId, bytes: usize, peers: &[Id]) {
        let now = Instant::now();
        for &peer in peers {
            if self.flow.sent(peer, bytes, now) {
                let request = self.swarm.behaviour_mut().flow.send_request(&peer, id.0.clone());
                self.flow.asked(request, peer);
            }
        }
    }

    /// A message has come.
    pub(super) fn note_seen(&mut self, id: MessageId) {
        for channel in self.seen.add(id) {
            let _ = self.swarm.behaviour_mut().flow.send_response(channel, Vec::new());
        }
    }

    pub(super) fn on_flow(&mut self, event: Event<Vec<u8>, Vec<u8>>) {
        match event {
            Event::Message { message: Message::Request { request, channel, .. }, .. } => {
                if let Some(channel) = self.seen.ask(MessageId(request), channel) {
                    let _ = self.swarm.behaviour_mut().flow.send_response(channel, Vec::new());
                }
            }
            Event::Message { message: Message::Response { request_id, .. }, .. } => self.probe_ended(request_id, true),
            Event::OutboundFailure { request_id, .. } => self.probe_ended(request_id, false),
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    fn probe_ended(&mut self, request: OutboundRequestId, answered: bool) {
        match self.flow.ended(request, answered) {
            Verdict::Fine => {}
            Verdict::Sync(peer) => {
                tracing::debug!(%peer, "what it missed is synced");
                self.schedule.compare(peer);
            }
            Verdict::Reconnect(peer) => {
                tracing::warn!(%peer, "messages do not arrive, connecting anew");
                let _ = self.swarm.disconnect_peer_id(peer);
            }
        }
    }

    /// Waits no longer for peers that take too long.
    pub(super) fn leave_behind(&mut self, now: Instant) {
        for peer in self.flow.leave_behind(now) {
            tracing::debug!(%peer, "left behind, it takes messages too slowly");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(flow: &mut Flow, peer: Id, now: Instant) -> usize {
        let mut probes = 0;
        while flow.windows.get(&peer).is_none_or(|window| window.full.is_none()) {
            probes += usize::from(flow.sent(peer, 16 * 1024, now));
        }
        probes
    }

    #[test]
    fn a_full_window_stops_the_flow_until_the_peer_is_left_behind() {
        let (mut flow, peer, now) = (Flow::default(), Id::random(), Instant::now());
        assert!(!flow.is_full());
        // The first message probes, and then each that completes a step.
        assert_eq!(fill(&mut flow, peer, now), WINDOW.bytes / STEP.bytes);
        assert!(flow.is_full());
        assert_eq!(flow.next_due(), Some(now + PATIENCE));
        assert!(flow.leave_behind(now).is_empty());
        assert_eq!(flow.leave_behind(now + PATIENCE), [peer]);
        assert!(!flow.is_full());
        assert_eq!(flow.next_due(), None);
    }

    #[test]
    fn a_peer_that_goes_is_not_waited_for() {
        let (mut flow, peer, now) = (Flow::default(), Id::random(), Instant::now());
        fill(&mut flow, peer, now);
        flow.gone(peer);
        assert!(!flow.is_full());
    }

    #[test]
    fn small_messages_count_too() {
        let (mut flow, peer, now) = (Flow::default(), Id::random(), Instant::now());
        let probes = (0..WINDOW.messages).filter(|_| flow.sent(peer, 1, now)).count();
        assert_eq!(probes, 1 + (WINDOW.messages - 1) / STEP.messages);
        assert!(flow.is_full());
    }

    #[test]
    fn where_little_is_sent_a_probe_watches_now_and_then() {
        let (mut flow, peer, now) = (Flow::default(), Id::random(), Instant::now());
        assert!(flow.sent(peer, 1, now));
        assert!(!flow.sent(peer, 1, now + WATCH / 2));
        assert!(flow.sent(peer, 1, now + WATCH));
    }

    #[test]
    fn a_bounded_number_of_messages_is_remembered() {
        let mut seen = Seen::default();
        for n in 0..SEEN + 100 {
            seen.add(MessageId(n.to_be_bytes().to_vec()));
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (SEEN, SEEN));
        assert!(!seen.ids.contains(&MessageId(0usize.to_be_bytes().to_vec())));
    }
}
