//! Waiting until peers hold a write, last words, and hosts that panic.

use std::thread;
use std::time::{Duration, Instant};

use super::host::until;
use super::{FLAGS, LONG, Node, pair};
use crate::error::ErrorKind;

#[test]
fn a_wait_ends_when_enough_peers_hold_the_write() {
    let (a, b) = pair();
    let c = Node::start(&a.net.addrs()).open();
    until("all three meet", || a.meets(&c) && c.meets(&a));
    a.put(1);
    let (peers, enough) = a.net.wait_held(FLAGS, a.sets.question(FLAGS, 0), 2, LONG).unwrap();
    assert_eq!((peers.len(), enough), (2, true));
    assert!(b.has(1) && c.has(1) && peers.contains(b.net.id()) && peers.contains(c.net.id()));

    c.sets.refuse(true);
    a.put(1);
    let question = a.sets.question(FLAGS, 1);
    let (peers, enough) = a.net.wait_held(FLAGS, question.clone(), 2, Duration::from_millis(300)).unwrap();
    assert_eq!((peers, enough), (vec![b.net.id().clone()], false));
    assert_eq!(a.net.wait_held(FLAGS, question, 1, LONG).unwrap().0.len(), 1);
}

#[test]
fn a_peer_that_comes_while_somebody_waits_counts() {
    let a = Node::start(&[]).open();
    a.put(1);
    let question = a.sets.question(FLAGS, 0);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| a.net.wait_held(FLAGS, question, 1, LONG).unwrap());
        let b = Node::start(&a.net.addrs()).open();
        assert_eq!(waiting.join().unwrap(), (vec![b.net.id().clone()], true));
        assert!(b.has(1));
    });
}

#[test]
fn closing_the_map_or_the_node_ends_a_wait() {
    for close in [|a: &Node| a.net.unsubscribe(FLAGS, None), |a: &Node| a.net.close()] {
        let (a, b) = pair();
        // It never holds what was never written.
        let question = a.sets.question(FLAGS, 77);
        let asked = b.sets.asked();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| a.net.wait_held(FLAGS, question, 1, LONG));
            until("it was asked", || b.sets.asked() > asked + 1);
            close(&a);
            assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
        });
    }
}

#[test]
fn many_who_wait_at_once_are_all_answered() {
    let (a, b) = pair();
    thread::scope(|scope| {
        for sequence in 0..64 {
            a.put(1);
            let question = a.sets.question(FLAGS, sequence);
            scope.spawn(|| assert!(a.net.wait_held(FLAGS, question, 1, LONG).unwrap().1));
        }
    });
    assert!(b.has(64));
}

#[test]
fn a_wait_costs_little_more_than_a_round_trip() {
    let (a, _b) = pair();
    a.net.sync(FLAGS, LONG).unwrap();
    let mut took: Vec<_> = (0..50)
        .map(|sequence| {
            let start = Instant::now();
            a.put(1);
            assert!(a.net.wait_held(FLAGS, a.sets.question(FLAGS, sequence), 1, LONG).unwrap().1);
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("write and wait for one peer: median {:?}, slowest {:?}", took[25], took[49]);
}

#[test]
fn last_words_arrive_after_what_waited() {
    let (a, b) = pair();
    a.put(1000);
    a.net.unsubscribe(FLAGS, Some(a.sets.last_words()));
    until("all of it has arrived", || b.has(1001));
    until("the map is closed there", || b.net.peers()[0].topics.is_empty());
    assert_eq!(b.sets.last_arrived(), b.sets.len(FLAGS), "the last words came last");
}

#[test]
fn last_words_are_said_before_the_map_is_opened_again() {
    let (a, b) = pair();
    a.net.unsubscribe(FLAGS, Some(a.sets.last_words()));
    a.net.subscribe(FLAGS);
    until("they have arrived", || b.has(1));
    until("it is open again", || a.meets(&b) && b.meets(&a));
    b.put(1);
    until("writes arrive", || a.has(2));
}

#[test]
fn g10_a_host_that_panics_costs_a_message_and_not_the_node() {
    let (a, b) = pair();
    b.sets.panic(true);
    a.put(1);
    until("the delta was refused", || b.net.rejected() >= 1);
    let before = b.net.rejected();
    // This is asked of the other, which cannot answer.
    a.net.gap(FLAGS, b.net.id());
    until("the request was refused", || b.net.rejected() > before);
    b.sets.panic(false);
    a.put(1);
    until("both go on", || b.has(2));
    b.put(1);
    until("both ways", || a.has(3));
}
