//! A process that keeps writing and removing, writes down what it did, and remembers what it saw.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use p2pmap::{Batch, Error, ErrorKind, Event, EventKind, Map, ScanOptions, Stamp, SubscribeOptions, Subscription};
use p2pmap_tests::journal::{Journal, Written};

/// What to write. Half of the writes go to hot keys that all processes fight over; a third of those remove. The other half
/// make keys that are never written again, and remove such keys of any process: whatever is lost or comes back, shows.
pub struct Load {
    /// Hot keys.
    pub keys: u64,
    pub a_second: u64,
    pub seed: u64,
}

pub struct Churn {
    map: Map,
    resting: Arc<AtomicBool>,
    writer: Option<JoinHandle<io::Result<usize>>>,
    /// The greatest write of each key that an event told of.
    seen: Arc<Mutex<HashMap<String, Written>>>,
    _subscription: Subscription,
}

impl Churn {
    /// Starts to write, and to write down what it does.
    pub fn start(map: &Map, journal: &str, load: Load) -> Result<Self, Error> {
        let seen = Arc::<Mutex<HashMap<String, Written>>>::default();
        let remembered = seen.clone();
        let options = SubscribeOptions { snapshot: true, ..Default::default() };
        let subscription = map.subscribe(options, move |events| {
            let mut seen = remembered.lock().unwrap_or_else(PoisonError::into_inner);
            events.iter().filter_map(written).for_each(|written| remember(&mut seen, written));
        })?;
        let resting = Arc::new(AtomicBool::new(false));
        let journal = Journal::create(Path::new(journal)).map_err(|error| failed(&error))?;
        let writer = thread::spawn({
            let (map, resting) = (map.clone(), resting.clone());
            move || write(&map, journal, &load, &resting)
        });
        Ok(Self { map: map.clone(), resting, writer: Some(writer), seen, _subscription: subscription })
    }

    /// Stops writing. How much was written.
    pub fn rest(&mut self) -> Result<usize, Error> {
        self.resting.store(true, Ordering::SeqCst);
        let Some(writer) = self.writer.take() else { return Ok(0) };
        let ended = writer.join().map_err(|_| failed(&io::Error::other("the writer panicked")))?;
        ended.map_err(|error| failed(&error))
    }

    /// Writes all entries to one file, and what was seen to another.
    pub fn dump(&self, entries: &str, seen: &str) -> Result<(), Error> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut lines = String::new();
        for entry in self.map.scan(ScanOptions::default())? {
            let (key, value) = (text(&entry.key()[..]), Some(text(&entry.value()[..])));
            lines += &format!("{}\n", Written { stamp: entry.stamp(), key, value, removed: None });
        }
        std::fs::write(entries, lines).map_err(|error| failed(&error))?;
        let told = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: String = told.values().map(|written| format!("{written}\n")).collect();
        std::fs::write(seen, lines).map_err(|error| failed(&error))
    }
}

fn written(event: &Event) -> Option<Written> {
    let value = match event.kind() {
        EventKind::Put => Some(String::from_utf8_lossy(event.value()?).into_owned()),
        EventKind::Remove => None,
        _ => return None,
    };
    Some(Written { stamp: event.stamp()?, key: String::from_utf8_lossy(event.key()).into_owned(), value, removed: None })
}

fn remember(seen: &mut HashMap<String, Written>, written: Written) {
    match seen.get(&written.key) {
        Some(known) if known.stamp >= written.stamp => {}
        _ => {
            seen.insert(written.key.clone(), written);
        }
    }
}

fn write(map: &Map, mut journal: Journal, load: &Load, resting: &AtomicBool) -> io::Result<usize> {
    let (mut dice, mut count) = (Dice(load.seed), 0);
    let pause_us = 1_000_000 / load.a_second;
    while !resting.load(Ordering::SeqCst) {
        // No two writes write the same.
        let value = format!("{}/{count}", load.seed);
        let (key, value) = match dice.below(12) {
            0..4 => (format!("hot/{:04}", dice.below(load.keys)), Some(value)),
            4..6 => (format!("hot/{:04}", dice.below(load.keys)), None),
            6..10 => (format!("once/{:08x}/{value}", dice.below(1 << 32)), Some(value)),
            _ => (once(map, &mut dice).map_err(io::Error::other)?, None),
        };
        journal.intend(&key, value.as_deref())?;
        let (stamp, removed) = change(map, &key, value.as_deref()).map_err(io::Error::other)?;
        journal.done(stamp.as_ref(), removed.as_ref())?;
        count += 1;
        // The load is so many writes a second, not as many as possible.
        thread::sleep(Duration::from_micros(pause_us / 2 + dice.below(pause_us)));
    }
    Ok(count)
}

/// Some key that was written once, by anyone.
fn once(map: &Map, dice: &mut Dice) -> Result<String, Error> {
    let start = format!("once/{:08x}", dice.below(1 << 32));
    let found =
        map.scan(ScanOptions { prefix: b"once/".to_vec(), start: Some(start.into()), limit: Some(1), ..Default::default() })?;
    let found = found.map(|entry| String::from_utf8_lossy(entry.key()).into_owned()).next();
    Ok(found.unwrap_or_else(|| "once/none".into()))
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// Writes or removes: with which stamp, and the write that was removed.
fn change(map: &Map, key: &str, value: Option<&str>) -> Result<(Option<Stamp>, Option<Stamp>), Error> {
    match value {
        Some(value) => Ok((Some(map.put(key, value)?), None)),
        None => {
            let removed = map.entry(key)?.map(|entry| entry.stamp());
            Ok((map.apply(Batch::new().remove(key))?, removed))
        }
    }
}

fn failed(error: &io::Error) -> Error {
    Error::new(ErrorKind::Internal, error.to_string())
}
