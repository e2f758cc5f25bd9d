//! Row 9: as many puts as possible, until another process holds them all.

use crate::clock::Samples;
use crate::process::Peer;
use crate::report::{Figures, Floor, Line, Unit};
use crate::{Effort, Result};

pub const ENTRIES: usize = 100_000;

pub fn measure(effort: Effort) -> Result<Figures> {
    let rounds = effort.pick(3, 5);
    let mut writer = Peer::start("node", &[])?;
    let mut reader = Peer::start("node", &[&format!("bootstrap={}", writer.ready)])?;
    let mut publisher = Peer::start("gossip", &[])?;
    let mut listener = Peer::start("gossip", &[&publisher.ready])?;
    reader.ask("meet")?;
    writer.ask("meet")?;
    publisher.ask("meet")?;
    listener.ask("meet")?;

    let (mut all, mut floor) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=rounds {
        let ours = spread(&mut writer, &mut reader, round * ENTRIES)?;
        let bare = spread(&mut publisher, &mut listener, round * ENTRIES)?;
        if round > 0 {
            all.push(ours);
            floor.push(bare);
        }
    }
    let (here, there) = (writer.ask("digest")?, reader.ask("digest")?);
    if here != there {
        return Err(format!("the two ends differ: {here} and {there}").into());
    }
    let (all, floor) = (Samples::new(all), Samples::new(floor));
    let line = |what: &str, unit, ours, is, goal: &str| Line {
        row: 9,
        what: what.into(),
        unit,
        ours,
        p99: None,
        floor: Some(Floor { what: "bare gossipsub of 16 KiB, bare index inserts".into(), is, p99: None }),
        samples: format!("{rounds} rounds"),
        goal: goal.into(),
    };
    let rate = |nanoseconds: f64| ENTRIES as f64 * 1e9 / nanoseconds;
    Ok(vec![
        line(
            "100 k puts until the other process holds all",
            Unit::Nanoseconds,
            all.median(),
            floor.median(),
            "< 2 s, none lost",
        ),
        line("the same, entries a second", Unit::Rate, rate(all.median()), rate(floor.median()), ">= 600 k/s"),
    ]
    .into())
}

/// Nanoseconds from the first put until the reader holds all.
pub fn spread(writer: &mut Peer, reader: &mut Peer, from: usize) -> Result<u64> {
    reader.tell(&format!("holds {}", from + ENTRIES))?;
    writer.tell(&format!("put {from} {ENTRIES}"))?;
    let (put, held) = (writer.numbers()?, reader.numbers()?);
    match (&put[..], &held[..]) {
        (&[start, _], &[held]) => Ok(held - start),
        _ => Err("no figures".into()),
    }
}
