//! The wires between the nodes: what is under way, and which of them are cut.

use std::collections::BTreeSet;

use super::oracle::Writes;
use crate::dice::Dice;
use crate::peer::PeerId;

/// A gossip message to one node.
#[derive(Clone, Debug)]
pub struct Packet {
    pub from: usize,
    pub to: usize,
    pub sent_ms: u64,
    pub arrives_ms: u64,
    pub bytes: Vec<u8>,
}

/// Which node may be reached from which.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// (from, to)
    cut: BTreeSet<(usize, usize)>,
}

impl Links {
    pub fn open(&self, from: usize, to: usize) -> bool {
        !self.cut.contains(&(from, to))
    }

    /// Both ways, as a question and its answer need it.
    pub fn open_both(&self, a: usize, b: usize) -> bool {
        self.open(a, b) && self.open(b, a)
    }

    pub fn heal(&mut self) {
        self.cut.clear();
    }

    pub fn cut_one_way(&mut self, from: usize, to: usize) {
        self.cut.insert((from, to));
    }

    pub fn cut_both(&mut self, a: usize, b: usize) {
        self.cut.extend([(a, b), (b, a)]);
    }

    /// A partition of some kind, or none: halves, one node alone, or some links in one direction only.
    pub fn roll(&mut self, nodes: usize, dice: &mut Dice) {
        self.heal();
        match dice.roll(10) {
            0..3 => {}
            3..6 => {
                let side: Vec<bool> = (0..nodes).map(|_| dice.chance(50)).collect();
                self.cut_where(nodes, |from, to| side[from] != side[to]);
            }
            6..8 => {
                let alone = dice.roll(nodes);
                self.cut_where(nodes, |from, to| from == alone || to == alone);
            }
            _ => {
                for _ in 0..dice.between(1, nodes as u64) {
                    self.cut_one_way(dice.roll(nodes), dice.roll(nodes));
                }
            }
        }
    }

    fn cut_where(&mut self, nodes: usize, cut: impl Fn(usize, usize) -> bool) {
        let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
        self.cut.extend(pairs.filter(|&(from, to)| from != to && cut(from, to)));
    }
}

/// What one half of a node's pull is waiting for.
pub enum Stage<P> {
    /// A comparison on its way there.
    Compare(Vec<u8>),
    /// Its answer on its way back.
    Compared(Vec<u8>),
    /// A request for a page on its way there.
    Request(P, Vec<u8>),
    /// A page on its way back, and what the serving node had seen when it was cut.
    Page(P, Vec<u8>, Writes),
}

/// A pull between two nodes. It dies with either.
pub struct Session<P> {
    pub to: usize,
    pub from: usize,
    pub lives: [(PeerId, u64); 2],
    pub stage: Stage<P>,
}
