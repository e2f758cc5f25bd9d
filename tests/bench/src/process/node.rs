//! The role `node`: a p2pmap node in a process of its own, and the role `idle`: two of them that do nothing.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use p2pmap::{Config, Event, Map, SubscribeOptions, Subscription};

use crate::Result;
use crate::clock::{now_ns, paced};
use crate::load::{first, key, value};
use crate::machine::wire_bytes;
use crate::process::{line, serve};
use crate::rows::reconcile::rewrite;

/// An idle node is idle after so long.
const SETTLE: Duration = Duration::from_secs(40);
pub const LONG: Duration = Duration::from_secs(60);
/// How exactly the moment is known at which a map holds everything.
const LOOK: Duration = Duration::from_micros(500);

/// Opens the map `bench` with those options, each `name=value`.
pub fn open(options: &[impl AsRef<str>]) -> Result<Map> {
    let mut config = Config::new();
    for option in options {
        let (name, value) = option.as_ref().split_once('=').ok_or("an option is name=value")?;
        config.set(name, value)?;
    }
    Ok(p2pmap::open("bench", config)?)
}

/// Where its node listens for TCP.
pub fn address(map: &Map) -> Result<String> {
    Ok(map.node().addrs().into_iter().find(|address| address.contains("/tcp/")).ok_or("no TCP address")?)
}

/// Waits until the map holds that many entries; when that was.
pub fn holds(map: &Map, entries: usize) -> Result<u64> {
    let start = now_ns();
    while map.len()? < entries {
        if now_ns() - start > LONG.as_nanos() as u64 {
            return Err(format!("{} of {entries} entries after {} s", map.len()?, LONG.as_secs()).into());
        }
        std::thread::sleep(LOOK);
    }
    Ok(now_ns())
}

/// Waits until the map is open on another node too, and equal there.
pub fn meet(map: &Map) -> Result<()> {
    while map.status()?.peers.is_empty() {
        std::thread::sleep(LOOK);
    }
    Ok(map.sync(LONG)?)
}

/// Waits until the map is open on no other node.
fn alone(map: &Map) -> Result<()> {
    while !map.status()?.peers.is_empty() {
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// `node [OPTION=VALUE]...`: says its address, then obeys.
pub fn node(options: &[String]) -> Result<()> {
    let map = open(options)?;
    let mut collected = None;
    serve(&address(&map)?, |words| obey(&map, words, &mut collected))
}

/// What a subscription collects, and the subscription.
type Collected = Option<(Subscription, std::sync::mpsc::Receiver<Vec<u64>>)>;

fn obey(map: &Map, words: &[&str], collected: &mut Collected) -> Result<String> {
    match words {
        ["meet"] => meet(map).map(|()| "met".into()),
        // Puts entries of those numbers as fast as it can; when it began and when the last put returned.
        ["put", from, count] => {
            let (from, count): (usize, usize) = (from.parse()?, count.parse()?);
            let start = now_ns();
            for number in from..from + count {
                map.put(key(number), value(number as u64, 0))?;
            }
            Ok(line([start, now_ns()]))
        }
        // When it holds that many.
        ["holds", entries] => Ok(line([holds(map, entries.parse()?)?])),
        // Puts the time under one of ten thousand keys, `rate` times a second.
        ["pace", rate, count] => {
            paced(rate.parse()?, count.parse()?, |at| map.put(key(at % 10_000), value(now_ns(), at as u64)).map(|_| ()))?;
            Ok("paced".into())
        }
        // From now on, takes the age of what each event says.
        ["collect", count] => {
            let (done, ages) = channel();
            let subscription = map.subscribe(SubscribeOptions::default(), collect(count.parse()?, done))?;
            *collected = Some((subscription, ages));
            Ok("collecting".into())
        }
        ["collected"] => {
            let (subscription, ages) = collected.take().ok_or("nothing is collected")?;
            let ages = ages.recv_timeout(LONG)?;
            subscription.unsubscribe();
            Ok(line(ages))
        }
        // When no other node has the map open any more.
        ["alone"] => alone(map).map(|()| "alone".into()),
        // Has some of its entries say that.
        ["rewrite", count, says] => rewrite(map, count.parse()?, says.parse()?).map(|()| "rewritten".into()),
        ["digest"] => {
            meet(map)?;
            let status = map.status()?;
            Ok(format!("{} {}", status.live, status.digest))
        }
        _ => Err(format!("no such command: {words:?}").into()),
    }
}

/// A callback that sends the ages of `count` events, once it has them.
pub fn collect(count: usize, done: Sender<Vec<u64>>) -> impl FnMut(&[Event]) + Send + 'static {
    let mut ages = Vec::with_capacity(count);
    move |events| {
        for event in events {
            let now = now_ns();
            if let Some(put) = event.value().and_then(|value| first(value)) {
                ages.push(now.saturating_sub(put));
            }
            if ages.len() == count {
                let _ = done.send(std::mem::take(&mut ages));
            }
        }
    }
}

/// `join ENTRIES BOOTSTRAP`: opens a node; says when it began and when it held that many.
pub fn join(args: &[String]) -> Result<()> {
    let [entries, bootstrap] = args else { return Err("join ENTRIES BOOTSTRAP".into()) };
    let start = now_ns();
    let map = open(&[format!("bootstrap={bootstrap}")])?;
    let held = holds(&map, entries.parse()?)?;
    serve(&line([start, held]), |words| obey(&map, words, &mut None))
}

/// `idle ENTRIES SECONDS [OPTION=VALUE]...`: two nodes that hold the same and do nothing for so long; says how many bytes they
/// exchanged meanwhile.
pub fn idle(args: &[String]) -> Result<()> {
    let [entries, seconds, options @ ..] = args else { return Err("idle ENTRIES SECONDS".into()) };
    let entries = entries.parse()?;
    let first = open(options)?;
    for number in 0..entries {
        first.put(key(number), value(number as u64, 0))?;
    }
    let bootstrap = format!("bootstrap={}", address(&first)?);
    let second = open(&[options, &[bootstrap]].concat())?;
    holds(&second, entries)?;
    meet(&second)?;
    // After news, peers are compared with ever less often, until it is as often as the option says.
    std::thread::sleep(SETTLE);
    let before = wire_bytes().ok_or("the wire is shared")?;
    std::thread::sleep(Duration::from_secs(seconds.parse()?));
    let after = wire_bytes().ok_or("the wire is shared")?;
    serve(&line([after - before]), |_| Ok("idle".into()))
}
