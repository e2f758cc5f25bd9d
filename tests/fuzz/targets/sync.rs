//! The state machine of gossip and syncs: three replicas, whose messages are lost, repeated, reordered, altered and made up.
//!
//! Whatever arrives, clocks and contexts stay within their bounds. Where all messages were honest, all come to the same.

use super::Feed;
use crate::limits::MAX_ORIGINS;
use crate::peer::PeerId;
use crate::replica::{Comparison, Origin, Puller, Pulse, Replica, Rules, Step, Timestamp};
use crate::wire::Topic;
use crate::wire::gossip::{self, Gossip};
use crate::wire::sync::{self, Request, Response};

const NODES: usize = 3;
const STEPS: usize = 256;
const MAIL: usize = 16;
const DRIFT_MS: u64 = 1_000;
const START_MS: u64 = 1_000_000;

struct Cluster {
    replicas: Vec<Replica>,
    /// One pull each at a time, with whom.
    pulls: Vec<Option<(usize, Puller)>>,
    deltas: Vec<Vec<u8>>,
    pulses: Vec<Pulse>,
    now_ms: u64,
    honest: bool,
}

pub fn sync(data: &[u8]) {
    let mut feed = Feed::new(data);
    let presence = feed.byte() & 1 == 1;
    let mut cluster = Cluster::new(presence);
    for _ in 0..STEPS {
        if feed.is_empty() {
            break;
        }
        cluster.step(&mut feed);
        cluster.check();
    }
    if cluster.honest && !presence {
        cluster.settle();
    }
}

impl Cluster {
    fn new(presence: bool) -> Self {
        let rules = Rules {
            presence,
            signed: false,
            tombstone_ttl_ms: 5_000,
            origin_retention_ms: 1_000_000_000,
            peer_timeout_ms: 2_000,
            max_clock_drift_ms: DRIFT_MS,
        };
        let peer = |name: usize| PeerId::from_bytes(&[name as u8 + 1]).expect("one byte is a peer id");
        let replicas = (0..NODES).map(|name| Replica::new(Origin::new(peer(name), 1), rules)).collect();
        let pulls = (0..NODES).map(|_| None).collect();
        Self { replicas, pulls, deltas: Vec::new(), pulses: Vec::new(), now_ms: START_MS, honest: true }
    }

    fn step(&mut self, feed: &mut Feed<'_>) {
        let what = feed.below(14);
        let at = feed.below(NODES);
        let now_ms = self.now_ms;
        let replica = &mut self.replicas[at];
        match what {
            0 | 1 => {
                let key = [b'a' + feed.below(6) as u8];
                let expires_at_ms = if feed.byte() & 3 == 0 { now_ms + 50 * u64::from(feed.byte()) + 1 } else { 0 };
                let len = feed.below(8);
                replica.put(&key, feed.take(len), expires_at_ms, now_ms);
            }
            2 => drop(replica.remove(&[b'a' + feed.below(6) as u8], now_ms)),
            3 => {
                if let Some(delta) = replica.cut_delta(1 + feed.below(64)) {
                    self.deltas.truncate(MAIL - 1);
                    self.deltas.insert(0, gossip::encode_delta(&delta));
                }
            }
            4 if !self.deltas.is_empty() => {
                let delta = self.deltas[feed.below(self.deltas.len())].clone();
                self.deliver(at, &delta);
            }
            5 if !self.deltas.is_empty() => {
                let mut delta = self.deltas[feed.below(self.deltas.len())].clone();
                let place = feed.below(256) % delta.len();
                delta[place] ^= feed.byte();
                self.honest = false;
                self.deliver(at, &delta);
            }
            6 => {
                self.honest = false;
                self.deliver(at, feed.some());
            }
            7 => {
                let (from, full) = (feed.below(NODES), feed.byte() & 1 == 1);
                self.pulls[at] = (from != at).then(|| (from, puller(replica, full)));
            }
            8 => _ = self.pull(at, feed.byte()),
            9 => {
                self.honest = false;
                self.take_page(at, feed.some());
            }
            10 => {
                self.honest = false;
                let page = self.page_for(at, 1).map(|mut page| {
                    let place = feed.below(256) % page.len();
                    page[place] ^= feed.byte();
                    page
                });
                if let Some(page) = page {
                    self.take_page(at, &page);
                }
            }
            11 => self.now_ms += 50 * u64::from(feed.byte()),
            12 => {
                replica.expire(now_ms, &mut Vec::new());
                replica.sweep(now_ms, &mut Vec::new());
                self.pulses.truncate(MAIL - 1);
                let pulse = if feed.byte() & 7 == 0 { replica.farewell(now_ms) } else { replica.pulse(now_ms) };
                self.pulses.extend(pulse);
            }
            _ if !self.pulses.is_empty() => {
                let pulse = self.pulses[feed.below(self.pulses.len())].clone();
                replica.heard(&pulse, now_ms, &mut Vec::new());
            }
            _ => {}
        }
    }

