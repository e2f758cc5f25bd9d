//! A host whose maps are grow-only sets of (origin, sequence).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bincode::{Decode, Encode};
use parking_lot::Mutex;

use crate::PeerId;
use crate::net::{Answer, Compared, Delivered, Host, Pull, PullStep};
use crate::wire::Topic;

type Item = (u64, u64);
/// Items in a delta, and in a page.
const DELTA: usize = 128;
const PAGE: usize = 20_000;
/// Origins of last words are above.
const LAST_WORDS: u64 = 1 << 32;

#[derive(Encode, Decode)]
struct Delta {
    origin: u64,
    from: u64,
    to: u64,
    /// As many bytes as the entries would have.
    padding: Vec<u8>,
}

#[derive(Encode, Decode)]
enum Request {
    /// Each map with its hash.
    Compare(Vec<([u8; 16], u64)>),
    /// The map, its hash, and the last item had.
    Pull([u8; 16], u64, Option<Item>),
    Holds([u8; 16], Item),
}

#[derive(Encode, Decode)]
enum Response {
    Compared { equal: Vec<[u8; 16]>, differs: Vec<[u8; 16]> },
    Page { items: Vec<Item>, last: bool, hash: u64 },
    Holds(bool),
}

#[derive(Default)]
struct Set {
    items: BTreeSet<Item>,
    /// What comes next from each origin, without a gap.
    next: BTreeMap<u64, u64>,
    hash: u64,
    written: u64,
    sent: u64,
}

impl Set {
    fn insert(&mut self, item: Item) {
        if self.items.insert(item) {
            self.hash ^= xxhash_rust::xxh3::xxh3_64_with_seed(&item.0.to_be_bytes(), item.1);
        }
        let next = self.next.entry(item.0).or_default();
        while self.items.contains(&(item.0, *next)) {
            *next += 1;
        }
    }
}

pub(crate) struct Sets {
    origin: u64,
    maps: Mutex<BTreeMap<Topic, Set>>,
    me: std::sync::Weak<Sets>,
    lose: AtomicBool,
    refuse: AtomicBool,
    garbage: AtomicBool,
    panic: AtomicBool,
    delay: Mutex<Duration>,
    refused: AtomicUsize,
    asked: AtomicUsize,
    gossiped: AtomicU64,
    /// How many items there were when the last words came.
    last_words: AtomicUsize,
}

impl Sets {
    pub fn new() -> Arc<Self> {
        static ORIGIN: AtomicU64 = AtomicU64::new(1);
        Arc::new_cyclic(|me| Self {
            origin: ORIGIN.fetch_add(1, Ordering::Relaxed),
            maps: Mutex::default(),
            me: me.clone(),
            lose: AtomicBool::new(false),
            refuse: AtomicBool::new(false),
            garbage: AtomicBool::new(false),
            panic: AtomicBool::new(false),
            delay: Mutex::default(),
            refused: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            gossiped: AtomicU64::new(0),
            last_words: AtomicUsize::new(0),
        })
    }

    pub fn open(&self, topic: Topic) {
        self.maps.lock().entry(topic).or_default();
    }

    pub fn put(&self, topic: Topic) {
        let mut maps = self.maps.lock();
        let set = maps.get_mut(&topic).unwrap();
        set.insert((self.origin, set.written));
        set.written += 1;
    }

    pub fn len(&self, topic: Topic) -> usize {
        self.maps.lock().get(&topic).map_or(0, |set| set.items.len())
    }

    /// Items in the outbox.
    pub fn waiting(&self, topic: Topic) -> u64 {
        let maps = self.maps.lock();
        maps[&topic].written - maps[&topic].sent
    }

    /// Takes that much longer for each delta.
    pub fn slow_down(&self, by: Duration) {
        *self.delay.lock() = by;
    }

    pub fn lose_next_delta(&self, _: Topic) {
        self.lose.store(true, Ordering::SeqCst);
    }

    /// Takes nothing in any more.
    pub fn refuse(&self, refuse: bool) {
        self.refuse.store(refuse, Ordering::SeqCst);
    }

