//! A member that means harm: the real network, in front of a host that says whatever it is told to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::messages::compare;
use super::{LONG, MAP, SECRET, until};
use crate::Map;
use crate::net::{Answer, Compared, Delivered, Host, NetConfig, Network, Pull};
use crate::peer::PeerId;
use crate::secret::Secret;
use crate::wire::Topic;

/// What it answers to a request. `None`: nothing, and the stream breaks.
type Reply = Box<dyn FnMut(&[u8]) -> Option<Vec<u8>> + Send>;

/// What it says.
pub struct Script {
    gossip: Mutex<VecDeque<Vec<u8>>>,
    requests: Mutex<VecDeque<Vec<u8>>>,
    reply: Mutex<Reply>,
    /// What it was told by gossip.
    heard: Mutex<Vec<Vec<u8>>>,
    asked: AtomicU64,
}

pub struct Evil {
    pub script: Arc<Script>,
    net: Network,
}

pub fn topic() -> Topic {
    Topic::new("default", MAP)
}

impl Evil {
    /// Joins those.
    pub fn join(maps: &[&Map]) -> Self {
        let evil = Self::start(maps.iter().map(|map| map.node().addrs().swap_remove(0)).collect());
        until("it is let in, and they meet", || {
            let peers = evil.net.peers();
            maps.iter().all(|map| peers.iter().any(|peer| peer.id == *map.node().id() && peer.topics.contains(&topic())))
        });
        evil
    }

    /// Joins who is there, in another process.
    pub fn at(addr: &str) -> Self {
        let evil = Self::start(vec![addr.to_owned()]);
        until("it is let in, and they meet", || evil.net.peers().iter().any(|peer| peer.topics.contains(&topic())));
        evil
    }

    fn start(bootstrap: Vec<String>) -> Self {
        let script = Arc::new(Script {
            gossip: Mutex::default(),
            requests: Mutex::default(),
            reply: Mutex::new(Box::new(|_| None)),
            heard: Mutex::default(),
            asked: AtomicU64::new(0),
        });
        let evil = Self { net: Network::start(config(bootstrap), script.clone()).unwrap(), script };
        evil.net.subscribe(topic());
        evil
    }

    pub fn id(&self) -> &PeerId {
        self.net.id()
    }

    pub fn gossip(&self, message: Vec<u8>) {
        self.script.gossip.lock().push_back(message);
        self.net.wake(topic());
    }

    /// Asks every peer that.
    pub fn ask(&self, request: Vec<u8>) {
        self.script.requests.lock().push_back(request);
        // It is asked in place of a comparison; nobody waits for the answer.
        let _ = self.net.sync(topic(), Duration::from_millis(1));
    }

    /// Asks all peers something that cannot be read, and again while that holds, as fast as it can.
    pub fn pester(&self, go_on: impl Fn() -> bool + Sync) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while go_on() {
                        // The same would be asked once.
                        let nonsense = [&[1, 77][..], &NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes()].concat();
                        let _ = self.net.wait_held(topic(), nonsense, 1, Duration::from_millis(1));
                    }
                });
            }
        });
    }

    /// Why that node does not let it in.
    pub fn refused_by(&self, map: &Map) -> String {
        self.net.connect(&map.node().addrs()[0], LONG).unwrap_err().to_string()
    }

    pub fn reply(&self, reply: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static) {
        *self.script.reply.lock() = Box::new(reply);
    }

    /// Until it has been asked so often.
    pub fn wait_until_asked(&self, times: u64) {
        let from = self.script.asked.load(Ordering::Relaxed);
        until("it is asked", || {
            // Who compares finds a difference, and pulls.
            self.ask(compare());
            self.script.asked.load(Ordering::Relaxed) >= from + times
        });
    }

    /// All has left that it was told to say; or nobody listens any more.
    pub fn flush(&self) {
        until("everything has left", || {
            self.net.wake(topic());
            self.script.gossip.lock().is_empty() || self.is_out()
        });
    }

    pub fn is_out(&self) -> bool {
        self.net.peers().is_empty()
    }

    pub fn heard(&self) -> Vec<Vec<u8>> {
        self.script.heard.lock().clone()
    }

    /// Meets one more.
    pub fn connect(&self, map: &Map) {
        self.net.connect(&map.node().addrs()[0], LONG).unwrap();
    }
}

fn config(bootstrap: Vec<String>) -> NetConfig {
    NetConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        external_addrs: vec![],
        bootstrap,
        cluster_id: "default".into(),
        secrets: vec![Secret::parse(SECRET).unwrap()],
        allow_peers: vec![],
        ban_peers: vec![],
        trust: None,
        identity: None,
        run: 1,
        target_peers: 16,
        max_peers: 64,
        anti_entropy: Duration::from_millis(100),
        seed: 1,
    }
}

impl Host for Script {
    fn next_delta(&self, _: Topic) -> Option<Vec<u8>> {
        self.gossip.lock().pop_front()
    }

    fn forget_waiting(&self, _: Topic) {}

    fn deliver(&self, _: Topic, _: &PeerId, delta: &[u8]) -> Delivered {
        self.heard.lock().push(delta.to_vec());
        Delivered::Taken
    }

    fn answer(&self, _: &PeerId, request: &[u8]) -> Option<Answer> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (self.reply.lock())(request).map(Answer::of)
    }

    /// Never the same, so that everybody goes on asking.
    fn state(&self) -> u64 {
        self.asked.load(Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
    }

    fn found_equal(&self, _: &PeerId) {}

    fn compare(&self) -> Option<Vec<u8>> {
        self.requests.lock().pop_front()
    }

    fn compared(&self, _: &PeerId, _: &[u8]) -> Option<Compared> {
        Some(Compared { equal: vec![topic()], differs: vec![] })
    }

    fn holds(&self, _: &PeerId, _: &[u8]) -> Option<bool> {
        Some(true)
    }

    fn pull(&self, _: &PeerId, _: Topic) -> Option<Box<dyn Pull>> {
        None
    }
}
