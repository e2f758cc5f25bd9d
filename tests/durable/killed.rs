//! A process that is killed while sixteen writers write.

use std::path::Path;
use std::time::{Duration, Instant};

use super::place::Place;
use super::process::{Place as Where, TestNode};

const WRITERS: u64 = 16;
const KEYS: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// How often: `P2PMAP_KILLS`, or a few times.
fn kills() -> u64 {
    std::env::var("P2PMAP_KILLS").map_or(25, |text| text.parse().expect("P2PMAP_KILLS is a number"))
}

fn acknowledged(notes: &Path, writer: u64) -> u64 {
    let text = std::fs::read_to_string(notes.join(writer.to_string())).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

fn total(notes: &Path) -> u64 {
    (0..WRITERS).map(|writer| acknowledged(notes, writer)).sum()
}

#[test]
fn g7_what_was_acknowledged_is_there_after_kill_9() {
    let place = Place::new();
    let (data, notes) = (place.inside("data"), place.inside("notes"));
    let mut peer = TestNode::start(Where::Loopback, &[]);
    let (bootstrap, data) = (peer.as_bootstrap(), format!("data_dir={}", data.display()));
    let options = [&*bootstrap, &*data, "durability=sync"];
    let mut dice = 1_u64;
    for round in 0..kills() {
        let mut node = TestNode::start(Where::Loopback, &options);
        check(&mut node, &notes, round);
        node.tell(&format!("hammer {} {WRITERS}", notes.display()));
        // Killed when so many more were acknowledged: any moment is as good.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (enough, deadline) = (total(&notes) + (dice >> 33) % 2_000, Instant::now() + PATIENCE);
        while total(&notes) < enough {
            assert!(Instant::now() < deadline, "round {round}: nothing is acknowledged any more");
            std::thread::yield_now();
        }
        node.kill();
    }
    let mut node = TestNode::start(Where::Loopback, &options);
    check(&mut node, &notes, kills());
    // Neither side has what the other lacks, once they have met.
    let deadline = Instant::now() + PATIENCE;
    while node.status() != peer.status() || node.status().0 == 0 {
        assert!(Instant::now() < deadline, "{:?} and {:?}", node.status(), peer.status());
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("{} kills, {} writes acknowledged, none lost, equal to the peer's", kills(), total(&notes));
}

/// Every acknowledged write is there, and no batch is half there.
fn check(node: &mut TestNode, notes: &Path, round: u64) {
    let number = |text: String| -> u64 { if text == "none" { 0 } else { text.parse().expect("a number") } };
    for writer in 0..WRITERS {
        let last = acknowledged(notes, writer);
        let is_single = |count: &u64| !count.is_multiple_of(5) && !count.is_multiple_of(7);
        for key in 0..KEYS {
            let newest = (1..=last).rev().take(200).filter(is_single).find(|count| count % KEYS == key).unwrap_or(0);
            let held = number(node.tell(&format!("get {writer}/{key}")));
            assert!(held >= newest, "round {round}: {writer}/{key} is {held}, and {newest} was acknowledged");
            assert!(held <= last + 1, "round {round}: {writer}/{key} is {held}, and {last} was the last");
        }
        let parts: Vec<u64> = (0..3).map(|part| number(node.tell(&format!("get {writer}/batch/{part}")))).collect();
        assert!(parts.iter().all(|part| *part == parts[0]), "round {round}: half a batch: {parts:?}");
        assert!(parts[0] >= last - last % 5, "round {round}: the batch of {} is lost: {parts:?}", last - last % 5);
    }
}
