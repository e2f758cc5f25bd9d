//! Row 12: a hundred differences among a hundred thousand entries, on a connection that is there already.
//!
//! Gossip carries none of them: they are made while the other process has the map closed.

use std::net::SocketAddr;
use std::time::Duration;

use p2pmap::{Config, Map, MapOptions, Node};

use crate::clock::{Samples, now_ns};
use crate::floors::tcp;
use crate::load::{ENTRY_BYTES, first, key, value};
use crate::machine::wire_bytes;
use crate::process::node::{LONG, holds, meet};
use crate::process::relay::Relay;
use crate::process::{Peer, line, serve};
use crate::report::{Figures, Floor, Line, Unit};
use crate::rows::durable::Place;
use crate::{Effort, Result};

const ENTRIES: usize = 100_000;
const DIFFERENCES: usize = 100;
/// Of the relay, one way.
const DELAY: Duration = Duration::from_millis(20);
/// What follows on the exchange is over by then.
const AFTERWARDS: Duration = Duration::from_millis(300);
/// A process may be held up so long between its first byte and its map being open.
const OPENING_NS: u64 = 2_000_000;
/// How exactly the moment is known at which all is there.
const LOOK: Duration = Duration::from_micros(200);

pub fn measure(effort: Effort) -> Result<Figures> {
    let rounds = effort.pick(5, 20);
    let bytes = Pair::start(None)?.bytes(rounds, DIFFERENCES)?;
    let nothing = Pair::start(None)?.bytes(rounds, 0)?;
    let took = Pair::start(Some(Duration::ZERO))?.times(rounds)?;
    let far = Pair::start(Some(DELAY))?.times(effort.pick(3, 5))?;
    let trip = tcp::ping_pong(effort.pick(100, 300))?.median() * 2.0;
    let line = |what: &str, unit, ours, p99, floor, goal: &str| Line {
        row: 12,
        what: what.into(),
        unit,
        ours,
        p99,
        floor: Some(floor),
        samples: rounds.to_string(),
        goal: goal.into(),
    };
    let floor = |what: &str, is| Floor { what: what.into(), is, p99: None };
    let mut lines = Vec::new();
    if bytes.count() > 0 {
        let payload = floor("keys and values that differ", (DIFFERENCES * ENTRY_BYTES) as f64);
        let what = "100 differences among 100 k: bytes on the wire";
        lines.push(line(what, Unit::Bytes, bytes.median(), None, payload, "<= 1.3 x and 2 kB"));
        let what = "the same without a difference";
        lines.push(line(what, Unit::Bytes, nothing.median(), None, floor("with them", bytes.median()), ""));
    }
    lines.push(line(
        "the same: time",
        Unit::Nanoseconds,
        took.median(),
        Some(took.quantile(1.0)),
        floor("two round trips of TCP", 2.0 * trip),
        "<= 10 ms",
    ));
    lines.push(Line {
        samples: far.count().to_string(),
        ..line(
            "the same: round trips",
            Unit::Count,
            far.median() / (2.0 * DELAY.as_nanos() as f64),
            None,
            floor("ask and answer", 1.0),
            "<= 2",
        )
    });
    Ok(lines.into())
}

/// Two processes that hold the same: one writes, the other opens and closes its map.
struct Pair {
    writer: Peer,
    reader: Peer,
    relay: Option<Relay>,
    round: usize,
    _place: Place,
}

impl Pair {
    /// Side by side, or with a relay between them that delays each byte so long.
    fn start(delay: Option<Duration>) -> Result<Self> {
        let place = Place::new()?;
        let mut writer = Peer::start("node", &[])?;
        writer.ask(&format!("put 0 {ENTRIES}"))?;
        let relay = delay.map(|delay| Relay::start(socket(&writer.ready)?, delay)).transpose()?;
        let reached =
            relay.as_ref().map_or(writer.ready.clone(), |relay| format!("/ip4/127.0.0.1/tcp/{}", relay.address.port()));
        let reader = Peer::start("reconcile", &[&place.0.to_string_lossy(), &reached])?;
        Ok(Self { writer, reader, relay, round: 0, _place: place })
    }

