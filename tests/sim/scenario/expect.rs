//! The lines of a story that say how it ends.

use super::script::{number, value};
use super::story::{Story, Told};
use crate::replica::{Puller, Replica};
use crate::wire::{Topic, sync};

impl Story {
    /// Errors: what is so instead.
    pub fn expect(&mut self, words: &[&str]) -> Told {
        match *words {
            ["equal", ref names @ ..] => match self.all_equal(names)? {
                true => Ok(()),
                false => Err("their digests differ".into()),
            },
            ["differ", ref names @ ..] => match self.all_equal(names)? {
                true => Err("their digests are equal".into()),
                false => Ok(()),
            },
            [what, comparison, count] if is_comparison(comparison) && self.nobody(what) => {
                let measured = self.in_all(what)?;
                compare(what, measured, comparison, number(count)?)
            }
            [who, what, comparison, count] if METRICS.contains(&what) => {
                for at in self.who(who)? {
                    let measured = self.measure(at, what);
                    compare(&format!("{}: {what}", self.name(at)), measured, comparison, number(count)?)?;
                }
                Ok(())
            }
            [who, "saw", key, ref events @ ..] => self.who(who)?.into_iter().try_for_each(|at| self.saw(at, key, events)),
            [who, key, "=", word] => self.who(who)?.into_iter().try_for_each(|at| self.shows(at, key, &value(word)?)),
            [who, key, state] => self.who(who)?.into_iter().try_for_each(|at| self.is(at, key, state)),
            _ => Err(format!("`expect {}` says nothing", words.join(" "))),
        }
    }

    /// `all` that run, or names with commas between them.
    fn who(&self, words: &str) -> Told<Vec<usize>> {
        match words {
            "all" => Ok(self.up()),
            names => names.split(',').map(|name| self.node(name)).collect(),
        }
    }

    fn nobody(&self, word: &str) -> bool {
        word != "all" && self.node(word).is_err()
    }

    fn all_equal(&self, names: &[&str]) -> Told<bool> {
        let nodes = if names.is_empty() { self.up() } else { names.iter().map(|name| self.node(name)).collect::<Told<_>>()? };
        let mut digests = nodes.iter().map(|&at| self.world.nodes[at].replica.digest());
        let first = digests.next();
        Ok(digests.all(|digest| Some(digest) == first))
    }

    // ---- keys ----

    fn shown(&mut self, at: usize, key: &str) -> Option<Vec<u8>> {
        let now_ms = self.world.read_clock(at);
        self.world.nodes[at].replica.index().read(key.as_bytes(), || now_ms, <[u8]>::to_vec)
    }

    fn shows(&mut self, at: usize, key: &str, value: &[u8]) -> Told {
        match self.shown(at, key) {
            Some(shown) if shown == value => Ok(()),
            Some(shown) => Err(format!("{} shows {key} = {}", self.name(at), shown.escape_ascii())),
            None => self.is(at, key, "there"),
        }
    }

