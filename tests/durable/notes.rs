//! What the writers of `hammer` noted as acknowledged, and whether a node holds it.

use std::path::PathBuf;
use std::time::Instant;

use super::PATIENCE;
use super::place::Place;
use super::process::TestNode;

const KEYS: u64 = 20;

pub struct Notes {
    directory: PathBuf,
    writers: u64,
}

impl Notes {
    pub fn new(place: &Place, writers: u64) -> Self {
        Self { directory: place.inside("notes"), writers }
    }

    /// Starts the writers in a node, where they left off.
    pub fn hammer(&self, node: &mut TestNode) {
        node.tell(&format!("hammer {} {}", self.directory.display(), self.writers));
    }

    /// How many writes were acknowledged.
    pub fn total(&self) -> u64 {
        (0..self.writers).map(|writer| self.acknowledged(writer)).sum()
    }

    /// Returns when so many more were.
    pub fn await_more(&self, count: u64) {
        let (enough, deadline) = (self.total() + count, Instant::now() + PATIENCE);
        while self.total() < enough {
            assert!(Instant::now() < deadline, "nothing is acknowledged any more");
            std::thread::yield_now();
        }
    }

    /// Asserts that a node holds every acknowledged write, nothing that was never written, and no half of a batch.
    pub fn check(&self, node: &mut TestNode, when: &str) {
        let number = |text: String| -> u64 { if text == "none" { 0 } else { text.parse().expect("a number") } };
        for writer in 0..self.writers {
            let last = self.acknowledged(writer);
            let is_single = |count: &u64| !count.is_multiple_of(5) && !count.is_multiple_of(7);
            for key in 0..KEYS {
                let newest = (1..=last).rev().take(200).filter(is_single).find(|count| count % KEYS == key).unwrap_or(0);
                let held = number(node.tell(&format!("get {writer}/{key}")));
                assert!(held >= newest, "{when}: {writer}/{key} is {held}, and {newest} was acknowledged");
                assert!(held <= last + 1, "{when}: {writer}/{key} is {held}, and {last} was the last");
            }
            let parts: Vec<u64> = (0..3).map(|part| number(node.tell(&format!("get {writer}/batch/{part}")))).collect();
            assert!(parts.iter().all(|part| *part == parts[0]), "{when}: half a batch: {parts:?}");
            assert!(parts[0] >= last - last % 5, "{when}: the batch of {} is lost: {parts:?}", last - last % 5);
        }
    }

    fn acknowledged(&self, writer: u64) -> u64 {
        let text = std::fs::read_to_string(self.directory.join(writer.to_string())).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}
