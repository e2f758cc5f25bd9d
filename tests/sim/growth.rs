//! How what it takes for all replicas to agree grows with their number: in rounds, and in bytes.
//!
//! Replicas are joined at random, as nodes are that dial a few others. In a round every message goes one hop. By gossip a delta
//! goes on to every neighbour but the one it came from, as it does in a mesh; by repair alone each replica compares itself with one
//! neighbour and pulls what differs, one pull a replica and round. All bytes are those of the real messages, without those of the
//! protocols below.

use std::collections::HashSet;

use crate::dice::Dice;
use crate::peer::PeerId;
use crate::replica::{Comparison, Origin, Puller, Replica, Rules, Step};
use crate::wire::Topic;
use crate::wire::gossip::{self, Gossip};
use crate::wire::sync::{self, Digests, Request, Response};

const SIZES: [usize; 9] = [2, 5, 10, 20, 50, 100, 200, 500, 1000];
/// Each replica dials so many, and others dial it.
const DIALED: usize = 4;
/// Of as many authors, where there are as many.
const WRITES: usize = 20;
const VALUE_BYTES: usize = 100;
const SEEDS: u64 = 3;
const TOPIC: Topic = Topic([7; 16]);
const NOW_MS: u64 = 1_800_000_000_000;
const RULES: Rules = Rules {
    presence: false,
    signed: false,
    tombstone_ttl_ms: 1_000_000,
    origin_retention_ms: 1_000_000,
    peer_timeout_ms: 1_000,
    max_clock_drift_ms: 60_000,
};

/// What it took.
#[derive(Clone, Copy, Default)]
struct Taken {
    rounds: usize,
    bytes: usize,
}

struct Crowd {
    replicas: Vec<Replica>,
    neighbours: Vec<Vec<usize>>,
    dice: Dice,
    taken: Taken,
}

impl Crowd {
    fn new(size: usize, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let replica = |at: usize| {
            // As long as a real one.
            let name = [at.to_be_bytes().repeat(4), vec![0; 6]].concat();
            Replica::new(Origin::new(PeerId::from_bytes(&name).expect("a peer id of 38 bytes"), 1), RULES)
        };
        let mut neighbours = vec![Vec::new(); size];
        for at in 1..size {
            // Who joins reaches some that are there already: all hang together.
            for _ in 0..DIALED.min(at) {
                let other = dice.roll(at);
                if !neighbours[at].contains(&other) {
                    neighbours[at].push(other);
                    neighbours[other].push(at);
                }
            }
        }
        Self { replicas: (0..size).map(replica).collect(), neighbours, dice, taken: Taken::default() }
    }

    /// Writes, each by another author if there are so many; the deltas that tell of them, with their authors.
    fn write(&mut self) -> Vec<(usize, Vec<u8>)> {
        let mut told = Vec::new();
        for number in 0..WRITES {
            let author = (self.dice.roll(self.replicas.len()) + number) % self.replicas.len();
            let replica = &mut self.replicas[author];
            replica.put(format!("key of {number:09}").as_bytes(), &[b'v'; VALUE_BYTES], 0, NOW_MS);
            let delta = replica.cut_delta(usize::MAX).expect("a write waits");
            told.push((author, gossip::encode_delta(&delta)));
        }
        told
    }

    fn agree(&self) -> bool {
        let first = self.replicas[0].digest();
        self.replicas.iter().all(|replica| replica.digest() == first)
    }

    fn by_gossip(mut self) -> Taken {
        let told = self.write();
        let size = self.replicas.len();
        let mut heard: HashSet<(usize, usize)> =
            told.iter().enumerate().map(|(number, (author, _))| (*author, number)).collect();
        // (who sends it on, from whom it came, which)
        let mut leaving: Vec<(usize, usize, usize)> =
            told.iter().enumerate().map(|(number, (author, _))| (*author, size, number)).collect();
        while !self.agree() {
            self.taken.rounds += 1;
            for (at, from, number) in std::mem::take(&mut leaving) {
                for &to in self.neighbours[at].iter().filter(|to| **to != from) {
                    let bytes = &told[number].1;
                    self.taken.bytes += bytes.len();
                    if heard.insert((to, number)) {
                        let Ok(Gossip::Delta(delta)) = gossip::decode(bytes) else { panic!("our own delta decodes") };
                        self.replicas[to].merge_delta(&delta, &[], NOW_MS, &mut Vec::new());
                        leaving.push((to, at, number));
                    }
                }
            }
        }
        self.taken
    }

