//! Callers that wait until a map is equal with every connected peer. Pure.

use std::collections::HashMap;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use libp2p::PeerId as Id;

use crate::error::{Error, ErrorKind, Result};
use crate::wire::Topic;

#[derive(Default)]
pub(super) struct Waiters(Vec<Waiter>);

struct Waiter {
    topic: Topic,
    /// Peers that have not been found equal yet; whether a comparison with them has been started since.
    open: HashMap<Id, bool>,
    equal: usize,
    deadline: Instant,
    reply: SyncSender<Result<()>>,
}

impl Waiters {
    /// Waits for those peers; answered at once when there are none.
    pub fn add(&mut self, topic: Topic, peers: &[Id], deadline: Instant, reply: SyncSender<Result<()>>) {
        self.0.push(Waiter { topic, open: peers.iter().map(|peer| (*peer, false)).collect(), equal: 0, deadline, reply });
        self.settle();
    }

    /// A comparison with that peer starts: of all maps that are open now.
    pub fn comparing(&mut self, peer: Id) {
        for asked in self.0.iter_mut().filter_map(|waiter| waiter.open.get_mut(&peer)) {
            *asked = true;
        }
    }

    /// A comparison with that peer has found these maps equal and those different; it does not have the others.
    /// Whether to compare again.
    pub fn compared(&mut self, peer: Id, equal: &[Topic], differs: &[Topic]) -> bool {
        let mut again = false;
        // A comparison that ran before somebody waited compared what was there before.
        for waiter in self.0.iter_mut().filter(|waiter| waiter.open.get(&peer) == Some(&true)) {
            if differs.contains(&waiter.topic) {
                again = true;
            } else {
                waiter.open.remove(&peer);
                waiter.equal += usize::from(equal.contains(&waiter.topic));
            }
        }
        self.settle();
        again
    }

    /// Whether anybody waits for that peer.
    pub fn want(&self, peer: Id) -> bool {
        self.0.iter().any(|waiter| waiter.open.contains_key(&peer))
    }

    /// The peer has gone; nobody waits for it any more.
    pub fn gone(&mut self, peer: Id) {
        for waiter in &mut self.0 {
            waiter.open.remove(&peer);
        }
        self.settle();
    }

    /// The peer has closed that map.
    pub fn lost(&mut self, topic: Topic, peer: Id) {
        for waiter in self.0.iter_mut().filter(|waiter| waiter.topic == topic) {
            waiter.open.remove(&peer);
        }
        self.settle();
    }

    /// Answers those whose time has run out.
    pub fn expire(&mut self, now: Instant) {
        self.0.retain(|waiter| {
            let late = waiter.deadline <= now;
            if late {
                let (equal, all) = (waiter.equal, waiter.equal + waiter.open.len());
                let message = format!("the map is equal with {equal} of {all} connected peers; give it more time");
                let _ = waiter.reply.try_send(Err(Error::new(ErrorKind::Timeout, message)));
            }
            !late
        });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.0.iter().map(|waiter| waiter.deadline).min()
    }

    fn settle(&mut self) {
        self.0.retain(|waiter| {
            if waiter.open.is_empty() {
                let _ = waiter.reply.try_send(Ok(()));
            }
            !waiter.open.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
    use std::time::Duration;

    use super::*;

    const TOPIC: Topic = Topic([1; 16]);

    fn waiting(peers: &[Id], deadline: Instant) -> (Waiters, Receiver<Result<()>>) {
        let (reply, answer) = sync_channel(1);
        let mut waiters = Waiters::default();
        waiters.add(TOPIC, peers, deadline, reply);
        (waiters, answer)
    }

    #[test]
    fn without_peers_there_is_nothing_to_wait_for() {
        let (_waiters, answer) = waiting(&[], Instant::now());
        assert_eq!(answer.try_recv(), Ok(Ok(())));
    }

    #[test]
    fn every_peer_must_be_equal_or_gone() {
        let peers = [Id::random(), Id::random(), Id::random()];
        let (mut waiters, answer) = waiting(&peers, Instant::now());
        peers.iter().for_each(|peer| waiters.comparing(*peer));
        assert!(waiters.compared(peers[0], &[], &[TOPIC]));
        assert!(!waiters.compared(peers[0], &[TOPIC], &[]));
        waiters.gone(peers[1]);
        assert_eq!(answer.try_recv(), Err(TryRecvError::Empty));
        assert!(!waiters.compared(peers[2], &[], &[]), "it does not have the map");
        assert_eq!(answer.try_recv(), Ok(Ok(())));
    }

    #[test]
    fn a_comparison_that_ran_already_does_not_count() {
        let peer = Id::random();
        let (mut waiters, answer) = waiting(&[peer], Instant::now());
        waiters.compared(peer, &[], &[]);
        waiters.compared(peer, &[TOPIC], &[]);
        assert_eq!(answer.try_recv(), Err(TryRecvError::Empty));
        waiters.comparing(peer);
        waiters.compared(peer, &[], &[]);
        assert_eq!(answer.try_recv(), Ok(Ok(())));
    }

    #[test]
    fn a_timeout_says_how_many_are_equal() {
        let peers = [Id::random(), Id::random()];
        let now = Instant::now();
        let (mut waiters, answer) = waiting(&peers, now + Duration::from_secs(1));
        waiters.comparing(peers[1]);
        waiters.compared(peers[1], &[TOPIC], &[]);
        waiters.expire(now);
        assert_eq!(answer.try_recv(), Err(TryRecvError::Empty));
        waiters.expire(now + Duration::from_secs(1));
        let error = answer.try_recv().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.message().contains("1 of 2"), "{error}");
    }
}
