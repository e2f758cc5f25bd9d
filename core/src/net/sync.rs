//! Sync over the wire: runs what the [`Schedule`](super::schedule::Schedule) decides.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use libp2p::PeerId as Id;
use libp2p::request_response::{Event, Message, OutboundRequestId, ResponseChannel};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::held::Question;
use super::schedule::Act;
use super::shared::public;
use super::task::Task;
use super::{Pull, PullStep};
use crate::wire::Topic;

/// A caller of `sync` who waits has the peers compared again after so long.
const RECHECK: Duration = Duration::from_millis(10);
/// From this size on a page is merged away from the network thread, which takes in the next one meanwhile.
const LARGE_PAGE_BYTES: usize = 64 * 1024;
/// Requests from there that the network thread has yet to send. Each pull has one at most.
const MAX_ASKS: usize = 64;

/// What runs.
pub(super) struct Syncs {
    requests: HashMap<OutboundRequestId, Asked>,
    /// The pulls that count. What comes of one whose peer or map has gone meanwhile finds it missing here, and ends.
    running: HashMap<(Topic, Id), Running>,
    started: u64,
    /// Pages being merged away from the network thread.
    merging: JoinSet<Merged>,
    /// What is asked for next, from there.
    ask: mpsc::Sender<(Number, Vec<u8>)>,
    asks: mpsc::Receiver<(Number, Vec<u8>)>,
    /// Answers that wait until they may leave.
    held: JoinSet<Released>,
}

/// An answer, if it may leave.
type Released = (ResponseChannel<Vec<u8>>, Option<Vec<u8>>);

/// What was done away from the network thread.
pub(super) enum Done {
    Merged(Merged),
    Ask(Number, Vec<u8>),
    Released(Released),
}

async fn next<T: 'static>(tasks: &mut JoinSet<T>) -> T {
    loop {
        match tasks.join_next().await {
            Some(Ok(done)) => return done,
            Some(Err(error)) => tracing::error!(%error, "what was done away from the network thread is lost"),
            None => std::future::pending().await,
        }
    }
}

enum Asked {
    Compare(Id),
    Page(Number),
    Held(Question),
}

/// Which pull.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    topic: Topic,
    peer: Id,
    number: u64,
}

/// A pull on its way.
struct Running {
    number: Number,
    /// `None` while it merges a page.
    pull: Option<Box<dyn Pull>>,
    /// The next page, which came meanwhile.
    next: Option<Vec<u8>>,
}

/// A pull that has merged a page, and what that came to.
pub(super) type Merged = (Number, Box<dyn Pull>, PullStep);

impl Default for Syncs {
    fn default() -> Self {
        let (ask, asks) = mpsc::channel(MAX_ASKS);
        Self {
            requests: HashMap::new(),
            running: HashMap::new(),
            started: 0,
            merging: JoinSet::new(),
            ask,
            asks,
            held: JoinSet::new(),
        }
    }
}

impl Syncs {
    /// The next thing that was done away from the network thread. Never ends while there is none.
    pub async fn done(&mut self) -> Done {
        tokio::select! {
            merged = next(&mut self.merging) => Done::Merged(merged),
            Some((number, request)) = self.asks.recv() => Done::Ask(number, request),
            released = next(&mut self.held) => Done::Released(released),
        }
    }

    /// The peer has gone.
    pub fn gone(&mut self, peer: Id) {
        self.running.retain(|(_, id), _| *id != peer);
    }

    /// The map was closed here.
    pub fn closed(&mut self, topic: Topic) {
        self.running.retain(|(other, _), _| *other != topic);
    }

    fn running(&mut self, number: Number) -> Option<&mut Running> {
        self.running.get_mut(&(number.topic, number.peer)).filter(|running| running.number == number)
    }
}

impl Task {
    /// Starts everything that is due.
    pub(super) fn run_schedule(&mut self, now: Instant) {
        while let Some(act) = self.schedule.next_act(now) {
            match act {
                Act::Compare(peer) => self.start_compare(peer),
                Act::Pull(topic, peer) => self.start_pull(topic, peer),
            }
        }
    }

