//! Which run of each peer is connected, so that two nodes with one identity are not taken for one.
//!
//! Each opening of a node is a *run*, with a number that grows with the clock. A copied data directory makes two runs of one
//! peer that are alive at once; a restart makes two of which one is dead, though its connection may not show it yet. The rules:
//!
//! - Of one peer, only connections of one run exist at a time: a newcomer waits while those of another are there.
//! - Of two runs that are both alive, the lesser stays: it started first, by its own clock, and everyone judges alike.
//! - A run is alive when it answers a question that was asked after the newcomer came. What was heard of it before proves
//!   nothing: it may have died, and the newcomer be what came after it. Who stays silent is disconnected.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use libp2p::PeerId as Id;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::shared::{Shared, public};
use crate::error::{Error, ErrorKind};

/// A run that is asked whether it is alive answers within this time. Shorter than a dial may take: the newcomer is still there.
const PATIENCE: Duration = Duration::from_secs(2);
/// Doubts that wait for the network thread.
const MAX_DOUBTS: usize = 128;

/// What the network thread is asked to do about the run of a peer that is connected while another one waits.
pub(super) enum Doubt {
    /// Ask it something, and say so when it answers.
    IsAlive(Id, oneshot::Sender<()>),
    /// Close its connections: the one that waits was there first.
    Second(Id),
}

pub(super) struct Runs {
    me: Id,
    own: u64,
    /// Where this node's identity is kept.
    identity_file: Option<PathBuf>,
    shared: Arc<Shared>,
    seats: Mutex<HashMap<Id, Taken>>,
    doubts: mpsc::Sender<Doubt>,
}

/// The run of a peer that is connected.
struct Taken {
    run: u64,
    connections: usize,
    /// Dropped when the last of them is.
    end: watch::Sender<()>,
}

/// Held by a connection for as long as it exists.
pub(super) struct Seat {
    runs: Arc<Runs>,
    peer: Id,
}

impl Runs {
    /// And what they ask of the network thread.
    pub fn new(me: Id, own: u64, identity_file: Option<PathBuf>, shared: Arc<Shared>) -> (Arc<Self>, mpsc::Receiver<Doubt>) {
        let (doubts, asked) = mpsc::channel(MAX_DOUBTS);
        (Arc::new(Self { me, own, identity_file, shared, seats: Mutex::default(), doubts }), asked)
    }

    /// The run of this node.
    pub fn own(&self) -> u64 {
        self.own
    }

    pub fn is_me(&self, peer: Id) -> bool {
        peer == self.me
    }

    /// Lets a connection in, or does not: `None`. Waits while it is not known whether another run of the peer is alive.
    pub async fn admit(self: &Arc<Self>, peer: Id, run: u64) -> Option<Seat> {
        // This node's own: itself, at one of its own addresses, or a copy. The lesser tells the other.
        if self.is_me(peer) && run > self.own {
            return None;
        }
        loop {
            let (other, mut end) = match self.take(peer, run) {
                Ok(seat) => return Some(seat),
                Err(taken) => taken,
            };
            let (alive, answer) = oneshot::channel();
            let doubt = if run > other { Doubt::IsAlive(peer, alive) } else { Doubt::Second(peer) };
            // One too many, or the node is closing: the newcomer waits, and tries again when its time is over.
            let _ = self.doubts.try_send(doubt);
            tokio::select! {
                Ok(()) = answer => return None,
                _ = end.changed() => {}
                () = sleep(PATIENCE), if run > other => {
                    // As good as gone. If it is not it comes again, and takes its place back: it was there first.
                    let _ = self.doubts.try_send(Doubt::Second(peer));
                    let _ = end.changed().await;
                }
            }
        }
    }

    /// A seat, or the run that has it and what tells of its end.
    fn take(self: &Arc<Self>, peer: Id, run: u64) -> Result<Seat, (u64, watch::Receiver<()>)> {
        let mut seats = self.seats.lock();
        let taken = seats.entry(peer).or_insert_with(|| Taken { run, connections: 0, end: watch::Sender::new(()) });
        if taken.run != run {
            return Err((taken.run, taken.end.subscribe()));
        }
        taken.connections += 1;
        Ok(Seat { runs: self.clone(), peer })
    }

