//! Sync over the wire: runs what the [`Schedule`](super::schedule::Schedule) decides.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use libp2p::PeerId as Id;
use libp2p::request_response::{Event, Message, OutboundRequestId, ResponseChannel};
use tokio::task::JoinSet;

use super::held::Question;
use super::schedule::Act;
use super::shared::public;
use super::task::Task;
use super::{Pull, PullStep};
use crate::wire::Topic;

/// A caller of `sync` who waits has the peers compared again after so long.
const RECHECK: Duration = Duration::from_millis(10);

/// What runs.
#[derive(Default)]
pub(super) struct Syncs {
    requests: HashMap<OutboundRequestId, Asked>,
    /// The pulls that count. One that goes on after its peer or map has gone finds itself missing here, and ends.
    running: HashMap<(Topic, Id), u64>,
    started: u64,
    /// Pages being merged away from the network thread.
    merging: JoinSet<Running>,
    /// Answers that wait until they may leave.
    held: JoinSet<Released>,
}

/// An answer, if it may leave.
type Released = (ResponseChannel<Vec<u8>>, Option<Vec<u8>>);

/// What was done away from the network thread.
pub(super) enum Done {
    Merged(Running),
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
    Page(Running),
    Held(Question),
}

/// A pull on its way.
pub(super) struct Running {
    topic: Topic,
    peer: Id,
    number: u64,
    pull: Box<dyn Pull>,
    /// What the last page came to.
    step: PullStep,
}

impl Syncs {
    /// The next thing that was done away from the network thread. Never ends while there is none.
    pub async fn done(&mut self) -> Done {
        tokio::select! {
            merged = next(&mut self.merging) => Done::Merged(merged),
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

    fn counts(&self, running: &Running) -> bool {
        self.running.get(&(running.topic, running.peer)) == Some(&running.number)
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
            Some(pull) => {
                self.syncs.started += 1;
                let number = self.syncs.started;
                self.syncs.running.insert((topic, peer), number);
                self.ask_page(Running { topic, peer, number, pull, step: PullStep::More });
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

    fn ask_page(&mut self, mut running: Running) {
        let (peer, request) = (running.peer, running.pull.request());
        self.ask(peer, request, Asked::Page(running));
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

    fn end_pull(&mut self, running: &Running, equal: Option<bool>) {
        if !self.syncs.counts(running) {
            return;
        }
        let (topic, peer, now) = (running.topic, running.peer, Instant::now());
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
                let host = self.host.clone();
                let Some(answer) = self.guard(|| host.answer(&public(&peer), &request)).flatten() else {
                    tracing::debug!(%peer, "refused a sync request");
                    return;
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
                    Some(Asked::Page(running)) => self.on_page(running, response),
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
                    Some(Asked::Page(running)) => self.end_pull(&running, None),
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
            Done::Merged(running) => self.on_merged(running),
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

    fn on_page(&mut self, running: Running, response: Vec<u8>) {
        if !self.syncs.counts(&running) {
            return;
        }
        if running.pull.blocks() {
            self.syncs.merging.spawn_blocking(move || running.merge(&response));
        } else {
            self.on_merged(running.merge(&response));
        }
    }

    fn on_merged(&mut self, running: Running) {
        match running.step {
            PullStep::More if self.syncs.counts(&running) => self.ask_page(running),
            PullStep::Done { equal } => self.end_pull(&running, Some(equal)),
            PullStep::More | PullStep::Failed => self.end_pull(&running, None),
        }
    }
}

impl Running {
    /// Merges a page. A panic in the host ends this pull, not the node.
    fn merge(mut self, response: &[u8]) -> Self {
        self.step = catch_unwind(AssertUnwindSafe(|| self.pull.response(response))).unwrap_or(PullStep::Failed);
        self
    }
}
