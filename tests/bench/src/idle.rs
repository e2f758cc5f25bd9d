//! Row 11: what two nodes say to each other when nothing happens.

use crate::child::Peer;
use crate::table::{Line, Unit};
use crate::{Effort, Result, machine};

const ENTRIES: usize = 100_000;
/// No sync within a day: what is left is everything else.
const NO_SYNC: &str = "anti_entropy_ms=86400000";
/// Sync far more often than the default, so that few seconds hold many.
const OFTEN: &str = "anti_entropy_ms=500";
const TIMES_AS_OFTEN: f64 = 30_000.0 / 500.0;

pub fn measure(effort: Effort) -> Result<Vec<Line>> {
    if !machine::can_be_apart() {
        eprintln!("  not measured: that takes a network namespace, which cannot be made here");
        return Ok(Vec::new());
    }
    let seconds: u64 = effort.pick(20, 60);
    // Both at once, each on a wire of its own.
    let measuring = [NO_SYNC, OFTEN].map(|option| std::thread::spawn(move || bytes_a_minute(option, seconds)));
    let mut figures = Vec::new();
    for measuring in measuring {
        figures.push(measuring.join().map_err(|_| "a measuring thread panicked")??);
    }
    let (rest, often) = (figures[0], figures[1]);
    let sync = (often - rest).max(0.0) / TIMES_AS_OFTEN;
    let line = |what: &str, bytes: f64, goal: &str| Line {
        row: 11,
        what: what.into(),
        unit: Unit::Bytes,
        ours: bytes,
        p99: None,
        floor: None,
        samples: format!("{seconds} s"),
        goal: goal.into(),
    };
    Ok(vec![
        line("idle, 100 k equal entries, 2 nodes: a minute on the wire", rest + sync, "<= 5 kB"),
        line("of it sync", sync, "<= 1 kB"),
    ])
}

/// What two idle nodes with that option exchange, on a wire of their own.
fn bytes_a_minute(option: &str, seconds: u64) -> Result<f64> {
    let peer = Peer::start_apart("idle", &[&ENTRIES.to_string(), &seconds.to_string(), option])?;
    Ok(peer.ready.parse::<f64>()? * 60.0 / seconds as f64)
}
