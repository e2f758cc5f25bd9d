//! What is measured: a file a row, or two rows that are alike.

pub mod durable;
mod events;
mod idle;
mod join;
pub mod languages;
pub mod last_callback;
pub mod memory;
pub mod notify;
mod overwrites;
pub mod reads;
pub mod reconcile;
pub mod reopen;
mod replicas;
mod scan;
mod sealed;
pub mod size;
pub mod sizes;
mod spread;
mod through_c;
mod writes;

use crate::report::Figures;
use crate::{Effort, Result};

/// What `ROW=` chooses.
pub struct Row {
    pub name: &'static str,
    /// Threads, processes, keys, and what is timed.
    pub conditions: &'static str,
    pub measure: fn(Effort) -> Result<Figures>,
    /// It needs next to no processor and has a network of its own: it is measured beside the others.
    pub beside: bool,
}

impl Row {
    const fn new(name: &'static str, measure: fn(Effort) -> Result<Figures>, conditions: &'static str) -> Self {
        Self { name, conditions, measure, beside: false }
    }
}

const BLOCKS: &str = "One thread. Hot: 64 keys in turn; uniform: all keys, in random order. Blocks of 1,000 reads are timed, by turns \
with the floor's. For the p99 each read is timed by itself, the clock's own time included; the writer is one thread that overwrites \
random keys without a pause. ";

pub const ROWS: [Row; 20] = [
    Row::new("1", reads::measure, BLOCKS),
    Row::new(
        "2",
        through_c::measure,
        "One thread of a C program; keys and blocks as in row 1. The same in Rust, in this process, is the floor.",
    ),
    Row::new(
        "3",
        languages::measure,
        "One thread of a process in that language; keys and blocks as in row 1, the loop of the language included. Two floors, each \
        named: the fastest native call of a few that makes 100 bytes and looks nothing up, which no `get` can reach, and the \
        language's own map.",
    ),
    Row::new(
        "4",
        writes::measure,
        "One thread, a map in memory without peers: all keys in ascending order, then all of them in random order.",
    ),
    Row::new(
        "5",
        scan::measure,
        "One thread, values looked at. The prefixes are random; a scan from below all keys starts at the first.",
    ),
    Row::new(
        "6",
        memory::measure,
        "One thread of a process of its own; what its resident memory grows by. Keys in ascending order, overwritten in random order. \
        Redis keeps nothing on disk.",
    ),
    Row::new(
        "7",
        notify::measure,
        "Two processes; one thread puts, evenly spaced, ten thousand keys in turn, and a callback in the other process takes the age of \
        the value. By turns with the floors.",
    ),
    Row::new("8", notify::measure_at_rates, "As row 7."),
    Row::new(
        "9",
        spread::measure,
        "Two processes; one thread puts new keys in ascending order without a pause; from the first put until the other holds them all.",
    ),
    Row::new(
        "10",
        join::measure,
        "Two processes; a new one opens a map that the other holds; from `open` until it holds all. The floor is a transfer of keys and \
        values over plain TCP into the bare index.",
    ),
    Row {
        beside: true,
        ..Row::new(
            "11",
            idle::measure,
            "Two nodes of one process on a network of their own, measured while other rows are. What sync costs is the \
            difference to another pair, which compares once a day, and what heartbeats say of it.",
        )
    },
    Row::new(
        "12",
        reconcile::measure,
        "Two processes whose connection stays. One closes the map, which it keeps on disk; the other, whom nobody hears then, overwrites \
        100 keys; and the first opens the map again. Bytes are all that loopback carries from then until 0.3 s after it holds the \
        changes. The time is from the first byte that the first then sends until it holds them, through a relay, which takes its share. Round \
        trips are that time where the relay holds every byte for 20 ms, in round trips of 40 ms.",
    ),
    Row::new(
        "13",
        durable::measure,
        "Threads as said, a thousand keys in turn, each put timed; ours and the floor by turns on the same disk. While the log is \
        compacted: one thread, the same keys without a pause; only puts made meanwhile count.",
    ),
    Row::new(
        "14",
        reopen::measure,
        "A process of its own opens the map again, and starts a node first: with few entries that is most of it (row 18). Keys in \
        ascending order; files are in the page cache.",
    ),
    Row::new(
        "15",
        events::measure,
        "Events wait for a callback that is held up at its first call, while 100 k keys change in ascending order; counted from when it \
        is let go. The floors are a locked queue of copies (Rust, C), and calls of the same function by native code, for which \
        nothing has to be made.",
    ),
    Row::new(
        "16",
        last_callback::measure,
        "All nodes in one process, each dials at most four others; one thread puts 20 a second on the first of fifty, 100 on that of ten or fewer, new keys; until the \
        callback of the last node.",
    ),
    Row::new(
        "17",
        replicas::measure,
        "Simulated: replicas of the pure core joined at random, each having dialled four, and 20 writes by random authors. In a round \
        every message goes one hop. Gossip: a delta goes on to every neighbour but the one it came from. Repair alone: each compares \
        with one neighbour and pulls what differs. Bytes are those of the real messages, before libp2p; medians of three seeds.",
    ),
    Row::new("18", size::measure, "A process of its own; a node, a map, one put and one get."),
    Row::new(
        "19",
        sealed::measure,
        "Two pairs of processes, one with a secret; latency as in row 7, throughput as in row 9. By turns.",
    ),
    // Beyond the numbered ones: how cost grows with size.
    Row::new(
        "sizes",
        sizes::measure,
        "A process of its own for each size; one thread. Keys are put in ascending order; then random keys are read, overwritten, and \
    prefixes with 100 keys scanned, all in blocks.",
    ),
];
