//! Row 11: what two nodes say to each other when nothing happens.

use crate::process::Peer;
use crate::report::{Figures, Line, Unit};
use crate::{Effort, Result, machine};

const ENTRIES: usize = 100_000;
/// How often the two compare: by default, and far more often, so that what one comparison takes stands out.
const SELDOM_MS: f64 = 30_000.0;
const OFTEN_MS: f64 = 500.0;

pub fn measure(effort: Effort) -> Result<Figures> {
    if !machine::can_be_apart() {
        eprintln!("  not measured: that takes a network namespace, which cannot be made here");
        return Ok(Figures::default());
    }
    let seconds: u64 = effort.pick(20, 60);
    // Both at once, each on a wire of its own.
    let measuring = [SELDOM_MS, OFTEN_MS].map(|interval| std::thread::spawn(move || bytes_a_minute(interval, seconds)));
    let mut figures = Vec::new();
    for measuring in measuring {
        figures.push(measuring.join().map_err(|_| "a measuring thread panicked")??);
    }
    let (seldom, often) = (figures[0], figures[1]);
    // Both hold the same beside sync; the one holds so many times the other's.
    let sync = (often - seldom) / (SELDOM_MS / OFTEN_MS - 1.0);
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
        line("idle, 100 k equal entries, 2 nodes: a minute on the wire", seldom, "<= 5 kB"),
        line("of it sync", sync, "<= 1 kB"),
    ]
    .into())
}

/// What two idle nodes that compare so often exchange, on a wire of their own.
fn bytes_a_minute(interval_ms: f64, seconds: u64) -> Result<f64> {
    let option = format!("anti_entropy_ms={interval_ms}");
    let peer = Peer::start_apart("idle", &[&ENTRIES.to_string(), &seconds.to_string(), &option])?;
    Ok(peer.ready.parse::<f64>()? * 60.0 / seconds as f64)
}
