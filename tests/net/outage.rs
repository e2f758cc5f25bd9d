//! Long cuts, processes that die, and processes that stand still.

use std::time::Duration;

use crate::lab::{Lab, Transport};
use crate::process::TestNode;
use crate::together;
use crate::waiting::{LONG, converged, equal, fully_connected, lasting, pass, until};

/// How long the link is down.
const CUT: Duration = Duration::from_secs(60);
const SHORT_CUT: Duration = Duration::from_secs(10);
/// How long a process stands still.
const FREEZE: Duration = Duration::from_secs(30);
const SHORT_FREEZE: Duration = Duration::from_secs(10);
/// Removals may be forgotten after a second, and are, soon after.
const FORGETFUL: [&str; 2] = ["tombstone_ttl_ms=1000", "scan_ms=50"];

/// Writes and removals on both sides of a cut, of old keys and of new ones.
struct Sides {
    live: usize,
}

impl Sides {
    fn before(nodes: &mut [TestNode]) {
        nodes[0].tell("putmany old/ 100");
        converged(nodes, 100, LONG);
    }

    fn during(nodes: &mut [TestNode]) -> Self {
        for (side, other) in [("left", 0), ("right", 1)] {
            let node = &mut nodes[other];
            node.tell(&format!("putmany {side}/ 1000"));
            for at in 0..10 {
                node.tell(&format!("remove {side}/{at:06}"));
                // Both remove some of the old ones, and overwrite others.
                node.tell(&format!("remove old/{:06}", at + 10 * other));
                node.tell(&format!("put old/{:06} {side}", 50 + at + 10 * other));
            }
        }
        Self { live: 100 - 20 + 2 * 990 }
    }

    fn after(&self, nodes: &mut [TestNode], limit: Duration) -> Duration {
        let took = converged(nodes, self.live, limit);
        for node in nodes {
            for gone in ["old/000000", "old/000019", "left/000009", "right/000000"] {
                assert_eq!(node.tell(&format!("get {gone}")), "none", "{gone} is back");
            }
            assert_eq!((node.tell("get old/000050"), node.tell("get old/000069")), ("left".into(), "right".into()));
        }
        took
    }
}

#[test]
fn g4_a_long_cut_loses_nothing() {
    let _together = together();
    let Some(lab) = Lab::new(5) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &[]);
    fully_connected(&mut nodes, LONG);
    Sides::before(&mut nodes);
    lab.cut();
    let sides = Sides::during(&mut nodes);
    let stamp = nodes[0].tell("put left/000500 known?");
    let length = lasting(CUT, SHORT_CUT);
    pass(length);
    assert_eq!(nodes[0].tell("get right/000500"), "none", "the cut does not cut");
    let late = nodes[0].ask(&format!("await {stamp} 4 100"));
    assert!(late.starts_with("error TIMEOUT "), "two of four are out of reach: {late}");
    lab.heal();
    let took = sides.after(&mut nodes, LONG);
    println!("5 nodes, cut for {length:?}: equal {took:?} after the heal");
    assert_eq!(nodes[0].tell(&format!("await {stamp} 4 10000")), "4");
}

#[test]
fn g3_nothing_comes_back_after_a_cut_longer_than_the_horizon() {
    let _together = together();
    let Some(lab) = Lab::new(5) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &FORGETFUL);
    fully_connected(&mut nodes, LONG);
    Sides::before(&mut nodes);
    lab.cut();
    let sides = Sides::during(&mut nodes);
    // Each side has removed ten old keys, ten new ones, and holds no memory of that when they meet again.
    let took = until("forgotten", LONG, || {
        let left: u64 = nodes.iter_mut().map(|node| node.counter("tombstones")).sum();
        if left == 0 { Ok(()) } else { Err(format!("{left} tombstones are left")) }
    });
    let forgotten: Vec<u64> = nodes.iter_mut().map(|node| node.counter("forgotten")).collect();
    assert!(forgotten.iter().all(|count| *count >= 20), "{forgotten:?}");
    println!("5 nodes: removals forgotten on both sides after {took:?}");
    pass(lasting(CUT, Duration::ZERO));
    lab.heal();
    let took = sides.after(&mut nodes, LONG);
    println!("5 nodes, apart for longer than the horizon: equal {took:?} after the heal");
}

#[test]
fn g4_a_killed_process_finds_everything_when_it_comes_back() {
    let _together = together();
    let Some(lab) = Lab::new(5) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &FORGETFUL);
    fully_connected(&mut nodes, LONG);
    let stamp = nodes[2].tell("put its_own 1");
    nodes[2].tell("put removed_meanwhile 1");
    converged(&mut nodes, 2, LONG);
    assert_eq!(nodes[2].tell(&format!("await {stamp} 4 1000")), "4");

    nodes.remove(2).kill();
    nodes[0].tell("put meanwhile 1");
    nodes[1].tell("remove removed_meanwhile");
    until("forgotten", LONG, || match nodes.iter_mut().map(|node| node.counter("tombstones")).sum::<u64>() {
        0 => Ok(()),
        left => Err(format!("{left} tombstones are left")),
    });
    nodes.push(lab.start(2, Transport::Tcp, &[&FORGETFUL[..], &[&Lab::bootstrap(&[0, 1])]].concat()));
    let took = converged(&mut nodes, 2, LONG);
    println!("killed and restarted: equal {took:?} after it listens again");
    nodes[4].tell("put its_own 2");
    converged(&mut nodes, 2, LONG);
    assert_eq!(nodes[0].tell("get its_own"), "2");
}

#[test]
fn g4_a_process_that_stood_still_catches_up() {
    let _together = together();
    let Some(lab) = Lab::new(3) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &FORGETFUL);
    fully_connected(&mut nodes, LONG);
    Sides::before(&mut nodes);
    nodes[2].tell("put last_words 1");

    nodes[2].freeze();
    let sides = Sides::during(&mut nodes);
    let length = lasting(FREEZE, SHORT_FREEZE);
    pass(length);
    let (live, _) = equal(&mut nodes[..2].iter_mut().collect::<Vec<_>>(), LONG);
    assert!(live >= sides.live, "the others went on without it");
    nodes[2].thaw();
    let sides = Sides { live: sides.live + 1 };
    let took = sides.after(&mut nodes, LONG);
    println!("3 nodes, one stood still for {length:?}: equal {took:?} after it goes on");
    fully_connected(&mut nodes, LONG);
}

#[test]
fn g1_entries_expire_on_both_sides_of_a_cut() {
    let _together = together();
    let Some(lab) = Lab::new(4) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &[]);
    fully_connected(&mut nodes, LONG);
    for node in &mut nodes {
        node.tell("listen");
    }
    nodes[0].tell("put kept 1");
    for at in 0..10 {
        nodes[at % 4].tell(&format!("putttl brief/{at} 1 2000"));
    }
    nodes[3].tell("put brief/0 renewed");
    converged(&mut nodes, 11, LONG);
    lab.cut();
    let took = until("expired", LONG, || {
        let left: Vec<usize> = nodes.iter_mut().map(|node| node.status().0).collect();
        if left == [2; 4] { Ok(()) } else { Err(format!("entries: {left:?}")) }
    });
    let expired: Vec<u64> = nodes.iter_mut().map(|node| node.counter("expire")).collect();
    assert_eq!(expired, [9; 4], "each tells it once, and nobody needs a message");
    println!("4 nodes: entries that live for 2 s had expired on both sides of a cut {took:?} after it");
    lab.heal();
    converged(&mut nodes, 2, LONG);
    assert_eq!(nodes[0].tell("get brief/0"), "renewed");
}
