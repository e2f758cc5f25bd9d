//! How soon after a cut all is equal again: ten cuts, each in a lab of its own, and the median.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::lab::{Lab, Transport};
use crate::process::TestNode;
use crate::together;
use crate::waiting::{LONG, converged, fully_connected, pass};

const CUTS: u32 = 10;
const CHOICE: Duration = Duration::from_secs(2);
/// What a machine under load may need. What is promised, and printed here, is less: 2 seconds.
const MEDIAN: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq)]
enum Connections {
    Survive,
    End,
    /// Either.
    Any,
}

/// One cut of that length between one node and one or two others, with writes and removals on both sides. How long it took to
/// heal, unless there can be no lab.
fn heal(count: usize, length: Duration, transport: Transport, connections: Connections) -> Option<Duration> {
    let lab = Lab::new(count)?;
    let mut nodes = lab.cluster(transport, &[]);
    fully_connected(&mut nodes, LONG);
    nodes[0].tell("putmany before/ 100");
    converged(&mut nodes, 100, LONG);
    // Two that dialled each other at once have chosen one connection by then.
    pass(CHOICE);
    let before = across(&mut nodes);

    lab.cut();
    nodes[0].tell("putmany left/ 100");
    nodes[1].tell("putmany right/ 100");
    nodes[1].tell("remove before/000000");
    nodes[0].tell("remove before/000001");
    pass(length);
    assert_eq!(nodes[0].tell("get right/000000"), "none", "the cut does not cut");
    lab.heal();
    let took = converged(&mut nodes, 98 + 200, LONG);

    let left: BTreeSet<_> = across(&mut nodes).intersection(&before).cloned().collect();
    match connections {
        Connections::Survive => assert_eq!((left.len(), left), (count - 1, before), "the connections did not survive"),
        Connections::End => assert!(left.is_empty(), "connections survived: {left:?}"),
        Connections::Any => {}
    }
    Some(took)
}

/// The connections across the cable, by the port from which each was dialled: the end that listens knows it.
fn across(nodes: &mut [TestNode]) -> BTreeSet<String> {
    let right = nodes[1].id.clone();
    let links = nodes.iter_mut().flat_map(|node| {
        let is_right = node.id == right;
        node.links().into_iter().filter(|link| is_right || link.starts_with(&right)).collect::<Vec<_>>()
    });
    let dialled_from_here = |link: &String| link.contains("/7400");
    links.filter(|link| !dialled_from_here(link)).collect()
}

/// Cuts from `first` on, each longer than the one before by `step`.
fn heals_soon(what: &str, first: Duration, step: Duration, transport: Transport, connections: Connections) {
    let _together = together();
    let lengths: Vec<Duration> = (0..CUTS).map(|at| first + step * at).collect();
    let took: Option<Vec<Duration>> = thread::scope(|scope| {
        let heal_one = |(at, length): (usize, &Duration)| {
            let length = *length;
            scope.spawn(move || heal(2 + at % 2, length, transport, connections))
        };
        let heals: Vec<_> = lengths.iter().enumerate().map(heal_one).collect();
        heals.into_iter().map(|heal| heal.join().expect("the cut heals")).collect()
    });
    let Some(took) = took else { return };
    for (length, took) in lengths.iter().zip(&took) {
        println!("{what}: cut for {length:?}, equal {took:?} after the heal");
    }
    let mut sorted = took;
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2];
    println!("{what}: median of {CUTS} cuts {median:?}");
    assert!(median < MEDIAN, "{median:?}");
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn g4_a_cut_that_connections_survive_heals_soon() {
    heals_soon("connections survive", ms(500), ms(200), Transport::Tcp, Connections::Survive);
}

#[test]
fn g4_a_cut_of_some_seconds_heals_soon() {
    heals_soon("some seconds", ms(3_000), ms(500), Transport::Tcp, Connections::Any);
}

#[test]
fn g4_a_cut_that_ends_connections_heals_soon() {
    heals_soon("connections end", ms(9_500), ms(500), Transport::Tcp, Connections::End);
}

#[test]
fn g4_a_cut_heals_soon_over_quic() {
    heals_soon("QUIC", ms(1_000), ms(1_000), Transport::Quic, Connections::Any);
}
