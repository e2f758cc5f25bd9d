//! Row 18: how large the library is, and how long a process takes to have a map.

use std::process::Command;

use p2pmap::Config;

use crate::clock::{Samples, now_ns};
use crate::process::{Peer, line, serve};
use crate::report::{Figures, Line, Unit};
use crate::{Effort, Result, machine};

pub fn measure(effort: Effort) -> Result<Figures> {
    let rounds = effort.pick(10, 50);
    let library = machine::c_library()?;
    let stripped = library.with_extension("stripped");
    if !Command::new("strip").arg("-o").arg(&stripped).arg(&library).status()?.success() {
        return Err("`strip` failed".into());
    }
    let bytes = std::fs::metadata(&stripped)?.len();
    std::fs::remove_file(&stripped)?;
    let mut opened = Vec::new();
    for _ in 0..rounds {
        opened.push(Peer::start("open", &[])?.ready.parse()?);
    }
    let opened = Samples::new(opened);
    let line = |what: &str, unit, ours, p99, samples: String, goal: &str| Line {
        row: 18,
        what: what.into(),
        unit,
        ours,
        p99,
        floor: None,
        samples,
        goal: goal.into(),
    };
    Ok(vec![
        line("libp2pmap.so, stripped", Unit::Bytes, bytes as f64, None, "1".into(), "<= 10 MB"),
        line(
            "open, first in its process",
            Unit::Nanoseconds,
            opened.median(),
            Some(opened.p99()),
            rounds.to_string(),
            "<= 10 ms",
        ),
    ]
    .into())
}

/// `open`: says how long the first opening took, its first put and get included.
pub fn open() -> Result<()> {
    let start = now_ns();
    let map = p2pmap::open("bench", Config::new())?;
    map.put("key", "value")?;
    map.get("key")?.ok_or("not there")?;
    serve(&line([now_ns() - start]), |_| Ok(String::new()))
}
