//! Row 19: what a secret costs. The same two processes twice, once sealing all that they send.

use crate::clock::Samples;
use crate::process::Peer;
use crate::report::{Figures, Floor, Line, Unit};
use crate::rows::notify::ages;
use crate::rows::spread::{ENTRIES, spread};
use crate::{Effort, Result};

/// Of nobody's cluster.
const SECRET: &str = "cluster_secret=8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d";

pub fn measure(effort: Effort) -> Result<Figures> {
    let (rounds, count) = effort.pick((2, 400), (4, 1000));
    let [mut sealing, mut open] = [Pair::start(&[SECRET])?, Pair::start(&[])?];

    let (mut sealed_age, mut open_age) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        sealed_age = sealed_age.and(ages(&mut sealing.writer, &mut sealing.reader, count, "pace", "", "")?);
        open_age = open_age.and(ages(&mut open.writer, &mut open.reader, count, "pace", "", "")?);
    }
    let (mut sealed_all, mut open_all) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=rounds {
        let (sealed, bare) = (sealing.spread(round)?, open.spread(round)?);
        if round > 0 {
            sealed_all.push(sealed);
            open_all.push(bare);
        }
    }
    let rate = |all: Vec<u64>| ENTRIES as f64 * 1e9 / Samples::new(all).median();
    let floor = |is, p99| Some(Floor { what: "without a secret".into(), is, p99 });
    let lines = vec![
        Line {
            row: 19,
            what: "sealed: put -> callback, 2 processes, 300/s".into(),
            unit: Unit::Nanoseconds,
            ours: sealed_age.median(),
            p99: Some(sealed_age.p99()),
            floor: floor(open_age.median(), Some(open_age.p99())),
            samples: sealed_age.count().to_string(),
            goal: "<= 1.15".into(),
        },
        Line {
            row: 19,
            what: "sealed: 100 k puts until the other process holds all, entries a second".into(),
            unit: Unit::Rate,
            ours: rate(sealed_all),
            p99: None,
            floor: floor(rate(open_all), None),
            samples: format!("{rounds} rounds"),
            goal: ">= 0.7".into(),
        },
    ];
    Ok(lines.into())
}

/// Two connected nodes, each in a process of its own.
struct Pair {
    writer: Peer,
    reader: Peer,
}

impl Pair {
    fn start(options: &[&str]) -> Result<Self> {
        let mut writer = Peer::start("node", options)?;
        let bootstrap = format!("bootstrap={}", writer.ready);
        let mut reader = Peer::start("node", &[options, &[&bootstrap]].concat())?;
        reader.ask("meet")?;
        writer.ask("meet")?;
        Ok(Self { writer, reader })
    }

    fn spread(&mut self, round: usize) -> Result<u64> {
        spread(&mut self.writer, &mut self.reader, round * ENTRIES)
    }
}
