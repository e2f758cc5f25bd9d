//! Presence between machines: who is cut off from a neighbour is not dead; who is dead is gone everywhere.

use std::time::Duration;

use crate::lab::{Lab, Transport};
use crate::process::TestNode;
use crate::together;
use crate::waiting::{LONG, converged, until};

const NODES: usize = 16;
/// Few connections each, so that most nodes are nobody's neighbour.
const OPTIONS: [&str; 3] = ["presence=true", "target_peers=2", "peer_timeout_ms=6000"];
/// A dead connection is noticed within 10 s, a dead author `peer_timeout_ms` after its last sign of life.
const NOTICE: Duration = Duration::from_secs(25);

/// Nodes that each have told that they are there, and all know it.
fn present(lab: &Lab) -> Vec<TestNode> {
    let mut nodes = lab.cluster(Transport::Tcp, &OPTIONS);
    for (index, node) in nodes.iter_mut().enumerate() {
        node.tell("listen");
        node.tell(&format!("put node{index} here"));
    }
    let count = nodes.len();
    converged(&mut nodes, count, LONG);
    nodes
}

fn prunes(nodes: &mut [TestNode]) -> u64 {
    nodes.iter_mut().map(|node| node.counter("prune")).sum()
}

/// Pairs of machines that are connected, no machine twice. Without the first, which all others dial.
fn neighbours(nodes: &mut [TestNode], count: usize) -> Vec<(usize, usize)> {
    let ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (index, node) in nodes.iter_mut().enumerate().skip(1) {
        let free = |at: usize| !pairs.iter().any(|(a, b)| *a == at || *b == at);
        let peers = node.peers();
        let other = (1..ids.len()).find(|&at| at != index && peers.contains(&ids[at]) && free(at));
        if let Some(other) = other.filter(|_| free(index) && pairs.len() < count) {
            pairs.push((index, other));
        }
    }
    pairs
}

#[test]
fn a_changed_neighbour_is_not_a_death() {
    let _together = together();
    let Some(lab) = Lab::new(NODES) else { return };
    let mut nodes = present(&lab);
    let mut changed = 0;
    for _ in 0..2 {
        let pairs = neighbours(&mut nodes, 5);
        pairs.iter().for_each(|(a, b)| lab.part(*a, *b));
        until("no longer neighbours", NOTICE, || {
            let still = pairs.iter().filter(|(a, b)| {
                let (a_id, b_id) = (nodes[*a].id.clone(), nodes[*b].id.clone());
                nodes[*a].peers().contains(&b_id) || nodes[*b].peers().contains(&a_id)
            });
            match still.count() {
                0 => Ok(()),
                count => Err(format!("{count} pairs are")),
            }
        });
        changed += pairs.len();
        pairs.iter().for_each(|(a, b)| lab.reunite(*a, *b));
    }
    assert!(changed >= 4, "{changed} pairs of neighbours");
    let states: Vec<usize> = nodes.iter_mut().map(|node| node.status().0).collect();
    println!("{changed} pairs of neighbours cut: {} prune events", prunes(&mut nodes));
    assert_eq!((states, prunes(&mut nodes)), (vec![NODES; NODES], 0));
}

#[test]
fn a_dead_author_is_gone_everywhere_and_a_leaving_one_at_once() {
    let _together = together();
    let Some(lab) = Lab::new(NODES) else { return };
    let mut nodes = present(&lab);

    let mut leaving = nodes.pop().expect("a node");
    assert_eq!(leaving.tell("quit"), "ok");
    let took = converged(&mut nodes, NODES - 1, LONG);
    println!("presence: a node that said goodbye was gone everywhere after {took:?}");

    nodes.pop().expect("a node").kill();
    let took = converged(&mut nodes, NODES - 2, NOTICE);
    println!("presence: a killed node was gone everywhere after {took:?}");

    // One that is only out of reach comes back as it was, written by nobody anew.
    let away = nodes.len() - 1;
    lab.unplug(away);
    let took = converged(&mut nodes[..away], NODES - 3, NOTICE);
    println!("presence: a node out of reach was gone everywhere after {took:?}");
    lab.plug(away);
    let took = converged(&mut nodes, NODES - 2, NOTICE);
    println!("presence: it was back everywhere {took:?} after its link");
}

#[test]
fn a_process_that_stood_still_takes_nobody_for_dead() {
    let _together = together();
    let Some(lab) = Lab::new(4) else { return };
    let mut nodes = present(&lab);
    nodes[3].freeze();
    converged(&mut nodes[..3], 3, NOTICE);
    nodes[3].thaw();
    let took = converged(&mut nodes, 4, NOTICE);
    println!("presence: a process that stood still was back everywhere {took:?} after it went on");
    let pruned: Vec<u64> = nodes.iter_mut().map(|node| node.counter("prune")).collect();
    assert_eq!(pruned, [1, 1, 1, 0], "the others missed it, it missed nobody");
}