    /// So much differs then, and the reader's map is closed.
    fn part(&mut self, differences: usize) -> Result<()> {
        self.round += 1;
        self.reader.ask("close")?;
        self.writer.ask("alone")?;
        self.writer.ask(&format!("rewrite {differences} {}", self.round))?;
        Ok(())
    }

    /// When the reader's map was open, and when it had all of it.
    fn meet(&mut self, differences: usize) -> Result<[u64; 2]> {
        self.reader.tell(&format!("open {differences} {}", self.round))?;
        self.reader.numbers()?.try_into().map_err(|_| "no figures".into())
    }

    /// What each round carried over the wire; nothing where that cannot be known.
    fn bytes(&mut self, rounds: usize, differences: usize) -> Result<Samples> {
        let mut bytes = Vec::new();
        for _ in 0..rounds {
            self.part(differences)?;
            let before = wire_bytes();
            self.meet(differences)?;
            std::thread::sleep(AFTERWARDS);
            bytes.extend(wire_bytes().zip(before).map(|(after, before)| after - before));
        }
        self.check()?;
        Ok(Samples::new(bytes))
    }

    /// How long each round took, from its first byte at the relay.
    fn times(&mut self, rounds: usize) -> Result<Samples> {
        let mut took = Vec::new();
        for _ in 0..rounds {
            self.part(DIFFERENCES)?;
            // What was said about the closing is over, too.
            std::thread::sleep(AFTERWARDS);
            self.relay.iter().for_each(Relay::listen);
            let [opened, held] = self.meet(DIFFERENCES)?;
            // A sign of life that came while the map was read from disk began nothing.
            let began = self.relay.as_ref().map_or(opened, Relay::began);
            took.push(held - began.clamp(opened - OPENING_NS, held));
        }
        self.check()?;
        Ok(Samples::new(took))
    }

    fn check(&mut self) -> Result<()> {
        let (here, there) = (self.writer.ask("digest")?, self.reader.ask("digest")?);
        if here == there { Ok(()) } else { Err(format!("the two ends differ: {here} and {there}").into()) }
    }
}

/// Where that is, which is `/ip4/127.0.0.1/tcp/PORT`.
fn socket(address: &str) -> Result<SocketAddr> {
    let port = address.split('/').nth(4).ok_or("an address without a port")?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port.parse()?)))
}

/// `reconcile PLACE BOOTSTRAP`: holds all that the other one has, and keeps it on disk; then opens and closes its map as told.
pub fn reconcile(args: &[String]) -> Result<()> {
    let [place, bootstrap] = args else { return Err("reconcile PLACE BOOTSTRAP".into()) };
    let mut config = Config::new();
    config.set("data_dir", &format!("{place}/data"))?.set("durability", "async")?.set("bootstrap", bootstrap)?;
    let node = Node::open(config)?;
    let open = || node.map("bench", MapOptions::new());
    let first = open()?;
    holds(&first, ENTRIES)?;
    meet(&first)?;
    let mut held = Some(first);
    serve("ready", |words| match words {
        ["close"] => {
            // And lets go of all entries now, not while the next one opens.
            held.take().iter().for_each(Map::close);
            Ok("closed".into())
        }
        ["open", count, says] => {
            let map = held.insert(open()?);
            let opened = now_ns();
            let (count, says) = (count.parse()?, says.parse()?);
            while !says_so(map, count, says)? {
                if now_ns() - opened > LONG.as_nanos() as u64 {
                    return Err("the changes have not come".into());
                }
                std::thread::sleep(LOOK);
            }
            Ok(line([opened, now_ns()]))
        }
        ["digest"] => {
            let map = held.as_ref().ok_or("it is closed")?;
            meet(map)?;
            let status = map.status()?;
            Ok(format!("{} {}", status.live, status.digest))
        }
        _ => Err(format!("no such command: {words:?}").into()),
    })
}

/// The numbers of the keys that are overwritten: far apart, as they come.
fn scattered(count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(|at| at * 997 % ENTRIES)
}

/// Whether all those entries say so.
fn says_so(map: &Map, count: usize, says: u64) -> Result<bool> {
    for number in scattered(count) {
        if map.get_with(key(number), first)?.flatten() != Some(says) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Has all those entries say so.
pub fn rewrite(map: &Map, count: usize, says: u64) -> Result<()> {
    for number in scattered(count) {
        map.put(key(number), value(says, number as u64))?;
    }
    Ok(())
}