    fn start_compare(&mut self, peer: Id) {
        self.waiters.comparing(peer);
        let connected = self.swarm.is_connected(&peer);
        match self.host.compare().filter(|_| connected) {
            Some(request) => self.ask(peer, request, Asked::Compare(peer)),
            None => self.end_compare(peer, &[], &[]),
        }
    }

    fn start_pull(&mut self, topic: Topic, peer: Id) {
        let connected = self.swarm.is_connected(&peer);
        match self.host.pull(&public(&peer), topic).filter(|_| connected) {
            Some(mut pull) => {
                self.syncs.started += 1;
                let number = Number { topic, peer, number: self.syncs.started };
                let request = pull.request();
                self.syncs.running.insert((topic, peer), Running { number, pull: Some(pull), next: None });
                self.ask(peer, request, Asked::Page(number));
            }
            None => self.schedule.pulled(topic, peer, None, Instant::now()),
        }
    }

    /// Asks whoever has not said yet that it holds what somebody waits for.
    pub(super) fn ask_who_holds(&mut self, now: Instant) {
        while let Some((question, peer)) = self.held.next_ask(now) {
            self.ask(peer, question.request().to_vec(), Asked::Held(question));
        }
    }

    fn ask(&mut self, peer: Id, request: Vec<u8>, asked: Asked) {
        let id = self.swarm.behaviour_mut().sync.send_request(&peer, request);
        self.syncs.requests.insert(id, asked);
    }

    fn end_compare(&mut self, peer: Id, equal: &[Topic], differs: &[Topic]) {
        let now = Instant::now();
        self.schedule.compared(peer, differs, now);
        if self.waiters.compared(peer, equal, differs) {
            self.schedule.compare_at(peer, now + RECHECK);
        }
    }

    fn end_pull(&mut self, number: Number, equal: Option<bool>) {
        if self.syncs.running(number).is_none() {
            return;
        }
        let (Number { topic, peer, .. }, now) = (number, Instant::now());
        self.syncs.running.remove(&(topic, peer));
        self.schedule.pulled(topic, peer, equal, now);
        // What does not end in equality is no news: this node may refuse what the peer holds, each time anew.
        if equal == Some(true) {
            self.pace.news(now);
        }
        if self.waiters.want(peer) {
            self.schedule.compare_at(peer, now);
        }
    }

