//! Row 16: up to fifty nodes in one process; from `put` on one of them until the last of the others has called back.

use std::sync::mpsc::sync_channel;

use p2pmap::SubscribeOptions;

use crate::clock::{Samples, now_ns, paced};
use crate::floors::gossip::{self, Ask};
use crate::load::{Random, key, value};
use crate::process::node::{LONG, address, collect, holds, meet, open};
use crate::report::{Axis, Curve, Figures, Floor, Line, Plot, Scale, Unit};
use crate::rows::notify::DELTA_BYTES;
use crate::{Effort, Result};

/// Of the row; the plot has fewer, too.
const NODES: usize = 50;
/// Puts a second on so many nodes; on fewer there are more, up to the other.
const RATE: u64 = 20;
const MOST: u64 = 100;
const WARM_UP: usize = 40;
/// So many connections each node makes by itself; others come to it.
const DIALED: usize = 4;

pub fn measure(effort: Effort) -> Result<Figures> {
    let (rounds, count) = effort.pick((1, 60), (2, 240));
    let sizes: &[usize] = effort.pick(&[2, NODES], &[2, 5, 10, 20, NODES]);
    let at_size = |nodes: usize, count: usize| -> Result<(Samples, Samples)> {
        let (mut all, mut floor) = (Samples::default(), Samples::default());
        for _ in 0..rounds {
            all = all.and(ours(nodes, count)?);
            floor = floor.and(bare(nodes, count)?);
        }
        Ok((all, floor))
    };
    let quantiles = [("median", 0.5), ("p99", 0.99)];
    let mut curves = Vec::new();
    for (colour, (what, _)) in quantiles.into_iter().enumerate() {
        curves.push(Curve::ours(colour, &format!("p2pmap, {what}"), Vec::new()));
        curves.push(Curve::floor(colour, &format!("bare gossipsub, {what}"), Vec::new()));
    }
    let mut lines = Vec::new();
    for &nodes in sizes {
        let (all, floor) = at_size(nodes, if nodes == NODES { count } else { count / 2 })?;
        for (pair, (_, quantile)) in curves.chunks_exact_mut(2).zip(quantiles) {
            pair[0].points.push((nodes as f64, all.quantile(quantile)));
            pair[1].points.push((nodes as f64, floor.quantile(quantile)));
        }
        lines.extend((nodes == NODES).then(|| line(&all, &floor)));
    }
    let plot = Plot {
        name: "last-callback",
        title: "put -> the last callback, all nodes in one process".into(),
        x: Axis::new("nodes", Scale::Tenfold(Unit::Count)),
        y: Axis::new("latency", Scale::Tenfold(Unit::Nanoseconds)),
        curves,
    };
    Ok(Figures { lines, plots: vec![plot] })
}

fn line(all: &Samples, floor: &Samples) -> Line {
    Line {
        row: 16,
        what: format!("{NODES} nodes in one process: put -> the last callback"),
        unit: Unit::Nanoseconds,
        ours: all.median(),
        p99: Some(all.p99()),
        floor: Some(Floor { what: "bare gossipsub".into(), is: floor.median(), p99: Some(floor.p99()) }),
        samples: all.count().to_string(),
        goal: "<= 1.3".into(),
    }
}

/// Puts a second: about as many messages in all.
fn rate(nodes: usize) -> u64 {
    (RATE * NODES as u64 / nodes as u64).min(MOST)
}

fn ours(nodes: usize, count: usize) -> Result<Samples> {
    let first = open(&[] as &[&str])?;
    let bootstrap = format!("bootstrap={}", address(&first)?);
    let others = (1..nodes).map(|_| open(&[&bootstrap])).collect::<Result<Vec<_>>>()?;
    let put = |at: usize| first.put(key(at), value(now_ns(), at as u64)).map(drop);
    paced(rate(nodes), WARM_UP, put)?;
    for map in &others {
        meet(map)?;
        holds(map, WARM_UP)?;
    }
    let mut collected = Vec::new();
    for map in &others {
        let (done, ages) = std::sync::mpsc::channel();
        collected.push((map.subscribe(SubscribeOptions::default(), collect(count, done))?, ages));
    }
    paced(rate(nodes), count, |at| put(WARM_UP + at))?;
    last(collected.iter().map(|(_, ages)| Ok(ages.recv_timeout(LONG)?)))
}

fn bare(nodes: usize, count: usize) -> Result<Samples> {
    let (first, address) = gossip::start(&[])?;
    let (mut others, mut addresses, mut random) = (Vec::new(), vec![address], Random(7));
    for _ in 1..nodes {
        // As many connections as ours have: the first, and some of those that are there already.
        let mut dial = vec![addresses[0].clone()];
        dial.extend((2..=DIALED).map(|_| addresses[random.below(addresses.len())].clone()));
        dial.sort_unstable();
        dial.dedup();
        let (asks, address) = gossip::start(&dial)?;
        others.push(asks);
        addresses.push(address);
    }
    let ask = |ask: &dyn Fn(std::sync::mpsc::SyncSender<String>) -> Ask| -> Result<String> {
        let (done, answer) = sync_channel(1);
        first.send(ask(done))?;
        Ok(answer.recv_timeout(LONG)?)
    };
    ask(&|done| Ask::Meet { listeners: nodes - 1, done })?;
    ask(&|done| Ask::Pace { rate: rate(nodes), count: WARM_UP, bytes: DELTA_BYTES, done })?;
    let mut collected = Vec::new();
    for asks in &others {
        let (done, ages) = sync_channel(1);
        asks.send(Ask::Collect { count, apart: false, done })?;
        collected.push(ages);
    }
    ask(&|done| Ask::Pace { rate: rate(nodes), count, bytes: DELTA_BYTES, done })?;
    last(collected.iter().map(|ages| {
        let ages = ages.recv_timeout(LONG)?;
        Ok(ages.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
    }))
}

/// Of what everyone took the ages of in the same order: how old each was where it came last.
fn last(everyone: impl Iterator<Item = Result<Vec<u64>>>) -> Result<Samples> {
    let mut last: Vec<u64> = Vec::new();
    for ages in everyone {
        let ages = ages?;
        last.resize(ages.len(), 0);
        last.iter_mut().zip(ages).for_each(|(last, age)| *last = age.max(*last));
    }
    Ok(Samples::new(last))
}
