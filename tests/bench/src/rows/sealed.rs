//! Row 19: what a secret and signatures cost. The same two processes again, sealing all that they send, and signing all that they
//! write.

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
    let [mut sealing, mut signing, mut open] = [Pair::start(&[SECRET])?, Pair::start(&["signed=true"])?, Pair::start(&[])?];

    let mut age = [Samples::default(), Samples::default(), Samples::default()];
    for _ in 0..rounds {
        for (age, pair) in age.iter_mut().zip([&mut sealing, &mut signing, &mut open]) {
            *age = std::mem::take(age).and(ages(&mut pair.writer, &mut pair.reader, count, "pace", "", "")?);
        }
    }
    let [sealed_age, signed_age, open_age] = age;
    let (mut sealed_all, mut signed_all, mut open_all) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=rounds {
        let (sealed, signed, bare) = (sealing.spread(round)?, signing.spread(round)?, open.spread(round)?);
        if round > 0 {
            sealed_all.push(sealed);
            signed_all.push(signed);
            open_all.push(bare);
        }
    }
    let rate = |all: Vec<u64>| ENTRIES as f64 * 1e9 / Samples::new(all).median();
    let floor = |is, p99| Some(Floor { what: "neither sealed nor signed".into(), is, p99 });
    let latency = |how, age: &Samples, goal: &str| Line {
        row: 19,
        what: format!("{how}: put -> callback, 2 processes, 300/s"),
        unit: Unit::Nanoseconds,
        ours: age.median(),
        p99: Some(age.p99()),
        floor: floor(open_age.median(), Some(open_age.p99())),
        samples: age.count().to_string(),
        goal: goal.into(),
    };
    let open_rate = rate(open_all);
    let throughput = |how, all, goal: &str| Line {
        row: 19,
        what: format!("{how}: 100 k puts until the other process holds all, entries a second"),
        unit: Unit::Rate,
        ours: rate(all),
        p99: None,
        floor: floor(open_rate, None),
        samples: format!("{rounds} rounds"),
        goal: goal.into(),
    };
    let lines = vec![
        latency("sealed", &sealed_age, "<= 1.15"),
        throughput("sealed", sealed_all, ">= 0.7"),
        latency("signed", &signed_age, ""),
        throughput("signed", signed_all, ""),
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