    pub(super) fn on_sync(&mut self, event: Event<Vec<u8>, Vec<u8>>) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                if !self.may_ask(peer) {
                    return;
                }
                let host = self.host.clone();
                let Some(answer) = self.guard(|| host.answer(&public(&peer), &request)).flatten() else {
                    tracing::debug!(%peer, "refused a sync request");
                    return self.is_malformed(peer);
                };
                match answer.hold {
                    None => self.respond(channel, answer.response),
                    Some(hold) => {
                        let _ = self.syncs.held.spawn_blocking(move || (channel, hold().then_some(answer.response)));
                    }
                }
                self.served = Some(peer);
                let now = Instant::now();
                for topic in answer.differs {
                    self.schedule.differs(topic, peer, now);
                }
            }
            Event::Message { peer, message: Message::Response { request_id, response }, .. } => {
                match self.syncs.requests.remove(&request_id) {
                    Some(Asked::Compare(peer)) => self.on_compared(peer, &response),
                    Some(Asked::Page(number)) => self.on_page(number, response),
                    Some(Asked::Held(question)) => self.on_held(&question, peer, &response),
                    None => {}
                }
            }
            Event::OutboundFailure { peer, request_id, error, .. } => {
                tracing::debug!(%peer, %error, "a sync request failed");
                match self.syncs.requests.remove(&request_id) {
                    Some(Asked::Compare(peer)) => {
                        self.schedule.compared(peer, &[], Instant::now());
                        self.retry_for_waiters(peer);
                    }
                    Some(Asked::Page(number)) => self.end_pull(number, None),
                    Some(Asked::Held(question)) => self.held.answered(&question, peer, false, Instant::now()),
                    None => {}
                }
            }
            Event::InboundFailure { peer, error, .. } => tracing::debug!(%peer, %error, "a sync answer failed"),
            Event::ResponseSent { .. } => {}
        }
    }

    fn respond(&mut self, channel: ResponseChannel<Vec<u8>>, response: Vec<u8>) {
        // The asker may have gone meanwhile.
        let _ = self.swarm.behaviour_mut().sync.send_response(channel, response);
    }

    pub(super) fn on_done(&mut self, done: Done) {
        match done {
            Done::Merged(merged) => self.on_merged(merged),
            Done::Ask(number, request) => self.ask_page(number, request),
            Done::Released((channel, Some(response))) => self.respond(channel, response),
            Done::Released((_, None)) => tracing::debug!("an answer may not leave: the disk has failed"),
        }
    }

    fn on_compared(&mut self, peer: Id, response: &[u8]) {
        let host = self.host.clone();
        match self.guard(|| host.compared(&public(&peer), response)).flatten() {
            Some(compared) => self.end_compare(peer, &compared.equal, &compared.differs),
            None => {
                tracing::debug!(%peer, "refused a comparison");
                self.schedule.compared(peer, &[], Instant::now());
                self.retry_for_waiters(peer);
            }
        }
    }

    fn on_held(&mut self, question: &Question, peer: Id, response: &[u8]) {
        let host = self.host.clone();
        let holds = self.guard(|| host.holds(&public(&peer), response)).flatten().unwrap_or_else(|| {
            tracing::debug!(%peer, "refused an answer about a write");
            false
        });
        self.held.answered(question, peer, holds, Instant::now());
    }

    /// What a peer's message has led to in the host. A panic there is a message refused, and not the end of the node.
    pub(super) fn guard<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(act))
            .inspect_err(|_| {
                tracing::error!("a peer's message made the host panic");
                self.shared.reject();
            })
            .ok()
    }

    fn retry_for_waiters(&mut self, peer: Id) {
        if self.waiters.want(peer) {
            self.schedule.compare_at(peer, Instant::now() + 10 * RECHECK);
        }
    }

    fn on_page(&mut self, number: Number, page: Vec<u8>) {
        let Some(running) = self.syncs.running(number) else { return };
        match running.pull.take() {
            Some(pull) => self.merge(number, pull, page),
            None => running.next = Some(page),
        }
    }

    fn merge(&mut self, number: Number, pull: Box<dyn Pull>, page: Vec<u8>) {
        if pull.blocks() || page.len() >= LARGE_PAGE_BYTES {
            let asks = self.syncs.ask.clone();
            // A node that is closing takes no more of them.
            let mut ask = move |request| drop(asks.blocking_send((number, request)));
            self.syncs.merging.spawn_blocking(move || merge(number, pull, &page, &mut ask));
            return;
        }
        let mut next = None;
        let merged = merge(number, pull, &page, &mut |request| next = Some(request));
        if let Some(request) = next {
            self.ask_page(number, request);
        }
        self.on_merged(merged);
    }

    fn ask_page(&mut self, number: Number, request: Vec<u8>) {
        if self.syncs.running(number).is_some() {
            self.ask(number.peer, request, Asked::Page(number));
        }
    }

    fn on_merged(&mut self, (number, pull, step): Merged) {
        match step {
            PullStep::More => {
                let Some(running) = self.syncs.running(number) else { return };
                match running.next.take() {
                    Some(page) => self.merge(number, pull, page),
                    None => running.pull = Some(pull),
                }
            }
            PullStep::Done { equal } => self.end_pull(number, Some(equal)),
            PullStep::Failed => self.end_pull(number, None),
        }
    }
}

/// Merges a page. A panic in the host ends this pull, not the node.
fn merge(number: Number, mut pull: Box<dyn Pull>, page: &[u8], ask: &mut dyn FnMut(Vec<u8>)) -> Merged {
    let step = catch_unwind(AssertUnwindSafe(|| pull.response(page, ask))).unwrap_or(PullStep::Failed);
    (number, pull, step)
}
