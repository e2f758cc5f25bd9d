//! Several networks in one process, on loopback, over a host that holds grow-only sets.

mod admission;
mod copies;
mod handle;
mod held;
mod host;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::host::{Sets, until};
use super::{NetConfig, Network};
use crate::error::ErrorKind;
use crate::wire::Topic;

const FLAGS: Topic = Topic([7; 16]);
const LONG: Duration = Duration::from_secs(30);

/// A node of the test.
struct Node {
    sets: Arc<Sets>,
    net: Network,
}

impl Node {
    fn start(bootstrap: &[String]) -> Self {
        Self::with(|config| config.bootstrap = bootstrap.to_vec())
    }

    fn with(change: impl FnOnce(&mut NetConfig)) -> Self {
        let mut config = config();
        change(&mut config);
        let sets = Sets::new();
        let net = Network::start(config, sets.clone()).unwrap();
        Self { sets, net }
    }

    fn open(self) -> Self {
        self.sets.open(FLAGS);
        self.net.subscribe(FLAGS);
        self
    }

    fn put(&self, count: usize) {
        for _ in 0..count {
            self.sets.put(FLAGS);
            self.net.wake(FLAGS);
        }
    }

    fn len(&self) -> usize {
        self.sets.len(FLAGS)
    }

    fn has(&self, len: usize) -> bool {
        self.len() == len
    }

    fn meets(&self, other: &Node) -> bool {
        let both = |peer: &super::NetPeer| peer.id == *other.net.id() && peer.topics.contains(&FLAGS);
        self.net.peers().iter().any(both)
    }
}

fn config() -> NetConfig {
    NetConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
        external_addrs: vec![],
        bootstrap: vec![],
        cluster_id: "tests".into(),
        secrets: vec![],
        allow_peers: vec![],
        ban_peers: vec![],
        trust: None,
        identity: None,
        run: new_run(),
        target_peers: 16,
        max_peers: 64,
        // Never in these tests, unless they ask for it: what arrives came by gossip or by a sync that something called for.
        anti_entropy: Duration::from_secs(3600),
        seed: 1,
    }
}

/// As an opening draws it: greater than all before.
fn new_run() -> u64 {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    RUNS.fetch_add(1, Ordering::Relaxed)
}

fn pair() -> (Node, Node) {
    let a = Node::start(&[]).open();
    let b = Node::start(&a.net.addrs()).open();
    until("the two meet", || a.meets(&b) && b.meets(&a));
    (a, b)
}

#[test]
fn a_write_reaches_the_other_node() {
    let (a, b) = pair();
    a.put(1);
    until("it arrives", || b.has(1));
    b.put(2);
    until("they arrive", || a.has(3));
}

#[test]
fn a_write_reaches_the_other_node_over_quic() {
    let quic = |config: &mut NetConfig| config.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()];
    let a = Node::with(quic).open();
    let bootstrap = a.net.addrs();
    let b = Node::with(|config| {
        quic(config);
        config.bootstrap = bootstrap;
    })
    .open();
    until("the two meet", || a.meets(&b) && b.meets(&a));
    a.put(1);
    until("it arrives", || b.has(1));
}

#[test]
fn what_was_written_before_anybody_listened_is_synced() {
    let a = Node::start(&[]).open();
    a.put(1000);
    let b = Node::start(&a.net.addrs()).open();
    b.put(10);
    until("both hold everything", || a.has(1010) && b.has(1010));
}

#[test]
fn a_map_opened_late_is_synced() {
    let a = Node::start(&[]).open();
    let b = Node::start(&a.net.addrs());
    until("connected", || b.net.peers().len() == 1);
    a.put(100);
    let b = b.open();
    until("it is pulled", || b.has(100));
}

#[test]
fn a_gap_is_filled_by_a_sync() {
    let (a, b) = pair();
    a.put(1);
    until("it arrives", || b.has(1));
    a.sets.lose_next_delta(FLAGS);
    a.put(1);
    until("the delta is lost", || a.sets.waiting(FLAGS) == 0);
    a.put(1);
    until("the gap is filled", || b.has(3));
}