    fn deliver(&mut self, at: usize, delta: &[u8]) {
        match gossip::decode(delta) {
            Ok(Gossip::Delta(delta)) => drop(self.replicas[at].merge_delta(&delta, &[], self.now_ms, &mut Vec::new())),
            Ok(Gossip::Pulse(pulse)) => drop(self.replicas[at].heard(&pulse, self.now_ms, &mut Vec::new())),
            Err(_) => assert!(!self.honest, "what a replica sends can be read"),
        }
    }

    /// The page that the pull of a node asks for.
    fn page_for(&self, at: usize, target_bytes: u8) -> Option<Vec<u8>> {
        let (from, puller) = self.pulls[at].as_ref()?;
        let request = sync::encode_pull(Topic([7; 16]), puller.request());
        let Ok(Request::Pull(_, request)) = sync::decode_request(&request) else { panic!("our own request can be read") };
        Some(sync::encode_page(&self.replicas[*from].page(&request, usize::from(target_bytes))))
    }

    /// One more page. Whether the pull goes on.
    fn pull(&mut self, at: usize, target_bytes: u8) -> bool {
        self.page_for(at, target_bytes).is_some_and(|page| self.take_page(at, &page))
    }

    fn take_page(&mut self, at: usize, page: &[u8]) -> bool {
        let Some((from, mut puller)) = self.pulls[at].take() else { return false };
        let (replica, now_ms) = (&mut self.replicas[at], self.now_ms);
        let Ok(Response::Page(entries, end)) = sync::decode_response(page) else {
            assert!(!self.honest, "what a replica sends can be read");
            return false;
        };
        let unclaimed = replica.merge_entries(&entries, &[], puller.mends(), now_ms, &mut Vec::new());
        match puller.page(&entries, end, unclaimed) {
            Step::More => self.pulls[at] = Some((from, puller)),
            Step::Join(join) => replica.join(&join, now_ms, &mut Vec::new()),
            Step::Malformed => assert!(!self.honest, "an honest pull ends"),
        }
        self.pulls[at].is_some()
    }

    fn check(&self) {
        let newest = Timestamp::from_ms(self.now_ms + DRIFT_MS + 1);
        for replica in &self.replicas {
            assert!(replica.context().len() <= MAX_ORIGINS);
            assert!(replica.clock_ahead_ms(self.now_ms) <= DRIFT_MS + 1, "nobody's clock was led away");
            for (origin, seen) in replica.context().origins() {
                assert!(seen.newest() <= newest || origin == replica.origin(), "nobody has seen the future");
            }
        }
    }

    /// All meet until they are the same.
    fn settle(&mut self) {
        for _ in 0..4 * NODES {
            for at in 0..NODES {
                self.replicas[at].expire(self.now_ms, &mut Vec::new());
                self.replicas[at].sweep(self.now_ms, &mut Vec::new());
            }
            for (at, from) in (0..NODES).flat_map(|at| (0..NODES).map(move |from| (at, from))) {
                let comparison = self.replicas[at].digest().compare(&self.replicas[from].digest());
                if at != from && comparison != Comparison::Equal {
                    self.pulls[at] = Some((from, puller(&self.replicas[at], comparison == Comparison::Suspicious)));
                    while self.pull(at, 255) {}
                }
            }
        }
        for replica in &self.replicas {
            assert_eq!(replica.digest(), self.replicas[0].digest(), "all come to the same");
        }
    }
}

fn puller(replica: &Replica, full: bool) -> Puller {
    let context = replica.context().clone();
    if full { Puller::full(context) } else { Puller::new(context).but_for(replica.past_refusals().clone()) }
}