    /// Sends nonsense in place of deltas and requests.
    pub fn send_garbage(&self, garbage: bool) {
        self.garbage.store(garbage, Ordering::SeqCst);
    }

    /// Panics at whatever a peer sends.
    pub fn panic(&self, panic: bool) {
        self.panic.store(panic, Ordering::SeqCst);
    }

    /// Asks whether a peer holds this node's item of that number.
    pub fn question(&self, topic: Topic, sequence: u64) -> Vec<u8> {
        self.encode(Request::Holds(topic.0, (self.origin, sequence)))
    }

    /// A delta that is not in any outbox, with an item that no other has.
    pub fn last_words(&self) -> Vec<u8> {
        self.encode(Delta { origin: LAST_WORDS + fresh(), from: 0, to: 1, padding: Vec::new() })
    }

    pub fn last_arrived(&self) -> usize {
        self.last_words.load(Ordering::SeqCst)
    }

    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// Calls that something from a peer has led to.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Items that came in deltas, repeated ones too.
    pub fn gossiped(&self) -> u64 {
        self.gossiped.load(Ordering::SeqCst)
    }

    fn encode(&self, message: impl Encode) -> Vec<u8> {
        match self.garbage.load(Ordering::SeqCst) {
            // Deltas must differ, or gossipsub takes them for repetitions.
            true => [&[255; 9][..], &fresh().to_be_bytes()].concat(),
            false => bincode::encode_to_vec(message, bincode::config::standard()).unwrap(),
        }
    }

    fn decode<T: Decode<()>>(&self, bytes: &[u8]) -> Option<T> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panic.load(Ordering::SeqCst), "told to panic");
        let decoded = bincode::decode_from_slice(bytes, bincode::config::standard()).ok().map(|(message, _)| message);
        if decoded.is_none() {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
        decoded
    }
}

fn fresh() -> u64 {
    static FRESH: AtomicU64 = AtomicU64::new(1);
    FRESH.fetch_add(1, Ordering::Relaxed)
}

impl Host for Sets {
    fn forget_waiting(&self, topic: Topic) {
        if let Some(set) = self.maps.lock().get_mut(&topic) {
            set.sent = set.written;
        }
    }

    fn next_delta(&self, topic: Topic) -> Option<Vec<u8>> {
        let mut maps = self.maps.lock();
        let set = maps.get_mut(&topic)?;
        if set.sent == set.written {
            return None;
        }
        let (from, to) = (set.sent, set.written.min(set.sent + DELTA as u64));
        set.sent = to;
        if self.lose.swap(false, Ordering::SeqCst) {
            return None;
        }
        Some(self.encode(Delta { origin: self.origin, from, to, padding: vec![0; 130 * (to - from) as usize] }))
    }

    fn deliver(&self, topic: Topic, _: &PeerId, delta: &[u8]) -> Delivered {
        let Some(delta) = self.decode::<Delta>(delta) else { return Delivered::Rejected };
        std::thread::sleep(*self.delay.lock());
        if self.refuse.load(Ordering::SeqCst) {
            return Delivered::Taken;
        }
        let mut maps = self.maps.lock();
        let Some(set) = maps.get_mut(&topic) else { return Delivered::Rejected };
        self.gossiped.fetch_add(delta.to - delta.from, Ordering::SeqCst);
        let gap = set.next.get(&delta.origin).copied().unwrap_or(0) < delta.from;
        for sequence in delta.from..delta.to {
            set.insert((delta.origin, sequence));
        }
        if delta.origin > LAST_WORDS {
            self.last_words.store(set.items.len(), Ordering::SeqCst);
        }
        if gap { Delivered::Gap } else { Delivered::Taken }
    }

