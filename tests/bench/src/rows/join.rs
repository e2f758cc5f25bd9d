//! Row 10: a new process pulls everything.

use crate::clock::Samples;
use crate::floors::tcp;
use crate::load::{self, ENTRY_BYTES};
use crate::machine::wire_bytes;
use crate::process::Peer;
use crate::report::{Figures, Floor, Line, Unit};
use crate::{Effort, Result};

pub fn measure(effort: Effort) -> Result<Figures> {
    let mut lines = joins(100_000, effort.pick(3, 5), "< 1 s, later <= 0.15 s and <= 2")?;
    if !effort.quick {
        lines.extend(joins(1_000_000, 3, "later <= 1.5 s and <= 2")?);
    }
    Ok(lines.into())
}

fn joins(entries: usize, rounds: usize, goal: &str) -> Result<Vec<Line>> {
    let mut member = Peer::start("node", &[])?;
    member.ask(&format!("put 0 {entries}"))?;
    let (mut all, mut floor, mut wire) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let before = wire_bytes();
        let mut joined = Peer::start("join", &[&entries.to_string(), &member.ready])?;
        wire.extend(wire_bytes().zip(before).map(|(after, before)| after - before));
        let times: Vec<u64> = joined.ready.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
        let [start, held] = times[..] else { return Err("no figures".into()) };
        all.push(held - start);
        let (here, there) = (member.ask("digest")?, joined.ask("digest")?);
        if here != there {
            return Err(format!("the two ends differ: {here} and {there}").into());
        }
        floor.push(tcp::bare_load(entries)?.1);
    }
    let (all, floor, wire) = (Samples::new(all), Samples::new(floor), Samples::new(wire));
    let payload = entries * ENTRY_BYTES;
    let samples = format!("{rounds} joins");
    let mut lines = vec![Line {
        row: 10,
        what: format!("join: {} entries, open -> all", load::count(entries)),
        unit: Unit::Nanoseconds,
        ours: all.median(),
        p99: None,
        floor: Some(Floor { what: "TCP and bare index inserts".into(), is: floor.median(), p99: None }),
        samples: samples.clone(),
        goal: goal.into(),
    }];
    if wire.count() > 0 {
        lines.push(Line {
            row: 10,
            what: "its bytes on the wire".into(),
            unit: Unit::Bytes,
            ours: wire.median(),
            p99: None,
            floor: Some(Floor { what: "keys and values".into(), is: payload as f64, p99: None }),
            samples,
            goal: "<= 1.15".into(),
        });
    }
    Ok(lines)
}
