//! The events that wait for one subscriber: bounded by the keys that changed, whatever the number of changes.
//!
//! Up to [`CONFLATE_FROM`] events wait one by one. Beyond, changes to a key that already waits are conflated into one, at its
//! place: the subscriber always ends at the newest state.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use parking_lot::{Condvar, Mutex};

use super::event::Event;
use crate::fork;

const CONFLATE_FROM: usize = 1024;

pub type OnReady = Arc<dyn Fn() + Send + Sync>;

pub struct Queue {
    prefix: Box<[u8]>,
    state: Mutex<State>,
    ready: Condvar,
    /// In a forked child the lock may be held by a thread that is not there: nothing touches it, and the queue is done.
    generation: u32,
}

#[derive(Default)]
struct State {
    /// A place is empty when what waited there came to nothing.
    waiting: VecDeque<Option<Waiting>>,
    /// How many places are. No push leaves more than half of them so.
    empty: usize,
    /// The number of the first place; the others follow.
    first: u64,
    /// While conflating: the number of the place of every key that waits.
    places: Option<HashTable<u64>>,
    hasher: RandomState,
    closed: bool,
    sleepers: usize,
    waker: Option<Waker>,
    on_ready: Option<OnReady>,
}

struct Waiting {
    event: Event,
    /// The key's, while conflating: so neither a table that grows nor the subscriber that takes has to look at keys.
    hash: u64,
}

impl Queue {
    /// For keys that start with `prefix`, with what waits from the start.
    pub fn new(prefix: Vec<u8>, events: VecDeque<Event>) -> Self {
        let state =
            State { waiting: events.into_iter().map(|event| Some(Waiting { event, hash: 0 })).collect(), ..State::default() };
        Self { prefix: prefix.into(), state: Mutex::new(state), ready: Condvar::new(), generation: fork::generation() }
    }

    /// Adds events, those with the prefix. Never waits for the subscriber.
    pub fn push(&self, events: &[Event]) {
        let mut events = events.iter().filter(|event| event.key().starts_with(&self.prefix)).peekable();
        if events.peek().is_none() {
            return;
        }
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        let was_empty = state.waiting.is_empty();
        events.for_each(|event| state.push(event.clone()));
        if was_empty {
            self.wake(state);
        }
    }

