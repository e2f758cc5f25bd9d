//! Scenario files: what happens to a few nodes, told line by line, and what must come of it. They are in `scenarios/`, and every claim
//! of the simulation holds after every line of them.
//!
//! ```text
//! # An empty line, and one that starts with `#`, says nothing to the runner.
//! rules horizon=10s retention=30d presence drift=60s timeout=30s
//!                              what all nodes that start from here on agree on; each part may be left out
//! start a b c                  nodes, each with a right clock and an empty map
//! start d refuses=x            one that takes no value that starts with `x`, from nobody
//! put a key value [ttl=5s]     a writes; the others have not heard of it yet
//! repeat 5000 put a key v      so many writes, each with its number behind its value
//! remove a key
//! batch a key=value key=-      puts and removals that are one
//! tell a [b c]                 gossip: what waits at a arrives everywhere it can get, or only at those
//! hold a NAME                  a's gossip leaves, and is on its way for long, under that name
//! arrive b NAME                now it arrives at b; as often as the story says so
//! bytes b 01ff00               a message of those bytes arrives at b
//! forge b key value +1000d     a message from nobody we know arrives at b, with a value that is stamped so far ahead
//! sync a b                     a and b compare, and pull from each other what differs
//! settle                       everyone tells and syncs with everyone it can reach, until all that can be equal is
//! cut a b | c                  nobody on one side reaches anybody on the other
//! alone a b                    a and b do not reach each other; everyone else does
//! heal                         all reach all
//! kill a                       the process ends, without a word
//! leave a                      the process ends, and says so
//! start a                      it starts again, with the same identity and an empty memory
//! wait 10s                     time goes by, for all
//! clock a +5h                  a's clock jumps, or back: -5h
//!
//! expect a key = value         what a shows; `-` for nothing; `*` in place of a: all that run
//! expect a entries 1           how many entries a holds, in the view or not, tombstones included
//! expect a tombstones 0        how many of those are tombstones
//! expect a origins 1           how many openings of the map a keeps in mind
//! expect a refused 1           entries that a refused
//! expect a ahead 1             entries that a set aside
//! expect a rejected 1          messages that a rejected
//! expect a sent <500           bytes that a has sent since the line `count`, fewer than so many
//! expect a events put key, remove key
//!                              what a's subscriber was told since the line `count`
//! expect equal                 all digests that run are the same
//! count                        start counting bytes and events anew
//! ```

use std::collections::{BTreeMap, HashMap};

use super::clock::WallClock;
use super::dice::Dice;
use super::node::Refuses;
use super::oracle::Written;
use super::plan::{DAY_MS, Plan};
use super::trace::Trace;
use super::world::{Wish, World};
use crate::peer::PeerId;
use crate::replica::{Origin, Outgoing, Record, RecordParts, Slot, Stamp, Timestamp};
use crate::wire::gossip;

pub struct Story {
    world: World,
    nodes: HashMap<String, usize>,
    held: BTreeMap<String, Vec<Vec<u8>>>,
}

/// What is wrong with a line, or with what came of it.
type Told<T = ()> = Result<T, String>;

/// Plays a story. Errors: the first line that does not hold, with its number.
pub fn play(text: &str) -> Told {
    let world = World::new(Plan::calm(), Dice::new(1), Trace::new(true));
    let mut story = Story { world, nodes: HashMap::new(), held: BTreeMap::new() };
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() || words[0].starts_with('#') {
            continue;
        }
        let held = story.line(&words).and_then(|()| story.world.check().map_err(|violation| violation.to_string()));
        held.map_err(|what| format!("line {}: {line}\n{what}\n\n{}", number + 1, story.world.trace.show()))?;
    }
    Ok(())
}

