//! Processes on one machine: convergence, early writes, late joins, clusters side by side.

use std::time::Instant;

use crate::alone;
use crate::process::{Place, TestNode};
use crate::waiting::{LONG, converged, fully_connected, until};

/// `count` nodes that know the first.
fn cluster(count: usize) -> Vec<TestNode> {
    let mut nodes = vec![TestNode::start(Place::Loopback, &[])];
    for _ in 1..count {
        let joining = TestNode::joining(&nodes[0]);
        nodes.push(joining);
    }
    nodes
}

/// Everyone writes keys of their own and one that all write; all end up with the same.
fn all_converge(count: usize) {
    let _alone = alone();
    let mut nodes = cluster(count);
    for (index, node) in nodes.iter_mut().enumerate() {
        node.tell(&format!("putmany node{index}/ 100"));
        node.tell(&format!("put shared {index}"));
    }
    let took = converged(&mut nodes, count * 100 + 1, LONG);
    println!("{count} nodes on loopback: equal {took:?} after the last write");

    nodes[count - 1].tell("remove shared");
    nodes[0].tell("put node0/000000 again");
    converged(&mut nodes, count * 100, LONG);
    assert_eq!(nodes[count - 1].tell("get node0/000000"), "again");
}

#[test]
fn g1_two_nodes_converge() {
    all_converge(2);
}

#[test]
fn g1_three_nodes_converge() {
    all_converge(3);
}

#[test]
fn g1_five_nodes_converge() {
    all_converge(5);
}

#[test]
fn g1_sixteen_nodes_converge() {
    all_converge(16);
}

#[test]
fn g1_nodes_converge_over_quic() {
    let _alone = alone();
    let quic = "listen=/ip4/127.0.0.1/udp/0/quic-v1";
    let first = TestNode::start(Place::Loopback, &[quic]);
    assert!(first.addrs[0].contains("/quic-v1/"), "{:?}", first.addrs);
    let second = TestNode::start(Place::Loopback, &[quic, &first.as_bootstrap()]);
    let mut nodes = [first, second];
    nodes[0].tell("putmany a 1000");
    nodes[1].tell("putmany b 1000");
    converged(&mut nodes, 2000, LONG);
}

#[test]
fn a_value_written_before_the_mesh_forms_arrives() {
    let _alone = alone();
    let mut first = TestNode::start(Place::Loopback, &[]);
    first.tell("put alone 1");
    // Written as soon as the second is open, whether it is connected by then or not.
    let mut second = TestNode::joining(&first);
    second.tell("put early 2");
    first.tell("put early_too 3");
    converged(&mut [first, second], 3, LONG);
}

#[test]
fn a_node_that_joins_late_pulls_100_000_entries() {
    let _alone = alone();
    let mut first = TestNode::start(Place::Loopback, &[]);
    first.tell("putmany k 100000");
    let start = Instant::now();
    let second = TestNode::joining(&first);
    let mut nodes = [first, second];
    converged(&mut nodes, 100_000, LONG);
    println!("late join of 100,000 entries: equal {:?} after the start of its process", start.elapsed());
    assert_eq!(nodes[1].tell("get k099999"), "value of k99999");
}

#[test]
fn g4_100_000_puts_arrive_while_they_are_made() {
    let _alone = alone();
    let mut nodes = cluster(2);
    fully_connected(&mut nodes, LONG);
    let start = Instant::now();
    nodes[0].tell("putmany k 100000");
    converged(&mut nodes, 100_000, LONG);
    println!(
        "100,000 puts: all on the other side {:?} after the first; receiver: {}",
        start.elapsed(),
        nodes[1].tell("counters")
    );
}

#[test]
fn two_clusters_side_by_side_exchange_nothing() {
    let _alone = alone();
    let mut red = vec![TestNode::start(Place::Loopback, &["cluster_id=red"])];
    red.push(TestNode::start(Place::Loopback, &["cluster_id=red", &red[0].as_bootstrap()]));
    // Whoever set up the blue ones also gave them the address of a red one.
    let mut blue = vec![TestNode::start(Place::Loopback, &["cluster_id=blue", &red[0].as_bootstrap()])];
    let both = format!("{},{}", red[0].as_bootstrap(), blue[0].addrs[0]);
    blue.push(TestNode::start(Place::Loopback, &["cluster_id=blue", &both]));

    red[0].tell("put only_red 1");
    blue[0].tell("put only_blue 1");
    red[1].tell("put shared red");
    blue[1].tell("put shared blue");
    let refused = blue[0].ask(&format!("connect {}", red[1].addrs[0]));
    assert!(refused.starts_with("error NETWORK "), "{refused}");
    fully_connected(&mut red, LONG);
    fully_connected(&mut blue, LONG);
    converged(&mut red, 2, LONG);
    converged(&mut blue, 2, LONG);
    for (cluster, foreign, own) in [(&mut red, "only_blue", "red"), (&mut blue, "only_red", "blue")] {
        for node in cluster {
            assert_eq!(node.tell(&format!("get {foreign}")), "none");
            assert_eq!(node.tell("get shared"), own);
        }
    }
}

#[test]
fn a_node_that_quits_says_goodbye() {
    let _alone = alone();
    let mut nodes = cluster(3);
    fully_connected(&mut nodes, LONG);
    // Invariant: there are three.
    let mut leaving = nodes.pop().unwrap();
    assert_eq!(leaving.tell("quit"), "ok");
    let took = until("told that it left", LONG, || {
        let listed: usize = nodes.iter_mut().map(|node| node.peers().len().saturating_sub(1)).sum();
        if listed == 0 { Ok(()) } else { Err(format!("{listed} nodes still list it")) }
    });
    println!("a clean leave: noticed after {took:?}");
}