#[test]
fn a_hundred_thousand_writes_back_to_back_arrive_by_gossip() {
    let (a, b) = pair();
    until("the first syncs are over", || a.net.sync(FLAGS, LONG).is_ok());
    a.put(100_000);
    until("all arrive", || b.has(100_000) && b.sets.gossiped() == 100_000);
}

#[test]
fn a_hundred_thousand_writes_are_pulled_by_a_late_joiner() {
    let a = Node::start(&[]).open();
    a.put(100_000);
    let b = Node::start(&a.net.addrs()).open();
    until("all are pulled", || b.has(100_000));
}

#[test]
fn five_nodes_know_each_other_through_one_and_survive_it() {
    let first = Node::start(&[]).open();
    let others: Vec<_> = (0..4).map(|_| Node::start(&first.net.addrs()).open()).collect();
    until("everyone is connected with everyone", || {
        first.net.peers().len() == 4 && others.iter().all(|node| node.net.peers().len() == 4)
    });
    until("everyone knows everyone", || others.iter().all(|node| node.net.members() == 4));
    drop(first);
    until("the first is gone", || others.iter().all(|node| node.net.peers().len() == 3));
    others[0].put(50);
    others[3].put(50);
    until("the others go on", || others.iter().all(|node| node.has(100)));
}

