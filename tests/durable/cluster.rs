//! All processes of a cluster end at once, and come back.

use std::time::{Duration, Instant};

use super::PATIENCE;
use super::place::Place;
use super::process::{Place as Where, TestNode};

const NODES: usize = 5;

fn start(place: &Place, at: usize, bootstrap: Option<&str>) -> TestNode {
    let data = place.as_data_dir(&format!("node{at}"));
    let mut options = vec![&*data, "durability=sync", "tombstone_ttl_ms=1000", "scan_ms=10"];
    options.extend(bootstrap);
    TestNode::start(Where::Loopback, &options)
}

fn cluster(place: &Place) -> Vec<TestNode> {
    let first = start(place, 0, None);
    let bootstrap = first.as_bootstrap();
    let others: Vec<_> = (1..NODES).map(|at| start(place, at, Some(&bootstrap))).collect();
    [first].into_iter().chain(others).collect()
}

fn until_equal(nodes: &mut [TestNode], live: usize) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let states: Vec<_> = nodes.iter_mut().map(TestNode::status).collect();
        if states.iter().all(|state| *state == states[0] && state.0 == live) {
            return states[0].1.clone();
        }
        assert!(Instant::now() < deadline, "they do not come to {live} entries: {states:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn g7_g3_a_cluster_that_is_killed_at_once_comes_back_with_all_it_had_and_nothing_removed() {
    let place = Place::new();
    let mut nodes = cluster(&place);
    for (at, node) in nodes.iter_mut().enumerate() {
        node.tell(&format!("putmany n{at}/ 40"));
    }
    until_equal(&mut nodes, 40 * NODES);
    for (at, node) in nodes.iter_mut().enumerate() {
        // Another one's, too.
        node.tell(&format!("removeall n{}/00001", (at + 1) % NODES));
    }
    let before = until_equal(&mut nodes, 30 * NODES);
    // Not all of them have forgotten the removals when they end.
    nodes.into_iter().for_each(TestNode::kill);

    let mut nodes = cluster(&place);
    for node in &mut nodes {
        assert_eq!(node.status().0, 30 * NODES, "all is back before anyone has met");
    }
    until_equal(&mut nodes, 30 * NODES);
    let deadline = Instant::now() + PATIENCE;
    while nodes.iter_mut().any(|node| node.counter("tombstones") > 0) {
        assert!(Instant::now() < deadline, "removals are forgotten");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(until_equal(&mut nodes, 30 * NODES).len(), before.len());
    for node in &mut nodes {
        assert_eq!(node.tell("get n0/000010"), "none");
        assert_eq!(node.tell("get n0/000030"), "value of n0/30");
    }
}
