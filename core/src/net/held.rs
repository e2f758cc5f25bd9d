//! Callers that wait until so many peers hold a write. Pure: time comes in, whom to ask comes out.
//!
//! - Callers who wait for the same write share one [`Question`]: each peer is asked once for all of them.
//! - A peer that says no is asked again after [`FIRST_PAUSE`], then ever less often, up to [`LONGEST_PAUSE`].
//! - At most [`AT_ONCE`] questions a peer are on their way, the others wait their turn: however many wait, a peer's
//!   syncs find room beside them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use libp2p::PeerId as Id;

use super::shared::public;
use crate::PeerId;
use crate::error::{Error, ErrorKind, Result};
use crate::wire::Topic;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
const AT_ONCE: usize = 16;

/// Whether a map has seen a certain write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Question(Arc<(Topic, Vec<u8>)>);

impl Question {
    pub fn request(&self) -> &[u8] {
        &self.0.1
    }

    fn topic(&self) -> Topic {
        self.0.0
    }
}

/// A caller.
pub(super) struct Wait {
    /// So many must hold it.
    pub peers: usize,
    pub deadline: Instant,
    pub reply: SyncSender<Result<(Vec<PeerId>, bool)>>,
}

#[derive(Default)]
pub(super) struct Held {
    open: HashMap<Question, Open>,
    lines: HashMap<Id, Line>,
    /// No deadline is sooner.
    next_deadline: Option<Instant>,
}

/// What is known about an open question.
#[derive(Default)]
struct Open {
    waits: Vec<Wait>,
    yes: HashSet<Id>,
    /// How often the others have said no.
    no: HashMap<Id, u32>,
}

/// One peer's questions.
#[derive(Default)]
struct Line {
    /// Also those that nobody waits for any more.
    due: BTreeSet<(Instant, Question)>,
    asked: HashSet<Question>,
}

impl Held {
    /// Waits for some of those peers, and of those that come.
    pub fn add(&mut self, topic: Topic, request: Vec<u8>, wait: Wait, peers: &[Id], now: Instant) {
        let question = Question(Arc::new((topic, request)));
        self.next_deadline = Some(self.next_deadline.map_or(wait.deadline, |next| next.min(wait.deadline)));
        self.open.entry(question.clone()).or_default().waits.push(wait);
        for peer in peers {
            self.put(&question, *peer, now);
        }
        self.settle(&question);
    }

    /// A peer and this node have found that both have that map open.
    pub fn met(&mut self, topic: Topic, peer: Id, now: Instant) {
        let questions: Vec<_> = self.open.keys().filter(|question| question.topic() == topic).cloned().collect();
        for question in questions {
            self.put(&question, peer, now);
        }
    }

    /// Asks the peer once, unless it has been asked.
    fn put(&mut self, question: &Question, peer: Id, now: Instant) {
        let Some(open) = self.open.get_mut(question) else { return };
        if !open.yes.contains(&peer) && !open.no.contains_key(&peer) {
            open.no.insert(peer, 0);
            self.lines.entry(peer).or_default().due.insert((now, question.clone()));
        }
    }

    /// Whom to ask what now.
    pub fn next_ask(&mut self, now: Instant) -> Option<(Question, Id)> {
        for (peer, line) in &mut self.lines {
            while line.asked.len() < AT_ONCE && line.due.first().is_some_and(|(at, _)| *at <= now) {
                let Some((_, question)) = line.due.pop_first() else { break };
                let wanted = self.open.get(&question).is_some_and(|open| open.no.contains_key(peer));
                if wanted && line.asked.insert(question.clone()) {
                    return Some((question, *peer));
                }
            }
        }
        None
    }

    /// The peer's answer; one that failed is a no.
    pub fn answered(&mut self, question: &Question, peer: Id, holds: bool, now: Instant) {
        let Some(line) = self.lines.get_mut(&peer).filter(|line| line.asked.contains(question)) else { return };
        line.asked.remove(question);
        let Some(open) = self.open.get_mut(question) else { return };
        let Some(times) = open.no.get_mut(&peer) else { return };
        if holds {
            open.no.remove(&peer);
            open.yes.insert(peer);
            self.settle(question);
        } else {
            line.due.insert((now + pause(*times), question.clone()));
            *times = times.saturating_add(1);
        }
    }

    /// The peer has gone. What it held it held.
    pub fn gone(&mut self, peer: Id) {
        self.lines.remove(&peer);
        for open in self.open.values_mut() {
            open.no.remove(&peer);
        }
    }

    /// The peer has closed that map.
    pub fn lost(&mut self, topic: Topic, peer: Id) {
        for (_, open) in self.open.iter_mut().filter(|(question, _)| question.topic() == topic) {
            open.no.remove(&peer);
        }
    }

    /// The map was closed here.
    pub fn closed(&mut self, topic: Topic) {
        for (_, open) in self.open.extract_if(|question, _| question.topic() == topic) {
            for wait in open.waits {
                let _ = wait.reply.try_send(Err(Error::new(ErrorKind::Closed, "the map was closed")));
            }
        }
    }

    /// Answers those whose time has run out.
    pub fn expire(&mut self, now: Instant) {
        if self.next_deadline.is_none_or(|next| now < next) {
            return;
        }
        self.open.retain(|_, open| {
            open.waits.retain(|wait| {
                let late = wait.deadline <= now;
                if late {
                    wait.answer(&open.yes, false);
                }
                !late
            });
            !open.waits.is_empty()
        });
        self.next_deadline = self.open.values().flat_map(|open| &open.waits).map(|wait| wait.deadline).min();
    }

    /// When the next question or deadline is due.
    pub fn next_due(&self) -> Option<Instant> {
        let free = self.lines.values().filter(|line| line.asked.len() < AT_ONCE);
        let asks = free.filter_map(|line| line.due.first()).map(|(at, _)| *at);
        asks.chain(self.next_deadline).min()
    }

    /// Answers those for whom enough peers have said yes.
    fn settle(&mut self, question: &Question) {
        let Some(open) = self.open.get_mut(question) else { return };
        open.waits.retain(|wait| {
            let enough = open.yes.len() >= wait.peers;
            if enough {
                wait.answer(&open.yes, true);
            }
            !enough
        });
        if open.waits.is_empty() {
            self.open.remove(question);
        }
    }
}

impl Wait {
    fn answer(&self, yes: &HashSet<Id>, enough: bool) {
        let mut peers: Vec<_> = yes.iter().map(public).collect();
        peers.sort_unstable();
        // The caller may have gone.
        let _ = self.reply.try_send(Ok((peers, enough)));
    }
}

/// The pause after that many times no.
fn pause(times: u32) -> Duration {
    (FIRST_PAUSE * 2u32.pow(times.min(16))).min(LONGEST_PAUSE)
}

#[cfg(test)]
#[path = "held_tests.rs"]
mod tests;
