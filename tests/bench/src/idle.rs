//! Row 11: what two nodes say to each other when nothing happens.

use crate::child::Peer;
use crate::table::{Line, Unit};
use crate::{Effort, Result, machine};

const ENTRIES: usize = 100_000;
/// No sync within a day: what is left is everything else.
const NO_SYNC: &str = "anti_entropy_ms=86400000";

pub fn measure(effort: Effort) -> Result<Vec<Line>> {
    if !machine::can_be_apart() {
        return Err("no network namespace can be made here".into());
    }
    let seconds: u64 = effort.pick(30, 120);
    // Both at once, each on a wire of its own.
    let (entries, duration) = (ENTRIES.to_string(), seconds.to_string());
    let bytes = |option: &'static str| {
        let (entries, duration) = (entries.clone(), duration.clone());
        std::thread::spawn(move || -> Result<u64> {
            let options: Vec<&str> = [&entries, &duration, option].into_iter().filter(|option| !option.is_empty()).collect();
            let peer = Peer::start_apart("idle", &options)?;
            Ok(peer.ready.split_whitespace().next().ok_or("no figures")?.parse()?)
        })
    };
    let (all, rest) = (bytes(""), bytes(NO_SYNC));
    let wait = |measuring: std::thread::JoinHandle<Result<u64>>| measuring.join().map_err(|_| "a measuring thread panicked")?;
    let (all, rest) = (wait(all)?, wait(rest)?);
    let line = |what: &str, bytes: u64, goal: &str| Line {
        row: 11,
        what: what.into(),
        unit: Unit::Bytes,
        ours: bytes as f64 * 60.0 / seconds as f64,
        p99: None,
        floor: None,
        samples: format!("{seconds} s"),
        goal: goal.into(),
    };
    Ok(vec![
        line("idle, 100 k equal entries, 2 nodes: a minute on the wire", all, "<= 5 kB"),
        line("of it sync", all.saturating_sub(rest), "<= 1 kB"),
    ])
}
