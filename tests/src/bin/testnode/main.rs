//! A node in a process of its own, told what to do on standard input: one command a line, one line of answer.
//!
//! `testnode MAP [OPTION=VALUE]...` opens a node and a map, and says `ready ID ADDR...`. It ends at `quit` or when its input ends, so
//! that none outlives the test that started it.

mod churn;
mod hammer;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use churn::{Churn, Load};
use p2pmap::{Config, Error, ErrorKind, Map, MapOptions, Node, SubscribeOptions, Subscription};
use p2pmap_tests::journal::parse_stamp;

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let map = args.next().unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let mut testnode = match TestNode::open(&map, args) {
        Ok(opened) => opened,
        Err(error) => return writeln!(out, "{}", refused(&error)),
    };
    writeln!(out, "ready {} {}", testnode.node.id(), testnode.node.addrs().join(" "))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let answer = testnode.obey(&words).unwrap_or_else(|error| refused(&error));
        writeln!(out, "{answer}")?;
        if words == ["quit"] {
            break;
        }
    }
    Ok(())
}

/// A subscription, and how many events of each kind it was told.
struct Listening {
    events: Arc<Mutex<BTreeMap<&'static str, usize>>>,
    _subscription: Subscription,
}

struct TestNode {
    node: Node,
    map: Map,
    listening: Option<Listening>,
    churn: Option<Churn>,
}

impl Listening {
    fn start(map: &Map) -> Result<Self, Error> {
        let events = Arc::<Mutex<BTreeMap<&str, usize>>>::default();
        let counted = events.clone();
        let subscription = map.subscribe(SubscribeOptions::default(), move |events| {
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                *counted.entry(event.kind().name()).or_default() += 1;
            }
        })?;
        Ok(Self { events, _subscription: subscription })
    }
}

impl TestNode {
    fn open(map: &str, options: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut config = Config::new();
        for option in options {
            let (name, value) = option.split_once('=').unwrap_or((&option, ""));
            config.set(name, value)?;
        }
        let node = Node::open(config)?;
        let map = node.map(map, MapOptions::new())?;
        Ok(Self { node, map, listening: None, churn: None })
    }

    fn obey(&mut self, words: &[&str]) -> Result<String, Error> {
        match words {
            ["put", key, value] => self.map.put(key, value).map(|stamp| stamp.to_string()),
            ["putttl", key, value, ms] => {
                let ttl = Duration::from_millis(number(ms)?);
                self.map.put_ttl(key, value, Some(ttl)).map(|stamp| stamp.to_string())
            }
            ["putmany", prefix, count] => self.put_many(prefix, number(count)?, 0),
            ["putmany", prefix, count, bytes] => self.put_many(prefix, number(count)?, number(bytes)?),
            ["get", key] => {
                let value = self.map.get(key)?;
                Ok(value.map_or("none".into(), |value| String::from_utf8_lossy(&value).into_owned()))
            }
            ["remove", key] => self.map.remove(key).map(|removed| removed.to_string()),
            ["removeall", prefix] => self.map.remove_prefix(prefix).map(|count| count.to_string()),
            ["await", stamp, peers, ms] => {
                let stamp = parse_stamp(stamp).ok_or_else(|| invalid("not a stamp"))?;
                let timeout = Duration::from_millis(number(ms)?);
                let peers = usize::try_from(number(peers)?).map_err(|_| invalid("too many"))?;
                self.map.wait_replicated(&stamp, peers, timeout).map(|peers| peers.len().to_string())
            }
            ["churn", journal, keys, a_second, seed] => {
                let load = Load { keys: number(keys)?, a_second: number(a_second)?, seed: number(seed)? };
                self.churn = Some(Churn::start(&self.map, journal, load)?);
                Ok("ok".into())
            }
            ["hammer", directory, writers] => hammer::start(&self.map, directory, number(writers)?).map(|()| "ok".into()),
            ["rest"] => self.churning()?.rest().map(|count| count.to_string()),
            ["dump", entries, seen] => self.churning()?.dump(entries, seen).map(|()| "ok".into()),
            ["listen"] => {
                self.listening = Some(Listening::start(&self.map)?);
                Ok("ok".into())
            }
            ["status"] => {
                let status = self.map.status()?;
                Ok(format!("{} {}", status.live, status.digest))
            }
            ["disk"] => Ok(self.map.status()?.storage_error.unwrap_or("works".into())),
            ["flush"] => self.map.flush().map(|()| "ok".into()),
            ["sync", ms] => self.map.sync(Duration::from_millis(number(ms)?)).map(|()| "ok".into()),
            ["counters"] => self.counters(),
            ["peers"] => {
                let ids: Vec<String> = self.node.peers()?.iter().map(|peer| peer.id.to_string()).collect();
                Ok(if ids.is_empty() { "none".into() } else { ids.join(" ") })
            }
            ["links"] => {
                let links: Vec<String> = self.node.peers()?.iter().map(|peer| format!("{}@{}", peer.id, peer.addr)).collect();
                Ok(links.join(" "))
            }
            ["connect", addr] => self.node.connect(addr, Duration::from_secs(5)).map(|peer| peer.to_string()),
            ["quit"] => {
                self.node.close();
                Ok("ok".into())
            }
            _ => Err(invalid(&format!("unknown command {}", words.join(" ")))),
        }
    }

    /// Puts with values of at least so many bytes.
    fn put_many(&self, prefix: &str, count: u64, bytes: u64) -> Result<String, Error> {
        let width = usize::try_from(bytes).map_err(|_| invalid("too large"))?;
        for index in 0..count {
            self.map.put(format!("{prefix}{index:06}"), format!("{:width$}", format!("value of {prefix}{index}")))?;
        }
        Ok("ok".into())
    }

    /// Names and numbers, alternating.
    fn counters(&self) -> Result<String, Error> {
        let status = self.map.status()?;
        let mut counters = format!(
            "gaps {} syncs {} rejected {} tombstones {} hidden {} forgotten {} origins {} checks {}",
            status.gaps,
            status.syncs,
            self.node.status()?.rejected_messages + status.rejected_messages,
            status.tombstones,
            status.hidden,
            status.forgotten,
            status.origins,
            status.self_checks,
        );
        if let Some(listening) = &self.listening {
            for (kind, count) in &*listening.events.lock().unwrap_or_else(PoisonError::into_inner) {
                counters += &format!(" {kind} {count}");
            }
        }
        Ok(counters)
    }

    fn churning(&mut self) -> Result<&mut Churn, Error> {
        self.churn.as_mut().ok_or_else(|| invalid("no churn was started"))
    }
}

fn number(word: &str) -> Result<u64, Error> {
    word.parse().map_err(|_| invalid(&format!("not a number: {word}")))
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, why)
}

fn refused(error: &Error) -> String {
    format!("error {} {}", error.kind().name(), error.message())
}
