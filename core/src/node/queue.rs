//! The events that wait for one subscriber: bounded by the keys that changed, whatever the number of changes.
//!
//! Up to [`CONFLATE_FROM`] events wait one by one. Beyond, changes to a key that already waits are conflated into one, at its
//! place: the subscriber always ends at the newest state.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::event::Event;
use crate::fork;
use crate::replica::Slot;

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
    waiting: VecDeque<Option<Event>>,
    /// The number of the first place.
    first: u64,
    /// While conflating: the place of every key that waits.
    places: Option<HashMap<Slot, u64, foldhash::fast::RandomState>>,
    closed: bool,
    sleepers: usize,
    waker: Option<Waker>,
    on_ready: Option<OnReady>,
}

impl Queue {
    /// For keys that start with `prefix`, with what waits from the start.
    pub fn new(prefix: Vec<u8>, events: VecDeque<Event>) -> Self {
        let state = State { waiting: events.into_iter().map(Some).collect(), ..State::default() };
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
        let (Some(places), Some(slot)) = (&mut self.places, event.slot()) else {
            self.waiting.push_back(Some(event));
            return;
        };
        match places.get(slot) {
            Some(&place) => {
                let at = (place - self.first) as usize;
                let told = self.waiting[at].take().map_or(Some(event.clone()), |before| before.then(event.clone()));
                if told.is_none() {
                    places.remove(slot);
                }
                self.waiting[at] = told;
            }
            None => {
                places.insert(slot.clone(), self.first + self.waiting.len() as u64);
                self.waiting.push_back(Some(event));
            }
        }
    }

    /// Starts conflating: what waits so far, too.
    fn conflate(&mut self) {
        self.places = Some(HashMap::default());
        for event in std::mem::take(&mut self.waiting).into_iter().flatten() {
            self.push(event);
        }
    }

    fn take(&mut self, max: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < max {
            let Some(place) = self.waiting.pop_front() else {
                self.places = None;
                break;
            };
            self.first += 1;
            let Some(event) = place else { continue };
            if let (Some(places), Some(slot)) = (&mut self.places, event.slot()) {
                places.remove(slot);
            }
            events.push(event);
        }
        events
    }
}