    fn by_repair(mut self) -> Taken {
        self.write();
        while !self.agree() {
            self.taken.rounds += 1;
            // What each finds out in this round is what the others held when it began.
            let pulls = self.compare();
            let pages: Vec<(usize, Puller, Vec<u8>)> = pulls.into_iter().map(|(to, from)| self.serve(to, from)).collect();
            for (to, puller, page) in pages {
                self.take(to, puller, &page);
            }
        }
        self.taken
    }

    /// Each with one neighbour: who pulls, and from whom.
    fn compare(&mut self) -> Vec<(usize, usize)> {
        let (mut pulls, mut busy) = (Vec::new(), HashSet::new());
        let first = self.dice.roll(self.replicas.len());
        for at in (0..self.replicas.len()).map(|at| (first + at) % self.neighbours.len()) {
            let other = self.neighbours[at][self.dice.roll(self.neighbours[at].len())];
            let digests = [at, other].map(|one| self.replicas[one].digest());
            let said = digests.each_ref().map(|digest| Digests { now_ms: NOW_MS, maps: vec![(TOPIC, *digest)] });
            self.taken.bytes += sync::encode_compare(&said[0]).len() + sync::encode_compared(&said[1]).len();
            if digests[0].compare(&digests[1]) != Comparison::Equal {
                pulls.extend([(at, other), (other, at)].into_iter().filter(|(to, _)| busy.insert(*to)));
            }
        }
        pulls
    }

    /// A pull, up to its page.
    fn serve(&mut self, to: usize, from: usize) -> (usize, Puller, Vec<u8>) {
        let puller = Puller::new(self.replicas[to].context().clone());
        let request = sync::encode_pull(TOPIC, puller.request());
        let Ok(Request::Pull(_, asked)) = sync::decode_request(&request) else { panic!("our own request decodes") };
        let page = sync::encode_page(&self.replicas[from].page(&asked, usize::MAX));
        self.taken.bytes += request.len() + page.len();
        (to, puller, page)
    }

    fn take(&mut self, to: usize, mut puller: Puller, page: &[u8]) {
        let Ok(Response::Page(entries, end)) = sync::decode_response(page) else { panic!("our own page decodes") };
        let (replica, mut changes) = (&mut self.replicas[to], Vec::new());
        let unclaimed = replica.merge_entries(&entries, &[], puller.mends(), NOW_MS, &mut changes);
        match puller.page(&entries, end, unclaimed) {
            Step::Join(join) => replica.join(&join, NOW_MS, &mut changes),
            Step::More | Step::Malformed => panic!("all of it is one page"),
        }
    }
}

/// How replicas come to agree.
type Way = fn(Crowd) -> Taken;

/// The median of the rounds of some seeds, and the mean of bytes a replica and write.
fn taken(size: usize, run: Way) -> (usize, f64) {
    let mut runs: Vec<Taken> = (0..SEEDS).map(|seed| run(Crowd::new(size, seed))).collect();
    runs.sort_by_key(|taken| taken.rounds);
    let bytes: usize = runs.iter().map(|taken| taken.bytes).sum();
    (runs[runs.len() / 2].rounds, bytes as f64 / (SEEDS as usize * size * WRITES) as f64)
}

/// Prints what it finds, a line each: how, replicas, rounds, bytes a replica and write.
#[test]
fn rounds_grow_with_the_logarithm_and_bytes_of_each_replica_hardly() {
    for (how, run) in [("gossip", Crowd::by_gossip as Way), ("repair", Crowd::by_repair)] {
        let found = SIZES.map(|size| (size, taken(size, run)));
        for (size, (rounds, bytes)) in found {
            println!("growth\t{how}\t{size}\t{rounds}\t{bytes:.1}");
            let doublings = (size as f64).log2().ceil() as usize;
            assert!(rounds <= 2 * doublings + 2, "{how}: {rounds} rounds of {size} replicas");
        }
        let bytes = |wanted: usize| found.iter().find(|(size, _)| *size == wanted).map_or(0.0, |(_, (_, bytes))| *bytes);
        assert!(bytes(1000) <= 2.0 * bytes(20), "{how}: {} bytes instead of {}", bytes(1000), bytes(20));
    }
}