impl Story {
    fn line(&mut self, words: &[&str]) -> Told {
        match words {
            ["rules", rules @ ..] => rules.iter().try_for_each(|rule| self.rule(rule)),
            ["start", names @ ..] => self.start(names),
            ["put", node, key, value, ttl @ ..] => {
                let ttl_ms = ttl.first().map_or(Ok(0), |ttl| duration(ttl.trim_start_matches("ttl=")))?;
                let at = self.node(node)?;
                self.kept(|world| world.put(at, key.as_bytes(), value.as_bytes(), ttl_ms).map(|_| ()))
            }
            ["repeat", times, "put", node, key, value] => {
                let at = self.node(node)?;
                (0..number(times)?).try_for_each(|round| {
                    self.kept(|world| world.put(at, key.as_bytes(), format!("{value}{round}").as_bytes(), 0).map(|_| ()))
                })
            }
            ["remove", node, key] => {
                let at = self.node(node)?;
                self.kept(|world| world.remove(at, key.as_bytes()).map(|_| ()))
            }
            ["batch", node, writes @ ..] => self.batch(node, writes),
            ["tell", node, to @ ..] => self.tell(node, to),
            ["hold", node, name] => self.hold(node, name),
            ["arrive", node, name] => {
                let (at, messages) = (self.node(node)?, self.held.get(*name).cloned().unwrap_or_default());
                messages.iter().try_for_each(|bytes| self.kept(|world| world.take(at, bytes).map(|_| ())))
            }
            ["bytes", node, hex] => {
                let (at, bytes) = (self.node(node)?, unhex(hex)?);
                self.kept(|world| world.take(at, &bytes).map(|_| ()))
            }
            ["forge", node, key, value, ahead] => self.forge(node, key, value, ahead),
            ["sync", a, b] => {
                let (a, b) = (self.node(a)?, self.node(b)?);
                self.kept(|world| world.sync_now(a, b).map(|_| ()))
            }
            ["settle"] => self.kept(World::settle),
            ["cut", sides @ ..] => self.cut(sides),
            ["alone", a, b] => {
                let (a, b) = (self.node(a)?, self.node(b)?);
                self.world.links.cut_both(a, b);
                Ok(())
            }
            ["heal"] => {
                self.world.links.heal();
                Ok(())
            }
            ["kill", node] => {
                let at = self.node(node)?;
                self.world.nodes[at].up = false;
                self.world.killed = true;
                Ok(())
            }
            ["leave", node] => {
                let at = self.node(node)?;
                self.world.leave(at);
                self.kept(World::arrive_all)
            }
            ["wait", time] => {
                let ms = duration(time)?;
                self.kept(|world| world.wait(ms))
            }
            ["clock", node, by] => {
                let at = self.node(node)?;
                let by_ms = duration(by.trim_start_matches(['+', '-']))? as i64;
                self.world.nodes[at].clock.jump(if by.starts_with('-') { -by_ms } else { by_ms });
                Ok(())
            }
            ["count"] => {
                for node in &mut self.world.nodes {
                    node.counts.sent_bytes = 0;
                    node.events.clear();
                }
                Ok(())
            }
            ["expect", expected @ ..] => self.expect(expected),
            _ => Err("no such line".into()),
        }
    }

    fn kept(&mut self, act: impl FnOnce(&mut World) -> super::world::Kept) -> Told {
        act(&mut self.world).map_err(|violation| violation.to_string())
    }

    fn node(&self, name: &str) -> Told<usize> {
        self.nodes.get(name).copied().ok_or_else(|| format!("no node {name}"))
    }

    fn rule(&mut self, rule: &str) -> Told {
        let (name, value) = rule.split_once('=').unwrap_or((rule, ""));
        let plan = &mut self.world.plan;
        match name {
            "horizon" => plan.horizon_ms = duration(value)?,
            "retention" => plan.retention_ms = duration(value)?,
            "drift" => plan.max_drift_ms = duration(value)?,
            "timeout" => plan.peer_timeout_ms = duration(value)?,
            "presence" => plan.presence = true,
            _ => return Err(format!("no rule {name}")),
        }
        Ok(())
    }