    /// Up to `max` events, in order; waits until there is one, the time is up or the queue was closed (both: none).
    pub fn recv(&self, max: usize, timeout: Option<Duration>) -> Vec<Event> {
        if self.is_forked() {
            return Vec::new();
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.state.lock();
        loop {
            let events = state.take(max);
            if !events.is_empty() || state.closed || timeout.is_some_and(|timeout| timeout.is_zero()) {
                return events;
            }
            state.sleepers += 1;
            let timed_out = match deadline {
                Some(deadline) => self.ready.wait_until(&mut state, deadline).timed_out(),
                None => {
                    self.ready.wait(&mut state);
                    false
                }
            };
            state.sleepers -= 1;
            if timed_out {
                return state.take(max);
            }
        }
    }

    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        if self.is_forked() {
            return Poll::Ready(None);
        }
        let mut state = self.state.lock();
        match state.take(1).pop() {
            Some(event) => Poll::Ready(Some(event)),
            None if state.closed => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Calls `wake` whenever the queue turns from empty to not empty, or closes; also now if it is not empty.
    pub fn on_ready(&self, wake: OnReady) {
        if self.is_forked() {
            return;
        }
        let mut state = self.state.lock();
        state.on_ready = Some(wake);
        if !state.waiting.is_empty() || state.closed {
            self.wake(state);
        }
    }

    /// No further events. What waits can still be taken, unless it is to be discarded.
    pub fn close(&self, discard: bool) {
        if self.is_forked() {
            return;
        }
        let mut state = self.state.lock();
        if discard {
            state.waiting.clear();
            state.empty = 0;
            state.places = None;
        }
        if !state.closed {
            state.closed = true;
            self.wake(state);
        }
    }

    pub fn is_closed(&self) -> bool {
        self.is_forked() || self.state.lock().closed
    }

    /// Closed, and everything taken.
    pub fn is_done(&self) -> bool {
        if self.is_forked() {
            return true;
        }
        let state = self.state.lock();
        state.closed && state.waiting.is_empty()
    }

    fn is_forked(&self) -> bool {
        self.generation != fork::generation()
    }

    /// Tells whoever waits, after letting go of the lock.
    fn wake(&self, mut state: parking_lot::MutexGuard<'_, State>) {
        let (waker, on_ready, sleepers) = (state.waker.take(), state.on_ready.clone(), state.sleepers);
        drop(state);
        if sleepers > 0 {
            self.ready.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some(on_ready) = on_ready {
            on_ready();
        }
    }
}

impl State {
    fn push(&mut self, event: Event) {
        if self.places.is_none() && self.waiting.len() >= CONFLATE_FROM {
            self.conflate();
        }
        let (Some(places), Some(key)) = (&mut self.places, event.slot()) else {
            self.waiting.push_back(Some(Waiting { event, hash: 0 }));
            return;
        };
        let (hash, first, waiting) = (self.hasher.hash_one(key.key()), self.first, &mut self.waiting);
        let at = |place: &u64| (place - first) as usize;
        let same = |place: &u64| {
            waiting[at(place)].as_ref().is_some_and(|there| there.hash == hash && there.event.slot() == Some(key))
        };
        match places.find_entry(hash, same) {
            Ok(place) => {
                let there = &mut waiting[at(place.get())];
                *there = there.take().and_then(|before| before.event.then(event)).map(|event| Waiting { event, hash });
                if there.is_none() {
                    place.remove();
                    self.empty += 1;
                }
            }
            Err(_) => {
                let place = first + waiting.len() as u64;
                waiting.push_back(Some(Waiting { event, hash }));
                places.insert_unique(hash, place, |place| waiting[at(place)].as_ref().map_or(0, |there| there.hash));
            }
        }
        if self.empty * 2 > self.waiting.len() {
            self.conflate();
        }
    }

    /// Puts what waits into the first places, without empty ones, and conflates from now on.
    fn conflate(&mut self) {
        self.places = Some(HashTable::with_capacity(self.waiting.len() - self.empty));
        self.empty = 0;
        for waiting in std::mem::take(&mut self.waiting).into_iter().flatten() {
            self.push(waiting.event);
        }
    }

    fn take(&mut self, max: usize) -> Vec<Event> {
        let mut events = Vec::with_capacity(max.min(self.waiting.len()));
        while events.len() < max {
            let Some(place) = self.waiting.pop_front() else {
                self.places = None;
                break;
            };
            let number = self.first;
            self.first += 1;
            let Some(Waiting { event, hash }) = place else {
                self.empty -= 1;
                continue;
            };
            if let Some(Ok(place)) = self.places.as_mut().map(|places| places.find_entry(hash, |place| *place == number)) {
                place.remove();
            }
            events.push(event);
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, SubscribeOptions};

    #[test]
    fn g11_keys_that_come_and_go_while_nobody_takes_leave_no_places_behind() {
        let map = crate::open("test", Config::new()).unwrap();
        let watch = map.watch(SubscribeOptions::default()).unwrap();
        let next = || watch.recv(1, None).remove(0);
        let queue = Queue::new(Vec::new(), VecDeque::new());
        let wait = |event| queue.push(&[event]);
        let waiting = || queue.state.lock().waiting.len();
        for stays in 0..CONFLATE_FROM {
            map.put(stays.to_be_bytes(), "").unwrap();
            wait(next());
        }
        for goes in 0..3 * CONFLATE_FROM {
            map.put(format!("key {goes}"), "").unwrap();
            wait(next());
            map.remove(format!("key {goes}")).unwrap();
            wait(next());
            assert!(waiting() <= 2 * CONFLATE_FROM + 1);
        }
        let told = queue.recv(usize::MAX, Some(Duration::ZERO));
        assert!(told.iter().map(|event| event.key().to_vec()).eq((0..CONFLATE_FROM).map(|stays| stays.to_be_bytes().to_vec())));
        assert_eq!(queue.state.lock().empty, 0);
    }
}
