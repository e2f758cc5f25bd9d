//! Rows 7 and 8: from `put` in one process to the callback in another, now and then and at high rates.

use crate::clock::Samples;
use crate::floors::tcp;
use crate::process::Peer;
use crate::report::{Curve, Figures, Floor, Line, Plot, Unit, percentiles};
use crate::{Effort, Result};

const RATE: u64 = 300;
const WARM_UP: usize = 150;
/// What one entry takes as a delta: the floor's messages are as large.
pub const DELTA_BYTES: usize = 200;

pub fn measure(effort: Effort) -> Result<Figures> {
    let (rounds, count) = effort.pick((2, 400), (4, 1000));
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
        samples: of.count().to_string(),
        goal: goal.into(),
    };
    let lines = vec![
        line("put -> callback, 2 processes, 300/s", &ours, Some(("bare gossipsub", &floor)), "<= 2, later <= 1.15"),
        line("the same", &ours, Some(("bare gossipsub, a thread at each end", &apart)), ""),
        line("the machine: half a TCP round trip, 300/s", &ping, None, ""),
    ];
    let curves = vec![
        Curve::ours(0, "p2pmap", percentiles(&ours)),
        Curve::floor(0, "bare gossipsub", percentiles(&floor)),
        Curve::floor(1, "the same, a thread at each end", percentiles(&apart)),
        Curve::floor(4, "half a TCP round trip", percentiles(&ping)),
    ];
    let title = "put -> callback in another process, 300 a second";
    Ok(Figures { lines, plots: vec![Plot::of_latency("latency-notify", title, curves)] })
}

/// Row 8.
pub fn measure_at_rates(effort: Effort) -> Result<Figures> {
    let mut writer = Peer::start("node", &[])?;
    let mut reader = Peer::start("node", &[&format!("bootstrap={}", writer.ready)])?;
    let mut publisher = Peer::start("gossip", &[])?;
    let mut listener = Peer::start("gossip", &[&publisher.ready])?;
    for peer in [&mut reader, &mut writer, &mut publisher, &mut listener] {
        peer.ask("meet")?;
    }
    let (mut lines, mut curves) = (Vec::new(), Vec::new());
    for (colour, (rate, what)) in [(2_000, "2 k/s"), (20_000, "20 k/s")].into_iter().enumerate() {
        let (rounds, count) = effort.pick((2, rate as usize / 2), (3, 2 * rate as usize));
        let (mut ours, mut floor) = (Samples::default(), Samples::default());
        for _ in 0..rounds {
            ours = ours.and(ages_at(rate, &mut writer, &mut reader, count, "pace", "", "")?);
            let bytes = DELTA_BYTES.to_string();
            floor = floor.and(ages_at(rate, &mut publisher, &mut listener, count, "pace apart", &bytes, "apart")?);
        }
        curves.push(Curve::ours(colour, &format!("p2pmap, {what}"), percentiles(&ours)));
        curves.push(Curve::floor(colour, &format!("bare gossipsub, {what}"), percentiles(&floor)));
        lines.push(Line {
            row: 8,
            what: format!("put -> callback, 2 processes, {what}"),
            unit: Unit::Nanoseconds,
            ours: ours.median(),
            p99: Some(ours.p99()),
            floor: Some(Floor {
                what: "bare gossipsub, a thread at each end".into(),
                is: floor.median(),
                p99: Some(floor.p99()),
            }),
            samples: ours.count().to_string(),
            goal: "p99 <= 5 ms".into(),
        });
    }
    let title = "put -> callback in another process, at higher rates";
    Ok(Figures { lines, plots: vec![Plot::of_latency("latency-at-rates", title, curves)] })
}

/// The ages of `count` messages on arrival.
pub fn ages(from: &mut Peer, to: &mut Peer, count: usize, pace: &str, bytes: &str, how: &str) -> Result<Samples> {
    ages_at(RATE, from, to, count, pace, bytes, how)
}

fn ages_at(rate: u64, from: &mut Peer, to: &mut Peer, count: usize, pace: &str, bytes: &str, how: &str) -> Result<Samples> {
    from.ask(&format!("{pace} {rate} {WARM_UP} {bytes}"))?;
    to.ask(&format!("collect {count} {how}"))?;
    from.ask(&format!("{pace} {rate} {count} {bytes}"))?;
    to.tell("collected")?;
    Ok(Samples::new(to.numbers()?))
}