    fn answer(&self, _: &PeerId, request: &[u8]) -> Option<Answer> {
        let maps = self.maps.lock();
        match self.decode::<Request>(request)? {
            Request::Holds(topic, item) => {
                let holds = maps.get(&Topic(topic)).is_some_and(|set| set.items.contains(&item));
                Some(Answer::of(self.encode(Response::Holds(holds))))
            }
            Request::Compare(theirs) => {
                let (mut equal, mut differs) = (Vec::new(), Vec::new());
                for (topic, hash) in theirs {
                    if let Some(set) = maps.get(&Topic(topic)) {
                        if set.hash == hash { equal.push(topic) } else { differs.push(topic) }
                    }
                }
                let topics = differs.iter().map(|topic| Topic(*topic)).collect();
                Some(Answer { differs: topics, ..Answer::of(self.encode(Response::Compared { equal, differs })) })
            }
            Request::Pull(topic, hash, after) => {
                let set = maps.get(&Topic(topic))?;
                let start = after.map_or((0, 0), |(origin, sequence)| (origin, sequence + 1));
                let items: Vec<_> = set.items.range(start..).take(PAGE).copied().collect();
                let last = items.len() < PAGE;
                let differs = if set.hash == hash { vec![] } else { vec![Topic(topic)] };
                Some(Answer { differs, ..Answer::of(self.encode(Response::Page { items, last, hash: set.hash })) })
            }
        }
    }

    fn state(&self) -> u64 {
        let maps = self.maps.lock();
        let all = maps.iter().flat_map(|(topic, set)| [&topic.0[..], &set.hash.to_be_bytes()].concat());
        xxhash_rust::xxh3::xxh3_64(&all.collect::<Vec<u8>>())
    }

    fn found_equal(&self, _: &PeerId) {}

    fn compare(&self) -> Option<Vec<u8>> {
        let maps = self.maps.lock();
        let all: Vec<_> = maps.iter().map(|(topic, set)| (topic.0, set.hash)).collect();
        (!all.is_empty()).then(|| self.encode(Request::Compare(all)))
    }

    fn compared(&self, _: &PeerId, response: &[u8]) -> Option<Compared> {
        match self.decode(response)? {
            Response::Compared { equal, differs } => Some(Compared {
                equal: equal.into_iter().map(Topic).collect(),
                differs: differs.into_iter().map(Topic).collect(),
            }),
            Response::Page { .. } | Response::Holds(_) => None,
        }
    }

    fn holds(&self, _: &PeerId, response: &[u8]) -> Option<bool> {
        match self.decode(response)? {
            Response::Holds(holds) => Some(holds),
            Response::Compared { .. } | Response::Page { .. } => None,
        }
    }

    fn pull(&self, _: &PeerId, topic: Topic) -> Option<Box<dyn Pull>> {
        self.maps.lock().get(&topic)?;
        Some(Box::new(SetPull { sets: self.me.upgrade()?, topic, after: None }))
    }
}

struct SetPull {
    sets: Arc<Sets>,
    topic: Topic,
    after: Option<Item>,
}

impl Pull for SetPull {
    fn request(&mut self) -> Vec<u8> {
        let hash = self.sets.maps.lock()[&self.topic].hash;
        self.sets.encode(Request::Pull(self.topic.0, hash, self.after))
    }

    fn response(&mut self, response: &[u8], ask: &mut dyn FnMut(Vec<u8>)) -> PullStep {
        let Some(Response::Page { items, last, hash }) = self.sets.decode(response) else { return PullStep::Failed };
        if self.sets.refuse.load(Ordering::SeqCst) {
            return PullStep::Done { equal: false };
        }
        self.after = items.last().copied();
        if !last {
            ask(self.request());
        }
        let mut maps = self.sets.maps.lock();
        let Some(set) = maps.get_mut(&self.topic) else { return PullStep::Failed };
        items.into_iter().for_each(|item| set.insert(item));
        if last { PullStep::Done { equal: set.hash == hash } } else { PullStep::More }
    }

    /// Large sets are merged away from the network thread.
    fn blocks(&self) -> bool {
        self.after.is_some()
    }
}

/// Waits for a condition. Panics after a time that no machine needs.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Entries of a directory of /proc.
pub(crate) fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).map_or(0, |entries| entries.count())
}