    fn state(&mut self, at: usize, key: &str) -> &'static str {
        let shown = self.shown(at, key).is_some();
        match self.world.nodes[at].replica.index().record(key.as_bytes()) {
            _ if shown => "there",
            Some(record) if record.is_live() && record.is_hidden() => "hidden",
            Some(_) => "removed",
            None => "unknown",
        }
    }

    /// `gone`: removed (or expired) and remembered as such, or not even that (`unknown`).
    fn is(&mut self, at: usize, key: &str, state: &str) -> Told {
        if !["there", "hidden", "removed", "unknown", "gone"].contains(&state) {
            return Err(format!("`{state}` is not a state"));
        }
        let found = self.state(at, key);
        match found == state || state == "gone" && ["removed", "unknown"].contains(&found) {
            true => Ok(()),
            false => Err(format!("at {} {key} is {found}", self.name(at))),
        }
    }

    /// What its subscriber was told of a key since the mark, or the beginning.
    fn saw(&self, at: usize, key: &str, events: &[&str]) -> Told {
        let since = self.mark.events.get(at).copied().unwrap_or_default();
        let told = self.world.nodes[at].events.iter().skip(since);
        let saw: Vec<&str> = told.filter_map(|event| event.strip_prefix(key)?.strip_prefix(' ')).collect();
        let expected = if events == ["nothing"] { &[] } else { events };
        match saw == expected {
            true => Ok(()),
            false => {
                Err(format!("{} saw {key} {}", self.name(at), if saw.is_empty() { "nothing".into() } else { saw.join(" ") }))
            }
        }
    }

    // ---- counts ----

    fn measure(&mut self, at: usize, what: &str) -> u64 {
        let now_ms = self.world.read_clock(at);
        let node = &self.world.nodes[at];
        let (replica, index) = (&node.replica, node.replica.index());
        let count = match what {
            "live" => index.live(),
            "hidden" => index.hidden(),
            "tombstones" => index.tombstones(),
            "entries" => index.live() + index.hidden() + index.tombstones(),
            "bytes" => return index.bytes(),
            "forgotten" => return replica.forgotten_count(),
            "origins" => replica.context().len(),
            "ranges" => replica.context().origins().map(|(_, seen)| seen.ranges.len()).sum(),
            "context_bytes" => context_bytes(replica),
            "waiting" => replica.waiting(),
            "refused" => node.counts.refused,
            "rejected" => node.counts.rejected,
            "ahead" => return replica.ahead().values().sum(),
            "clock_ahead_ms" => return replica.clock_ahead_ms(now_ms),
            "held_up" => replica.held_up_by(now_ms).len(),
            "moved" => self.moved(at),
            _ => node.events.len() - self.mark.events.get(at).copied().unwrap_or_default(),
        };
        count as u64
    }

    /// Entries that are not where they were in memory at the mark, in whole or in part.
    fn moved(&self, at: usize) -> usize {
        let Some(before) = self.mark.held.get(at) else { return 0 };
        let now = self.held(at);
        let in_place = now.iter().filter(|(slot, record)| {
            let was = before.get_key_value(*slot);
            was.is_some_and(|(s, r)| (s.key().as_ptr(), r.bytes().as_ptr()) == (slot.key().as_ptr(), record.bytes().as_ptr()))
        });
        before.len().max(now.len()) - in_place.count()
    }

    fn in_all(&self, what: &str) -> Told<u64> {
        let tally = &self.world.tally;
        Ok(match what {
            "traffic" => self.sent_bytes() - self.mark.sent_bytes,
            "pulls" => tally.pulls,
            "full_pulls" => tally.full_pulls,
            "self_checks" => tally.self_checks,
            _ => return Err(format!("`{what}` is nothing that is counted")),
        } as u64)
    }
}

const METRICS: [&str; 17] = [
    "live",
    "hidden",
    "tombstones",
    "entries",
    "bytes",
    "forgotten",
    "origins",
    "ranges",
    "context_bytes",
    "waiting",
    "refused",
    "rejected",
    "ahead",
    "clock_ahead_ms",
    "held_up",
    "moved",
    "events",
];

fn is_comparison(word: &str) -> bool {
    ["=", "<=", ">=", "<", ">"].contains(&word)
}

fn compare(what: &str, measured: u64, comparison: &str, count: u64) -> Told {
    let holds = match comparison {
        "=" => measured == count,
        "<=" => measured <= count,
        ">=" => measured >= count,
        "<" => measured < count,
        ">" => measured > count,
        _ => return Err(format!("`{comparison}` compares nothing")),
    };
    if holds { Ok(()) } else { Err(format!("{what} is {measured}")) }
}

/// What it takes to tell another node what this one has seen.
fn context_bytes(replica: &Replica) -> usize {
    sync::encode_pull(Topic([0; 16]), Puller::new(replica.context().clone()).request()).len()
}
