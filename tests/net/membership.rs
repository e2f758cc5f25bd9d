//! Who stays connected when members die, and who can still join.

use crate::alone;
use crate::process::{Place, TestNode, free_port};
use crate::waiting::{LONG, converged, fully_connected, until};

#[test]
fn the_death_of_the_bootstrap_node_splits_nothing() {
    let _alone = alone();
    let bootstrap = TestNode::start(Place::Loopback, &[]);
    let mut nodes = vec![bootstrap];
    for _ in 1..5 {
        let joining = TestNode::joining(&nodes[0]);
        nodes.push(joining);
    }
    fully_connected(&mut nodes, LONG);
    nodes[0].tell("put by_the_first 1");
    nodes[3].tell("put by_another 1");
    converged(&mut nodes, 2, LONG);

    nodes.remove(0).kill();
    for (index, node) in nodes.iter_mut().enumerate() {
        node.tell(&format!("put after{index} 1"));
    }
    let took = converged(&mut nodes, 6, LONG);
    println!("bootstrap node killed: the other four equal after {took:?}");
    fully_connected(&mut nodes, LONG);

    // The only address that it was given by the operator is dead; any member's will do.
    let newcomer = TestNode::joining(&nodes[2]);
    nodes.push(newcomer);
    converged(&mut nodes, 6, LONG);
    fully_connected(&mut nodes, LONG);
}

#[test]
fn members_die_one_after_the_other_and_the_rest_go_on() {
    let _alone = alone();
    let mut nodes = vec![TestNode::start(Place::Loopback, &[])];
    for _ in 1..6 {
        // Each knows only the one before it.
        let joining = TestNode::joining(&nodes[nodes.len() - 1]);
        nodes.push(joining);
    }
    fully_connected(&mut nodes, LONG);
    let mut live = 0;
    while nodes.len() > 2 {
        nodes.remove(nodes.len() / 2).kill();
        let last = nodes.len() - 1;
        nodes[0].tell(&format!("put first{last} 1"));
        nodes[last].tell(&format!("put last{last} 1"));
        live += 2;
        converged(&mut nodes, live, LONG);
    }
}

#[test]
fn a_bootstrap_address_is_retried_until_someone_answers() {
    let _alone = alone();
    let port = free_port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let mut early = TestNode::start(Place::Loopback, &[&format!("bootstrap={address}")]);
    early.tell("put early 1");
    let late = TestNode::start(Place::Loopback, &[&format!("listen={address}")]);
    let mut nodes = [early, late];
    let took = converged(&mut nodes, 1, LONG);
    println!("bootstrap address that answers late: joined after {took:?}");
}

#[test]
fn a_killed_bootstrap_node_is_found_again_at_its_address() {
    let _alone = alone();
    let listen = format!("listen=/ip4/127.0.0.1/tcp/{}", free_port());
    let address = listen.replace("listen=", "bootstrap=");
    let first = TestNode::start(Place::Loopback, &[&listen]);
    let mut second = TestNode::start(Place::Loopback, &[&address]);
    second.tell("put kept 1");
    until("connected", LONG, || if second.peers().is_empty() { Err("no peer".into()) } else { Ok(()) });
    first.kill();
    let reborn = TestNode::start(Place::Loopback, &[&listen]);
    let mut nodes = [reborn, second];
    let took = converged(&mut nodes, 1, LONG);
    println!("bootstrap node restarted with a new identity: equal after {took:?}");
}