    /// Another run of this node was there first: this one is to leave.
    pub fn refuse_me(&self) {
        let remedy = match &self.identity_file {
            Some(file) => format!(
                "`{}` is a copy of its data directory, and each node needs one of its own. This node has left the network and takes \
                 no writes: close it, remove `{}`, so that it is a new node with the same maps, and open it again",
                file.parent().unwrap_or(file).display(),
                file.display()
            ),
            None => "this one has left the network and takes no writes: close it, and open it again".into(),
        };
        let message = format!("another node runs as {}: {remedy}", public(&self.me));
        if self.shared.refusal.set(Error::new(ErrorKind::Locked, message)).is_ok() {
            self.shared.bell.notify_one();
        }
    }

    /// Whether this node has no say any more.
    pub fn am_refused(&self) -> bool {
        self.shared.refusal.get().is_some()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.runs.seats.lock();
        let Some(taken) = seats.get_mut(&self.peer) else { return };
        taken.connections -= 1;
        if taken.connections == 0 {
            seats.remove(&self.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn runs() -> (Arc<Runs>, mpsc::Receiver<Doubt>) {
        let file = Some("/data/one/identity".into());
        Runs::new(Id::random(), 100, file, Arc::default())
    }

    fn now(runs: &Arc<Runs>, peer: Id, number: u64) -> Option<Option<Seat>> {
        runs.admit(peer, number).now_or_never()
    }

    #[tokio::test]
    async fn connections_of_one_run_are_let_in_at_once() {
        let (runs, mut doubts) = runs();
        let peer = Id::random();
        let seats = [now(&runs, peer, 7), now(&runs, peer, 7), now(&runs, Id::random(), 8)];
        assert!(seats.iter().all(|seat| matches!(seat, Some(Some(_)))));
        drop(seats);
        assert!(matches!(now(&runs, peer, 9), Some(Some(_))), "and another run when they are gone");
        assert!(doubts.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_later_run_is_refused_when_the_earlier_one_answers_and_waits_until_then() {
        let (runs, mut doubts) = runs();
        let peer = Id::random();
        let _first = now(&runs, peer, 7);
        let mut second = Box::pin(runs.admit(peer, 8));
        assert!(second.as_mut().now_or_never().is_none());
        let Ok(Doubt::IsAlive(asked, answer)) = doubts.try_recv() else { panic!("it is asked") };
        assert_eq!(asked, peer);
        assert!(second.as_mut().now_or_never().is_none());
        answer.send(()).unwrap();
        assert!(matches!(second.now_or_never(), Some(None)));
    }

    #[tokio::test]
    async fn a_restarted_node_is_let_in_when_the_connections_of_its_past_are_gone() {
        let (runs, mut doubts) = runs();
        let peer = Id::random();
        let past = [now(&runs, peer, 7), now(&runs, peer, 7)];
        let mut again = Box::pin(runs.admit(peer, 8));
        assert!(again.as_mut().now_or_never().is_none());
        // It cannot be asked: that proves nothing.
        drop(doubts.try_recv());
        assert!(again.as_mut().now_or_never().is_none());
        let [one, other] = past;
        drop(one);
        assert!(again.as_mut().now_or_never().is_none());
        drop(other);
        assert!(matches!(again.now_or_never(), Some(Some(_))));
    }

    #[tokio::test]
    async fn an_earlier_run_takes_the_place_of_a_later_one() {
        let (runs, mut doubts) = runs();
        let peer = Id::random();
        let later = now(&runs, peer, 8);
        let mut earlier = Box::pin(runs.admit(peer, 7));
        assert!(earlier.as_mut().now_or_never().is_none());
        assert!(matches!(doubts.try_recv(), Ok(Doubt::Second(second)) if second == peer));
        drop(later);
        assert!(matches!(earlier.now_or_never(), Some(Some(_))));
    }

    #[tokio::test]
    async fn of_two_copies_that_meet_the_earlier_refuses_the_other_and_nobody_itself() {
        let (runs, _doubts) = runs();
        assert!(matches!(now(&runs, runs.me, 100), Some(Some(_))), "an own address");
        assert!(matches!(now(&runs, runs.me, 101), Some(None)));
    }

    #[tokio::test]
    async fn who_is_refused_says_what_to_do() {
        let (runs, _doubts) = runs();
        runs.refuse_me();
        let error = runs.shared.refusal.get().expect("it is known").clone();
        assert_eq!(error.kind(), ErrorKind::Locked);
        for word in [&*public(&runs.me).to_string(), "`/data/one`", "`/data/one/identity`"] {
            assert!(error.message().contains(word), "{error}");
        }
    }
}