#[test]
fn two_clusters_exchange_nothing() {
    let a = Node::start(&[]).open();
    a.put(10);
    let bootstrap = a.net.addrs();
    let b = Node::with(|config| {
        config.cluster_id = "another".into();
        config.bootstrap = bootstrap.clone();
    })
    .open();
    let error = b.net.connect(&bootstrap[0], LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    until("they part", || a.net.peers().is_empty() && b.net.peers().is_empty());
    b.put(10);
    assert_eq!((a.len(), b.len()), (10, 10));
    assert_eq!((a.sets.asked(), b.sets.asked()), (0, 0), "no host heard anything of the other");
}

#[test]
fn a_node_that_bootstraps_from_itself_and_from_nobody_joins_later() {
    let port = free_port();
    let own = format!("/ip4/127.0.0.1/tcp/{port}");
    let nobody = format!("/ip4/127.0.0.1/tcp/{}", free_port());
    let a = Node::with(|config| {
        config.listen = vec![own.clone()];
        config.bootstrap = vec![own.clone(), nobody.clone()];
    })
    .open();
    let b = Node::with(|config| config.listen = vec![nobody.clone()]).open();
    until("the two meet", || a.meets(&b) && b.meets(&a));
    let error = a.net.connect(&own, LONG).unwrap_err();
    assert!(error.message().contains("own address"), "{error}");
    assert_eq!(a.net.refusal().get(), None, "it is no copy of itself");
}

#[test]
fn nodes_that_dial_each_other_at_once_keep_one_connection() {
    let ports = [free_port(), free_port()].map(|port| format!("/ip4/127.0.0.1/tcp/{port}"));
    let node = |own: usize, other: usize| {
        Node::with(|config| {
            config.listen = vec![ports[own].clone()];
            config.bootstrap = vec![ports[other].clone()];
        })
        .open()
    };
    let (a, b) = (node(0, 1), node(1, 0));
    until("the two meet", || a.meets(&b) && b.meets(&a));
    a.put(1);
    b.put(1);
    until("both hold both", || a.has(2) && b.has(2));
    let settled = Instant::now() + Duration::from_secs(2);
    until("the choice between connections is over", || Instant::now() > settled);
    assert!(a.meets(&b) && b.meets(&a));
    a.put(1);
    until("it arrives", || b.has(3));
}

#[test]
fn nodes_that_dial_each_other_at_once_come_to_know_each_other_whoever_hears_first() {
    for _ in 0..40 {
        let (a, b) = (Node::start(&[]).open(), Node::start(&[]).open());
        let (there, here) = (b.net.addrs()[0].clone(), a.net.addrs()[0].clone());
        std::thread::scope(|scope| {
            // It returns when the other is known to belong here.
            scope.spawn(|| a.net.connect(&there, LONG).unwrap());
            scope.spawn(|| b.net.connect(&here, LONG).unwrap());
        });
    }
}

#[test]
fn sync_returns_when_equal_and_says_how_many_are_not() {
    let (a, b) = pair();
    a.put(100);
    a.net.sync(FLAGS, LONG).unwrap();
    assert!(b.has(100));
    a.net.sync(Topic([9; 16]), LONG).expect("nobody else has that map");
    b.sets.refuse(true);
    a.put(1);
    let error = a.net.sync(FLAGS, Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("0 of 1"), "{error}");
}

#[test]
fn sync_alone_returns_at_once() {
    let a = Node::start(&[]).open();
    a.put(1);
    a.net.sync(FLAGS, Duration::ZERO).unwrap();
}

#[test]
fn malformed_messages_are_survived() {
    let (a, b) = pair();
    b.sets.send_garbage(true);
    b.put(3);
    b.net.gap(FLAGS, a.net.id());
    until("garbage has come", || a.sets.refused() >= 2);
    b.sets.send_garbage(false);
    a.put(1);
    b.put(1);
    until("they go on", || a.has(5) && b.has(5));
}

#[test]
fn no_more_than_max_peers_are_kept() {
    let hub = Node::with(|config| config.max_peers = 2).open();
    let others: Vec<_> = (0..4)
        .map(|_| {
            let bootstrap = hub.net.addrs();
            Node::with(|config| {
                config.bootstrap = bootstrap;
                config.target_peers = 1;
            })
        })
        .collect();
    until("two are in", || hub.net.peers().len() == 2);
    let refused = others.iter().filter(|node| node.net.connect(&hub.net.addrs()[0], LONG).is_err()).count();
    assert_eq!(refused, 2);
    assert_eq!(hub.net.peers().len(), 2);
}

#[test]
fn peers_are_described() {
    let (a, b) = pair();
    until("the round trip is known", || a.net.peers()[0].round_trip.is_some());
    let (here, there) = (&a.net.peers()[0], &b.net.peers()[0]);
    assert_eq!((&here.id, &there.id), (b.net.id(), a.net.id()));
    assert_eq!((here.outbound, there.outbound), (false, true));
    assert!(there.addr.starts_with("/ip4/127.0.0.1/tcp/"), "{}", there.addr);
    a.net.unsubscribe(FLAGS, None);
    until("no map in common", || a.net.peers()[0].topics.is_empty() && b.net.peers()[0].topics.is_empty());
}

#[test]
fn what_waits_leaves_before_close() {
    let (a, b) = pair();
    a.put(5000);
    a.net.close();
    until("it has left", || b.has(5000));
}

#[test]
fn sixteen_nodes_join_through_one() {
    let first = Node::start(&[]).open();
    let mut nodes: Vec<_> = (0..15).map(|_| Node::start(&first.net.addrs()).open()).collect();
    nodes.push(first);
    until("everyone is connected with everyone", || nodes.iter().all(|node| node.net.peers().len() == 15));
    for node in &nodes {
        node.put(10);
    }
    until("everyone holds everything", || nodes.iter().all(|node| node.has(160)));
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_slow_receiver_misses_nothing_and_the_queue_stays_in_the_outbox() {
    let (a, b) = pair();
    a.net.sync(FLAGS, LONG).unwrap();
    b.sets.slow_down(Duration::from_micros(500));
    a.put(200_000);
    until("the window is full", || b.len() > 1000);
    assert!(a.sets.waiting(FLAGS) > 100_000, "{} wait", a.sets.waiting(FLAGS));
    until("all have arrived", || b.has(200_000));
}
