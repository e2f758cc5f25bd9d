//! Row 7: from `put` in one process to the callback in another.

use crate::child::Peer;
use crate::clock::Samples;
use crate::table::{Floor, Line, Unit};
use crate::{Effort, Result, tcp};

const RATE: u64 = 300;
const WARM_UP: usize = 150;
/// What one entry takes as a delta: the floor's messages are as large.
const DELTA_BYTES: usize = 200;

pub fn measure(effort: Effort) -> Result<Vec<Line>> {
    let (rounds, count) = effort.pick((3, 500), (5, 1500));
    let mut writer = Peer::start("node", &[])?;
    let mut reader = Peer::start("node", &[&format!("bootstrap={}", writer.ready)])?;
    let mut publisher = Peer::start("gossip", &[])?;
    let mut listener = Peer::start("gossip", &[&publisher.ready])?;
    reader.ask("meet")?;
    writer.ask("meet")?;
    publisher.ask("meet")?;
    listener.ask("meet")?;

    let (mut ours, mut floor, mut apart, mut ping) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    // By turns, so that a machine that changes its mind changes it for all.
    for _ in 0..rounds {
        ours = ours.and(ages(&mut writer, &mut reader, count, "pace", "", "")?);
        floor = floor.and(ages(&mut publisher, &mut listener, count, "pace", &DELTA_BYTES.to_string(), "")?);
        apart = apart.and(ages(&mut publisher, &mut listener, count, "pace apart", &DELTA_BYTES.to_string(), "apart")?);
        ping = ping.and(tcp::ping_pong(count)?);
    }
    let line = |what: &str, of: &Samples, floor: Option<(&str, &Samples)>, goal: &str| Line {
        row: 7,
        what: what.into(),
        unit: Unit::Nanoseconds,
        ours: of.median(),
        p99: Some(of.p99()),
        floor: floor.map(|(what, floor)| Floor { what: what.into(), is: floor.median(), p99: Some(floor.p99()) }),
        samples: of.len().to_string(),
        goal: goal.into(),
    };
    Ok(vec![
        line("put -> callback, 2 processes, 300/s", &ours, Some(("bare gossipsub", &floor)), "<= 2, later <= 1.15"),
        line("the same", &ours, Some(("bare gossipsub, a thread at each end", &apart)), ""),
        line("the machine: half a TCP round trip, 300/s", &ping, None, ""),
    ])
}

/// The ages of `count` messages on arrival.
fn ages(from: &mut Peer, to: &mut Peer, count: usize, pace: &str, bytes: &str, how: &str) -> Result<Samples> {
    from.ask(&format!("{pace} {RATE} {WARM_UP} {bytes}"))?;
    to.ask(&format!("collect {count} {how}"))?;
    from.ask(&format!("{pace} {RATE} {count} {bytes}"))?;
    to.tell("collected")?;
    Ok(Samples::new(to.numbers()?))
}