    fn start(&mut self, names: &[&str]) -> Told {
        let (options, names): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.contains('='));
        let mut refuses = Refuses::NOTHING;
        for option in options {
            let byte = option.strip_prefix("refuses=").and_then(|value| value.bytes().next());
            refuses.first_byte = Some(byte.ok_or_else(|| format!("no option {option}"))?);
        }
        for name in names {
            let peer = PeerId::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            match self.nodes.get(name) {
                Some(&at) => self.world.restart(at, peer),
                None => {
                    let at = self.world.add_node(peer, WallClock::default(), refuses);
                    self.nodes.insert(name.to_string(), at);
                }
            }
        }
        Ok(())
    }

    fn batch(&mut self, node: &str, writes: &[&str]) -> Told {
        let at = self.node(node)?;
        self.world.plan.batches = true;
        let wish = |write: &&str| {
            let (key, value) = write.split_once('=').ok_or_else(|| format!("{write} is not key=value"))?;
            Ok((key.as_bytes().to_vec(), (value != "-").then(|| value.as_bytes().to_vec()), 0))
        };
        let wishes: Vec<Wish> = writes.iter().map(wish).collect::<Told<_>>()?;
        self.kept(|world| world.apply(at, &wishes))
    }

    fn tell(&mut self, node: &str, to: &[&str]) -> Told {
        let at = self.node(node)?;
        let to: Vec<usize> = to.iter().map(|name| self.node(name)).collect::<Told<_>>()?;
        while self.world.gossip(at) {}
        if !to.is_empty() {
            self.world.packets.retain(|packet| to.contains(&packet.to));
        }
        self.kept(World::arrive_all)
    }

    fn hold(&mut self, node: &str, name: &str) -> Told {
        let at = self.node(node)?;
        let mut messages = Vec::new();
        while let Some(delta) = self.world.nodes[at].replica.cut_delta(self.world.plan.delta_bytes) {
            messages.push(gossip::encode_delta(&delta));
        }
        self.held.insert(name.into(), messages);
        Ok(())
    }

    fn forge(&mut self, node: &str, key: &str, value: &str, ahead: &str) -> Told {
        let at = self.node(node)?;
        let ahead_ms = duration(ahead.trim_start_matches('+'))?;
        let stranger = PeerId::from_bytes(b"stranger").map_err(|error| error.to_string())?;
        let timestamp = Timestamp::from_ms(self.world.now_ms + ahead_ms);
        let stamp = Stamp { timestamp, origin: Origin::new(stranger, 1) };
        let (key, value) = (key.as_bytes().to_vec(), value.as_bytes().to_vec());
        let parts = RecordParts { stamp: stamp.clone(), expires_at_ms: 0, place: 0, revision: 1 };
        let record = Record::new(parts, Some(&value), false);
        let entries = vec![(Slot::new(&key, record.clone()), record)];
        let (prev, past) = (Timestamp::ZERO, Vec::new());
        let delta = Outgoing { origin: stamp.origin.clone(), prev, last: timestamp, past, entries };
        let batch = self.world.oracle.batch();
        self.world.origins += 1;
        let past = super::oracle::Writes::default();
        self.world.oracle.add(Written { key, value: Some(value), expires_at_ms: 0, stamp, batch, past });
        self.kept(|world| world.take(at, &gossip::encode_delta(&delta)).map(|_| ()))
    }

    fn cut(&mut self, sides: &[&str]) -> Told {
        let sides: Vec<Vec<usize>> = sides
            .split(|word| *word == "|")
            .map(|side| side.iter().map(|name| self.node(name)).collect())
            .collect::<Told<_>>()?;
        for (at, side) in sides.iter().enumerate() {
            for other in sides.iter().skip(at + 1).flatten() {
                side.iter().for_each(|node| self.world.links.cut_both(*node, *other));
            }
        }
        Ok(())
    }

    fn expect(&mut self, expected: &[&str]) -> Told {
        match expected {
            ["equal"] => {
                let mut digests = self.world.nodes.iter().filter(|node| node.up).map(|node| node.replica.digest());
                let first = digests.next();
                if digests.all(|digest| Some(digest) == first) { Ok(()) } else { Err("digests differ".into()) }
            }
            ["*", rest @ ..] => {
                let up: Vec<usize> = (0..self.world.nodes.len()).filter(|&at| self.world.nodes[at].up).collect();
                up.into_iter().try_for_each(|at| self.expect_of(at, rest))
            }
            [node, rest @ ..] => self.expect_of(self.node(node)?, rest),
            [] => Err("nothing is expected".into()),
        }
    }

    fn expect_of(&mut self, at: usize, expected: &[&str]) -> Told {
        let now_ms = self.world.read_clock(at);
        let node = &self.world.nodes[at];
        let index = node.replica.index();
        let (expected, found) = match expected {
            [key, "=", value] => {
                let found = index.read(key.as_bytes(), || now_ms, |value| String::from_utf8_lossy(value).into_owned());
                (value.to_string(), found.unwrap_or_else(|| "-".into()))
            }
            ["events", events @ ..] => (events.join(" "), node.events.join(", ")),
            ["sent", limit] => {
                let limit = number(limit.trim_start_matches('<'))?;
                let (fewer, sent) = (format!("fewer than {limit} bytes"), node.counts.sent_bytes as u64);
                let found = if sent < limit { fewer.clone() } else { format!("{sent} bytes") };
                (fewer, found)
            }
            [what, count] => {
                let found = match *what {
                    "entries" => index.live() + index.hidden() + index.tombstones(),
                    "tombstones" => index.tombstones(),
                    "origins" => node.replica.context().len(),
                    "refused" => node.counts.refused,
                    "ahead" => node.replica.ahead().values().sum::<u64>() as usize,
                    "rejected" => node.counts.rejected,
                    _ => return Err(format!("no such thing as {what}")),
                };
                (number(count)?.to_string(), found.to_string())
            }
            _ => return Err("nothing that can be expected".into()),
        };
        if expected == found { Ok(()) } else { Err(format!("{}: expected {expected}, found {found}", node.name())) }
    }
}

fn number(text: &str) -> Told<u64> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

/// `250ms`, `10s`, `5h`, `30d`.
fn duration(text: &str) -> Told<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(|| format!("{text} has no unit"))?;
    let unit = match &text[split..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        other => return Err(format!("no unit {other}")),
    };
    Ok(number(&text[..split])? * unit)
}

fn unhex(text: &str) -> Told<Vec<u8>> {
    let digits = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2).unwrap_or("?"));
    digits.map(|two| u8::from_str_radix(two, 16).map_err(|_| format!("{two} is not a byte"))).collect()
}
