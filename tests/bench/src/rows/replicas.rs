//! Row 17: how rounds and bytes grow with the number of replicas. The simulation is one of the core's tests, which prints what it
//! finds: it is made of parts that no user sees.

use std::process::{Command, Stdio};

use crate::report::{Axis, Curve, Figures, Floor, Line, Plot, Scale, Unit};
use crate::{Effort, Result, machine};

const TEST: &str = "rounds_grow_with_the_logarithm_and_bytes_of_each_replica_hardly";

/// What one size has come to.
struct Found {
    how: String,
    replicas: f64,
    rounds: f64,
    /// A replica and write.
    bytes: f64,
}

pub fn measure(_: Effort) -> Result<Figures> {
    let output = Command::new(machine::cargo())
        .args(["test", "--quiet", "--release", "--locked", "-p", "p2pmap", "--lib", TEST, "--", "--nocapture"])
        .current_dir(machine::root())
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        return Err(format!("the simulation failed: {said}").into());
    }
    let found =
        said.lines().filter_map(|line| line.split_once("growth\t")).map(|(_, line)| parse(line)).collect::<Result<Vec<_>>>()?;
    let mut lines = Vec::new();
    for (how, name) in [("gossip", "gossip"), ("repair", "repair alone")] {
        lines.extend(compared(&found, how, name)?);
    }
    Ok(Figures { lines, plots: plots(&found) })
}

fn parse(line: &str) -> Result<Found> {
    let [how, replicas, rounds, bytes] = line.split('\t').collect::<Vec<_>>()[..] else { return Err(line.into()) };
    Ok(Found { how: how.into(), replicas: replicas.parse()?, rounds: rounds.parse()?, bytes: bytes.parse()? })
}

/// A thousand replicas beside the logarithm of their number, and beside a hundred.
fn compared(found: &[Found], how: &str, name: &str) -> Result<[Line; 2]> {
    let of = |replicas: f64| found.iter().find(|one| one.how == how && one.replicas == replicas).ok_or("a size is missing");
    let (few, many) = (of(100.0)?, of(1000.0)?);
    let line = |what: String, unit, ours, floor: &str, is, goal: &str| Line {
        row: 17,
        what,
        unit,
        ours,
        p99: None,
        floor: Some(Floor { what: floor.into(), is, p99: None }),
        samples: "3 seeds".into(),
        goal: goal.into(),
    };
    let log = many.replicas.log2();
    let rounds = format!("1,000 simulated replicas agree by {name}: rounds");
    let bytes = format!("1,000 simulated replicas agree by {name}: bytes a replica and write");
    Ok([
        line(rounds, Unit::Count, many.rounds, "binary logarithm of 1,000", log, "log n"),
        line(bytes, Unit::Bytes, many.bytes, "100 replicas", few.bytes, "constant"),
    ])
}

fn plots(found: &[Found]) -> Vec<Plot> {
    let points = |how: &str, figure: fn(&Found) -> f64| -> Vec<(f64, f64)> {
        found.iter().filter(|one| one.how == how).map(|one| (one.replicas, figure(one))).collect()
    };
    let plot = |name, title: &str, y: &str, unit, figure: fn(&Found) -> f64| Plot {
        name,
        title: title.into(),
        x: Axis::new("simulated replicas", Scale::Tenfold(Unit::Count)),
        y: Axis::new(y, Scale::Even(unit)),
        curves: vec![
            Curve::ours(0, "gossip", points("gossip", figure)),
            Curve::ours(1, "repair alone", points("repair", figure)),
        ],
    };
    let mut rounds = plot("replicas-rounds", "Rounds until all replicas agree", "rounds", Unit::Count, |one| one.rounds);
    rounds.curves.push(Curve::floor(4, "binary logarithm", points("gossip", |one| one.replicas.log2())));
    let bytes =
        plot("replicas-bytes", "Bytes of each replica until all agree", "bytes a replica and write", Unit::Bytes, |one| {
            one.bytes
        });
    vec![rounds, bytes]
}
