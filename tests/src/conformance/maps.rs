//! Operations on maps.

use std::collections::HashSet;
use std::time::Duration;

use p2pmap::{Batch, ScanOptions, Stamp};

use super::player::{Outcome, Player, Trouble, list, ok, one, or_none, shown};

const PATIENCE: Duration = Duration::from_secs(10);

impl Player {
    pub(super) fn on_map(&mut self, op: &str, args: &[&str]) -> Outcome {
        let [name, args @ ..] = args else {
            return Err(Trouble::Script(format!("unknown operation {op}")));
        };
        let map = self.named_map(name)?;
        match (op, args) {
            ("put", [key, value]) => shown(map.put(self.bytes(key)?, self.bytes(value)?)?),
            ("put", [key, value, option]) => {
                let ttl = self.ttl(option.strip_prefix("ttl=").unwrap_or_default())?;
                shown(map.put_ttl(self.bytes(key)?, self.bytes(value)?, ttl)?)
            }
            ("get", [key]) => one(or_none(map.get(self.bytes(key)?)?.as_deref())),
            ("entry", [key]) => self.entry(name, key),
            ("expires", [key]) => self.expires(name, key),
            ("contains", [key]) => shown(map.contains(self.bytes(key)?)?),
            ("len", []) => shown(map.len()?),
            ("is_empty", []) => shown(map.is_empty()?),
            ("remove", [key]) => shown(map.remove(self.bytes(key)?)?),
            ("remove_prefix", [prefix]) => shown(map.remove_prefix(self.bytes(prefix)?)?),
            ("apply", operations) => self.apply(name, operations),
            ("fill", [prefix, count, value]) => self.fill(name, prefix, count, value),
            ("keys" | "values" | "scan" | "count", options) => self.scan(op, name, options),
            ("status", []) => {
                let status = map.status()?;
                Ok(vec![status.live.to_string().into(), status.tombstones.to_string().into()])
            }
            ("hidden", []) => shown(map.status()?.hidden),
            ("equal", [other]) => shown(map.status()?.digest == self.named_map(other)?.status()?.digest),
            ("sync", []) => map.sync(PATIENCE).map_err(Trouble::from).and_then(|()| ok()),
            ("sync", [ms]) => {
                map.sync(Duration::from_millis(self.number(ms)?))?;
                ok()
            }
            ("wait", [stamp, peers]) => self.wait(name, stamp, peers, PATIENCE),
            ("wait", [stamp, peers, ms]) => self.wait(name, stamp, peers, Duration::from_millis(self.number(ms)?)),
            ("flush", []) => {
                map.flush()?;
                ok()
            }
            ("dump", [path]) => shown(map.dump(self.text(path)?)?),
            ("load", [path]) => shown(map.load(self.text(path)?)?),
            ("durability", []) => {
                let status = map.status()?;
                Ok(vec![status.durability.name().into(), or_none(status.storage_error)])
            }
            ("close", []) => {
                map.close();
                ok()
            }
            ("destroy", []) => {
                map.destroy()?;
                ok()
            }
            _ => Err(Trouble::Script(format!("{op}: unknown, or wrong arguments"))),
        }
    }

    fn entry(&self, map: &str, key: &str) -> Outcome {
        match self.named_map(map)?.entry(self.bytes(key)?)? {
            None => one("none"),
            Some(entry) => {
                Ok(vec![entry.value().to_vec(), entry.author().to_string().into(), entry.stamp().to_string().into()])
            }
        }
    }

    fn expires(&self, map: &str, key: &str) -> Outcome {
        match self.named_map(map)?.entry(self.bytes(key)?)? {
            None => one("none"),
            Some(entry) => match entry.expires_at_ms() {
                None => one("never"),
                Some(at) if at > entry.time_ms() => one("later"),
                Some(at) => one(format!("{at}, before it was written")),
            },
        }
    }

    fn wait(&self, map: &str, stamp: &str, peers: &str, timeout: Duration) -> Outcome {
        let (stamp, peers) = (stamp_of(&self.text(stamp)?)?, self.number(peers)? as usize);
        let who = self.named_map(map)?.wait_replicated(&stamp, peers, timeout)?;
        match who.iter().collect::<HashSet<_>>().len() {
            different if different == who.len() && different >= peers => ok(),
            _ => one(format!("{who:?}")),
        }
    }

    /// `never`, or a number of milliseconds.
    fn ttl(&self, token: &str) -> Result<Option<Duration>, Trouble> {
        match token {
            "never" => Ok(None),
            ms => Ok(Some(Duration::from_millis(self.number(ms)?))),
        }
    }

    fn apply(&self, map: &str, operations: &[&str]) -> Outcome {
        let mut batch = Batch::new();
        let mut rest = operations;
        while !rest.is_empty() {
            rest = match rest {
                ["put", key, value, rest @ ..] => {
                    batch.put(self.bytes(key)?, self.bytes(value)?);
                    rest
                }
                ["put_ttl", key, value, ms, rest @ ..] => {
                    batch.put_ttl(self.bytes(key)?, self.bytes(value)?, self.ttl(ms)?);
                    rest
                }
                ["remove", key, rest @ ..] => {
                    batch.remove(self.bytes(key)?);
                    rest
                }
                _ => {
                    return Err(Trouble::Script("apply takes `put KEY VALUE`, `put_ttl KEY VALUE MS` and `remove KEY`".into()));
                }
            };
        }
        let stamp = self.named_map(map)?.apply(&batch)?;
        one(or_none(stamp.map(|stamp| stamp.to_string())))
    }

    fn fill(&self, map: &str, prefix: &str, count: &str, value: &str) -> Outcome {
        let (map, prefix, value) = (self.named_map(map)?, self.bytes(prefix)?, self.bytes(value)?);
        for index in 0..self.number(count)? {
            let key = [prefix.as_slice(), format!("{index:06}").as_bytes()].concat();
            map.put(key, &value)?;
        }
        ok()
    }

    fn scan(&self, op: &str, map: &str, options: &[&str]) -> Outcome {
        let scan = self.named_map(map)?.scan(self.scan_options(options)?)?;
        match op {
            "keys" => list(scan.map(|entry| entry.key().to_vec()).collect()),
            "values" => list(scan.map(|entry| entry.value().to_vec()).collect()),
            "scan" => list(scan.flat_map(|entry| [entry.key().to_vec(), entry.value().to_vec()]).collect()),
            _ => shown(scan.count()),
        }
    }

    fn scan_options(&self, tokens: &[&str]) -> Result<ScanOptions, Trouble> {
        let mut options = ScanOptions::default();
        for token in tokens {
            let (name, value) = self.option(token)?;
            match name {
                "prefix" => options.prefix = value,
                "start" => options.start = Some(value),
                "end" => options.end = Some(value),
                "limit" => {
                    let limit = String::from_utf8_lossy(&value).parse();
                    options.limit = Some(limit.map_err(|_| Trouble::Script(format!("{token}: not a number")))?);
                }
                "reverse" => options.reverse = value == b"true",
                _ => return Err(Trouble::Script(format!("{token}: no such scan option"))),
            }
        }
        Ok(options)
    }
}

/// A stamp of its text, `<timestamp>-<epoch>-<author>`.
fn stamp_of(text: &str) -> Result<Stamp, Trouble> {
    let number = |text: &str| u64::from_str_radix(text, 16).map_err(|_| Trouble::Script(format!("{text}: no stamp's number")));
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [timestamp, epoch, author] => Ok(Stamp::new(number(timestamp)?, number(epoch)?, author.parse()?)),
        _ => Err(Trouble::Script(format!("{text} is not a stamp"))),
    }
}
