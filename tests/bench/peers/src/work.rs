//! The work: the same of everyone, measured from outside.

use std::collections::BTreeMap;

use p2pmap_bench::clock::Samples;
use p2pmap_bench::process::Peer;
use p2pmap_bench::report::Unit;
use p2pmap_bench::{Effort, Result};

use crate::contender::Contender;

/// Notifications: so many a second, after so many that do not count.
const RATE: u64 = 300;
const WARM_UP: usize = 150;
/// What takes longer is done once.
const LONG_NS: u64 = 5_000_000_000;

/// What is measured, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    Get,
    GetAll,
    Put,
    Fill,
    Notify,
    Load,
    Join,
    Memory,
    Idle,
}

impl Work {
    pub const ALL: [Self; 9] =
        [Self::Get, Self::GetAll, Self::Put, Self::Fill, Self::Notify, Self::Load, Self::Join, Self::Memory, Self::Idle];

    pub fn unit(self) -> Unit {
        match self {
            Self::GetAll | Self::Fill => Unit::Rate,
            Self::Memory | Self::Idle => Unit::Bytes,
            _ => Unit::Nanoseconds,
        }
    }
}

/// What one contender's work took.
pub struct Figure {
    pub is: f64,
    pub p99: Option<f64>,
}

/// What was measured, or why it was not.
pub type Figures = BTreeMap<Work, Result<Figure>>;

/// How much there is to do.
pub struct Size {
    pub entries: usize,
    rounds: usize,
    samples: usize,
}

impl Size {
    pub fn of(effort: Effort) -> Self {
        Self { entries: effort.pick(20_000, 100_000), rounds: effort.pick(1, 3), samples: effort.pick(500, 2_000) }
    }
}

/// All but what is measured idle.
pub fn measure(contender: &Contender, size: &Size) -> Result<Figures> {
    let entries = size.entries;
    let mut figures = Figures::new();
    let mut writer = Peer::start("first", &[contender.key])?;
    let before = resident(&mut writer)?;
    writer.tell(&format!("fill 0 {entries}"))?;
    let filled = interval(&mut writer)?;
    figures.insert(Work::Fill, Ok(rate(entries, filled)));
    let grown = resident(&mut writer)?.saturating_sub(before);
    figures.insert(Work::Memory, Ok(Figure { is: grown as f64 / entries as f64, p99: None }));

    let joined = join(contender, &writer.ready, size);
    let mut reader = match joined {
        Ok((reader, times)) => {
            figures.insert(Work::Join, Ok(median(times)));
            reader
        }
        // Nothing else can be asked of a pair that did not come about.
        Err(error) => {
            figures.insert(Work::Join, Err(error));
            return Ok(figures);
        }
    };
    figures.insert(Work::Get, samples(&mut reader, &format!("gets {} {entries}", size.samples)));
    figures.insert(Work::GetAll, read_all(&mut reader, entries));
    figures.insert(Work::Put, samples(&mut writer, &format!("puts {}", size.samples)));
    figures.insert(Work::Notify, notify(&mut writer, &mut reader, size.samples));
    figures.insert(Work::Load, load(&mut writer, &mut reader, size));
    Ok(figures)
}

/// Processes that join, one after another; the last of them, and how long each took.
fn join(contender: &Contender, address: &str, size: &Size) -> Result<(Peer, Vec<u64>)> {
    let mut times = Vec::new();
    loop {
        let joined = Peer::start("join", &[contender.key, address, &size.entries.to_string()])?;
        let took = difference(&joined.ready)?;
        times.push(took);
        if times.len() == size.rounds || took > LONG_NS {
            return Ok((joined, times));
        }
    }
}

/// From each put until the other process is told of it.
fn notify(writer: &mut Peer, reader: &mut Peer, count: usize) -> Result<Figure> {
    reader.ask("watch")?;
    for count in [WARM_UP, count] {
        writer.tell(&format!("pace {RATE} {count}"))?;
        let ages = samples(reader, &format!("ages {count}"));
        writer.answer()?;
        if count != WARM_UP {
            return ages;
        }
        ages?;
    }
    Err("nothing to count".into())
}

/// From the first of many puts until the other process holds them all.
fn load(writer: &mut Peer, reader: &mut Peer, size: &Size) -> Result<Figure> {
    let mut times = Vec::new();
    for round in 1..=size.rounds {
        reader.tell(&format!("holds {}", (round + 1) * size.entries))?;
        writer.tell(&format!("fill {} {}", round * size.entries, size.entries))?;
        let (put, held) = (writer.numbers()?, reader.numbers()?);
        match (&put[..], &held[..]) {
            (&[start, _], &[held]) => times.push(held - start),
            _ => return Err("no figures".into()),
        }
        if times.last().is_some_and(|took| *took > LONG_NS) {
            break;
        }
    }
    Ok(median(times))
}

fn read_all(reader: &mut Peer, entries: usize) -> Result<Figure> {
    reader.tell(&format!("get_all {entries}"))?;
    Ok(rate(entries, interval(reader)?))
}

fn samples(peer: &mut Peer, command: &str) -> Result<Figure> {
    peer.tell(command)?;
    let samples = Samples::new(peer.numbers()?);
    Ok(Figure { is: samples.median(), p99: Some(samples.p99()) })
}

fn resident(peer: &mut Peer) -> Result<u64> {
    Ok(peer.ask("resident")?.parse()?)
}

/// The time between the two moments that it says.
fn interval(peer: &mut Peer) -> Result<u64> {
    difference(&peer.answer()?)
}

fn difference(moments: &str) -> Result<u64> {
    match moments.split_whitespace().map(str::parse).collect::<std::result::Result<Vec<u64>, _>>()?[..] {
        [start, end] => Ok(end - start),
        _ => Err("no figures".into()),
    }
}

fn rate(entries: usize, nanoseconds: u64) -> Figure {
    Figure { is: entries as f64 * 1e9 / nanoseconds as f64, p99: None }
}

fn median(times: Vec<u64>) -> Figure {
    Figure { is: Samples::new(times).median(), p99: None }
}
