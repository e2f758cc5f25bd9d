//! Row 11: what two nodes say to each other when nothing happens.

use crate::process::Peer;
use crate::report::{Figures, Line, Unit};
use crate::{Effort, Result, machine};

const ENTRIES: usize = 100_000;
/// How often the two compare: by default, and not while this looks.
const DEFAULT_MS: u32 = 30_000;
const NEVER_MS: u32 = 86_400_000;
/// Of a heartbeat, there and back, the part that says what the nodes hold; and how many there are in a minute.
const TOLD_BYTES: f64 = 2.0 * 8.0;
const BEATS: f64 = 12.0;

pub fn measure(effort: Effort) -> Result<Figures> {
    if !machine::can_be_apart() {
        eprintln!("  not measured: that takes a network namespace, which cannot be made here");
        return Ok(Figures::default());
    }
    let seconds: u64 = effort.pick(20, 60);
    // Both at once, each on a wire of its own.
    let measuring = [DEFAULT_MS, NEVER_MS].map(|interval| std::thread::spawn(move || bytes_a_minute(interval, seconds)));
    let mut figures = Vec::new();
    for measuring in measuring {
        figures.push(measuring.join().map_err(|_| "a measuring thread panicked")??);
    }
    let (all, without) = (figures[0], figures[1]);
    let sync = (all - without).max(0.0) + BEATS * TOLD_BYTES;
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
        line("idle, 100 k equal entries, 2 nodes: a minute on the wire", all, "<= 5 kB"),
        line("of it sync", sync, "<= 1 kB"),
    ]
    .into())
}

/// What two idle nodes that compare so often exchange, on a wire of their own.
fn bytes_a_minute(interval_ms: u32, seconds: u64) -> Result<f64> {
    let option = format!("anti_entropy_ms={interval_ms}");
    let peer = Peer::start_apart("idle", &[&ENTRIES.to_string(), &seconds.to_string(), &option])?;
    Ok(peer.ready.parse::<f64>()? * 60.0 / seconds as f64)
}
