//! Time goes by: one thread a node that ends, hides and forgets what is due in its maps, and has signs of life sent.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::clock::now_ms;
use super::host::Maps;
use super::state::{MapState, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::net::Network;
use crate::wire::gossip;

/// The clock may be set: however far off the next thing is, it is looked at this often.
const LONGEST: Duration = Duration::from_secs(10);

/// Wakes the thread before its time.
#[derive(Default)]
pub struct Alarm {
    state: Mutex<Ring>,
    bell: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ring {
    #[default]
    Asleep,
    Woken,
    Over,
}

impl Alarm {
    pub fn wake(&self) {
        self.ring(Ring::Woken);
    }

    fn ring(&self, ring: Ring) {
        let mut state = self.state.lock();
        if *state != Ring::Over {
            *state = ring;
        }
        self.bell.notify_one();
    }

    /// Waits until woken, or for so long. Whether to go on.
    fn sleep(&self, timeout: Duration) -> bool {
        let mut state = self.state.lock();
        if *state == Ring::Asleep {
            self.bell.wait_for(&mut state, timeout);
        }
        if *state == Ring::Woken {
            *state = Ring::Asleep;
        }
        *state != Ring::Over
    }
}

/// The thread. It ends when this is dropped.
pub struct Sweeper {
    alarm: Arc<Alarm>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Sweeper {
    /// Errors: `Network`, when no thread can be started.
    pub fn start(maps: Arc<Maps>, network: Arc<Network>) -> Result<Self> {
        let alarm = maps.alarm.clone();
        let run = move || {
            let mut wait = Duration::ZERO;
            while maps.alarm.sleep(wait) {
                wait = maps.all().iter().map(|map| map.sweep(&network)).min().unwrap_or(LONGEST).min(LONGEST);
            }
        };
        let thread = thread::Builder::new()
            .name("p2pmap-sweep".to_owned())
            .spawn(run)
            .map_err(|error| Error::new(ErrorKind::Network, format!("cannot start a thread: {error}")))?;
        Ok(Self { alarm, thread: Mutex::new(Some(thread)) })
    }

    /// Ends the thread; returns when it has.
    pub fn stop(&self) {
        self.alarm.ring(Ring::Over);
        let thread = self.thread.lock().take();
        if let Some(thread) = thread.filter(|sweeping| sweeping.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl MapState {
    /// Ends, hides and forgets what is due by now; how long until something may be due again.
    fn sweep(&self, network: &Network) -> Duration {
        let mut changes = Vec::new();
        loop {
            let now = now_ms();
            let mut writer = self.writer();
            if self.is_closed() {
                return LONGEST;
            }
            let edits = writer.replica.edits();
            let more = writer.replica.sweep(now, &mut changes);
            if writer.replica.edits() > edits {
                self.changed();
            }
            writer.tell(&changes);
            changes.clear();
            if more {
                // Writers that wait have their turn in between.
                parking_lot::MutexGuard::unlock_fair(writer);
                continue;
            }
            if let Some(pulse) = writer.replica.pulse(now) {
                *self.pulse.lock() = Some(self.signed(gossip::encode_pulse(&pulse)));
                network.wake(self.topic);
            }
            if writer.replica.take_aside(now) {
                // Whoever has the map brings it.
                network.gap(self.topic, writer.replica.origin().peer());
            }
            let scan_ms = self.settings.scan_ms.min(writer.replica.presence_interval_ms().unwrap_or(u64::MAX));
            let due = [writer.replica.next_expiry_ms(), writer.replica.aside_until_ms()].into_iter().flatten().min();
            let next = (now + scan_ms).min(due.unwrap_or(u64::MAX));
            self.next_sweep_ms.store(next, Relaxed);
            return Duration::from_millis(next.saturating_sub(now).max(1));
        }
    }

    /// Sees to it that what now expires is ended in time.
    pub fn set_alarm(&self, writer: &Writer) {
        let next = self.next_sweep_ms.load(Relaxed);
        if let Some(at) = writer.replica.next_expiry_ms().filter(|at| *at < next) {
            self.next_sweep_ms.store(at, Relaxed);
            self.node.alarm.wake();
        }
    }

    /// The sign of life that is due, as a message.
    pub fn take_pulse(&self) -> Option<Vec<u8>> {
        self.pulse.lock().take()
    }

    /// The goodbye of a map that has closed, as a message: once.
    pub fn last_words(&self) -> Option<Vec<u8>> {
        if !self.is_closed() || self.said_goodbye.swap(true, Relaxed) {
            return None;
        }
        let goodbye = self.writer().replica.farewell(now_ms());
        goodbye.map(|pulse| self.signed(gossip::encode_pulse(&pulse)))
    }
}
