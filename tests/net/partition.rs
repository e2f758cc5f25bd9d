//! Networks that break and heal, between machines that are network namespaces.

use std::time::Duration;

use crate::lab::{Lab, Transport};
use crate::process::TestNode;
use crate::together;
use crate::waiting::{LONG, converged, fully_connected, until};

/// How soon after a heal all must be equal.
const HEAL: Duration = Duration::from_secs(5);
/// How soon a link that died without a word must be noticed.
const NOTICE: Duration = Duration::from_secs(10);

/// How long the cable stays cut.
enum Cut {
    /// Long enough to lose messages, too short to lose connections.
    Short,
    /// Until every connection across it is given up.
    UntilNoticed,
}

/// Writes on both sides of a cut, before, while and after; heals; all must be equal soon.
fn heals(cut: Cut) {
    let _together = together();
    let Some(lab) = Lab::new(5) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &[]);
    fully_connected(&mut nodes, LONG);
    nodes[0].tell("putmany before/ 100");
    nodes[1].tell("put contested before");
    converged(&mut nodes, 101, LONG);

    lab.cut();
    nodes[0].tell("putmany left/ 1000");
    nodes[1].tell("putmany right/ 1000");
    nodes[0].tell("put contested left");
    nodes[1].tell("put contested right");
    nodes[1].tell("remove before/000000");
    nodes[0].tell("remove before/000001");
    match cut {
        // The length of the cut is what this is about.
        Cut::Short => std::thread::sleep(Duration::from_secs(3)),
        Cut::UntilNoticed => {
            let took = until("apart", NOTICE, || apart(&lab, &mut nodes));
            println!("5 nodes: the cut was noticed on all sides after {took:?}");
        }
    }
    assert_eq!(nodes[0].tell("get right/000000"), "none", "the cut does not cut");

    lab.heal();
    let took = converged(&mut nodes, 98 + 2000 + 1, HEAL);
    println!("5 nodes: equal {took:?} after the heal");
    // Written in the same millisecond, either may have the greater stamp.
    let winner = nodes[0].tell("get contested");
    assert!(["left", "right"].contains(&winner.as_str()), "{winner}");
    fully_connected(&mut nodes, LONG);
}

/// Whether nobody lists a peer of the other side any more.
fn apart(lab: &Lab, nodes: &mut [TestNode]) -> Result<(), String> {
    let ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    for (index, node) in nodes.iter_mut().enumerate() {
        let peers = node.peers();
        let across = (0..ids.len()).filter(|other| lab.is_left(*other) != lab.is_left(index));
        let still = across.filter(|other| peers.contains(&ids[*other])).count();
        if still > 0 {
            return Err(format!("node {index} still lists {still} peers of the other side"));
        }
    }
    Ok(())
}

#[test]
fn g4_five_nodes_heal_after_a_short_cut() {
    heals(Cut::Short);
}

#[test]
fn g4_five_nodes_heal_after_a_cut_that_ended_their_connections() {
    heals(Cut::UntilNoticed);
}

#[test]
fn a_dead_link_is_noticed() {
    let _together = together();
    let Some(lab) = Lab::new(3) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &[]);
    fully_connected(&mut nodes, LONG);
    let gone = nodes[2].id.clone();
    lab.unplug(2);
    let took = until("noticed", NOTICE, || {
        let listing = nodes[..2].iter_mut().filter_map(|node| node.peers().contains(&gone).then_some(())).count();
        let alone = nodes[2].peers().is_empty();
        if listing == 0 && alone { Ok(()) } else { Err(format!("{listing} still list it; it is alone: {alone}")) }
    });
    println!("a dead link: noticed on both sides after {took:?}");
    nodes[0].tell("put without_it 1");
    converged(&mut nodes[..2], 1, LONG);
}

#[test]
fn g1_sixteen_machines_converge() {
    let _together = together();
    let Some(lab) = Lab::new(16) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &[]);
    for (index, node) in nodes.iter_mut().enumerate() {
        node.tell(&format!("putmany node{index}/ 100"));
    }
    let took = converged(&mut nodes, 1600, LONG);
    println!("16 machines: equal {took:?} after the last write");
}
