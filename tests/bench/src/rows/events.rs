//! Row 15: how fast events that wait are delivered to a callback, in Rust, C, Python and Node.js.
//!
//! A callback is held up at its first call, as many keys change, and then it is let go on: from then until it has been told of all
//! of them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use p2pmap::{Config, Map, SubscribeOptions};
use parking_lot::Mutex;

use crate::clock::{Samples, now_ns};
use crate::load::{Key, Value, count, key, value};
use crate::process::node::LONG;
use crate::report::{Figures, Floor, Line, Unit};
use crate::rows::languages::{measured, node, python};
use crate::{Effort, Result, machine};

/// Events in one call of a callback at most, in all languages.
const BATCH: usize = 256;

pub fn measure(effort: Effort) -> Result<Figures> {
    let events: usize = 100_000;
    let rounds: usize = effort.pick(5, 21);
    let (args, samples) = ([events.to_string(), rounds.to_string()], format!("{rounds} x {}", count(events)));
    let mut lines = in_rust(events, rounds, &samples)?;
    let others = [Some(machine::c_program("events")?), python("events.py")?, node("events.mjs")?];
    for program in others.into_iter().flatten() {
        lines.extend(measured(program, &args, 15, Unit::Rate, &samples)?);
    }
    Ok(lines.into())
}

fn in_rust(events: usize, rounds: usize, samples: &str) -> Result<Vec<Line>> {
    let map = p2pmap::open("bench", Config::new())?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        ours.push(told(&map, events, round as u64)?);
        floor.push(bare(events)?);
    }
    let rate = |took: Vec<u64>| events as f64 * 1e9 / Samples::new(took).median();
    Ok(vec![Line {
        row: 15,
        what: "Rust: events to a callback".into(),
        unit: Unit::Rate,
        ours: rate(ours),
        p99: None,
        floor: Some(Floor { what: format!("a queue of copies, {BATCH} at a time"), is: rate(floor), p99: None }),
        samples: samples.into(),
        goal: String::new(),
    }])
}

/// Holds up a callback at its first call, and says when it has been told of everything.
struct Gate {
    entered: SyncSender<()>,
    opened: Receiver<()>,
    done: SyncSender<u64>,
    left: Option<usize>,
}

/// The gate's other side.
struct Keeper {
    entered: Receiver<()>,
    open: SyncSender<()>,
    done: Receiver<u64>,
}

fn gate() -> (Gate, Keeper) {
    let ((entered, has_entered), (open, opened), (done, is_done)) = (sync_channel(1), sync_channel(1), sync_channel(1));
    (Gate { entered, opened, done, left: None }, Keeper { entered: has_entered, open, done: is_done })
}

impl Gate {
    /// Told of some of `events`.
    fn pass(&mut self, told: usize, events: usize) {
        let Some(left) = &mut self.left else {
            let _ = self.entered.send(());
            let _ = self.opened.recv();
            self.left = Some(events);
            return;
        };
        *left -= told;
        if *left == 0 {
            let _ = self.done.send(now_ns());
        }
    }
}

impl Keeper {
    /// Opens the gate; nanoseconds until everything has passed.
    fn open(&self) -> Result<u64> {
        let start = now_ns();
        self.open.send(())?;
        Ok(self.done.recv_timeout(LONG)? - start)
    }
}

/// Nanoseconds in which a callback is told of so many puts.
fn told(map: &Map, events: usize, round: u64) -> Result<u64> {
    let (mut gate, keeper) = gate();
    let _subscription = map.subscribe(SubscribeOptions::default(), move |told| gate.pass(told.len(), events))?;
    map.put("first", round.to_le_bytes())?;
    keeper.entered.recv_timeout(LONG)?;
    for number in 0..events {
        map.put(key(number), value(number as u64, round))?;
    }
    keeper.open()
}

/// The same for copies of keys and values that wait in a queue under a lock.
fn bare(events: usize) -> Result<u64> {
    let copied = |number: usize| -> (Arc<Key>, Arc<Value>) { (Arc::new(key(number)), Arc::new(value(number as u64, 0))) };
    let queue: Mutex<VecDeque<_>> = Mutex::new((0..=events).map(copied).collect());
    let (mut gate, keeper) = gate();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut size = 1;
            loop {
                let mut waiting = queue.lock();
                let some = size.min(waiting.len());
                let batch: Vec<_> = waiting.drain(..some).collect();
                drop(waiting);
                if batch.is_empty() {
                    break;
                }
                gate.pass(batch.len(), events);
                size = BATCH;
            }
        });
        keeper.entered.recv_timeout(LONG)?;
        keeper.open()
    })
}
