//! The lines of a story that make something happen.

use super::super::disk::End;
use super::super::network::Packet;
use super::super::node::Refuses;
use super::script::{duration, number, offset, pair, value};
use super::story::{Story, Told, kept};
use crate::peer::PeerId;
use crate::replica::{Origin, Outgoing, Record, RecordParts, Slot, Stamp, Timestamp};
use crate::wire::gossip::encode_delta;

impl Story {
    /// One line of a story.
    pub fn step(&mut self, words: &[&str]) -> Told {
        match *words {
            ["nodes", ref rest @ ..] => self.nodes(rest),
            ["expect", ref what @ ..] => self.expect(what),
            ["wait", time] => self.wait(duration(time)?),
            ["sync"] => self.sync_all(),
            ["sync", a, b] => self.sync(self.node(a)?, self.node(b)?).map(drop),
            ["settle"] => {
                kept(self.world.settle())?;
                self.settle()
            }
            ["cut", ref sides @ ..] => self.cut(sides),
            ["heal"] => {
                self.world.links.heal();
                Ok(())
            }
            ["late"] => self.late(),
            ["replay"] => self.replay(),
            ["mark"] => {
                self.set_mark();
                Ok(())
            }
            [name, "joins"] => self.join(name),
            [name, verb, ref rest @ ..] => {
                let at = self.node(name)?;
                self.act(at, verb, rest)?;
                self.settle()
            }
            [word] => Err(format!("`{word}` says nothing")),
            [] => Ok(()),
        }
    }

    /// Names, and the rules that they share.
    fn nodes(&mut self, words: &[&str]) -> Told {
        let (rules, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.contains('='));
        for rule in rules {
            let (name, value) = pair(rule)?;
            self.rule(name, value)?;
        }
        names.into_iter().try_for_each(|name| self.join(name))
    }

    /// `a | b c`: both ways between those sides. `a -> b`: what `a` sends to `b`.
    fn cut(&mut self, sides: &[&str]) -> Told {
        if let [from, "->", to] = sides {
            let (from, to) = (self.node(from)?, self.node(to)?);
            self.world.links.cut_one_way(from, to);
            return Ok(());
        }
        let sides = sides.split(|word| *word == "|").map(|side| side.iter().map(|name| self.node(name)).collect());
        let sides: Vec<Vec<usize>> = sides.collect::<Told<_>>()?;
        for (at, side) in sides.iter().enumerate() {
            for (&a, &b) in side.iter().flat_map(|a| sides[at + 1..].iter().flatten().map(move |b| (a, b))) {
                self.world.links.cut_both(a, b);
            }
        }
        Ok(())
    }

    /// What one node does, or what befalls it.
    fn act(&mut self, at: usize, verb: &str, words: &[&str]) -> Told {
        match (verb, words) {
            ("puts", [key, word]) => self.put(at, key, &value(word)?, 0),
            ("puts", [key, word, ttl]) => match pair(ttl)? {
                ("ttl", time) => self.put(at, key, &value(word)?, duration(time)?),
                _ => Err(format!("`{ttl}` is not ttl=time")),
            },
            ("removes", [key]) => match kept(self.world.remove(at, key.as_bytes()))? {
                Some(_) => Ok(()),
                None => Err(format!("it does not show {key}")),
            },
            ("removes", [key, "in", "vain"]) => match kept(self.world.remove(at, key.as_bytes()))? {
                Some(_) => Err(format!("it did remove {key}")),
                None => Ok(()),
            },
            ("empties", []) => {
                self.world.nodes[at].view.clone().keys().try_for_each(|key| kept(self.world.remove(at, key)).map(drop))
            }
            ("fills", [count]) => (0..number(count)?).try_for_each(|n| self.put(at, &format!("k{n}"), b"full", 0)),
            ("overwrites", [key, count, "untold"]) => {
                (1..=number(count)?).try_for_each(|n| self.put(at, key, n.to_string().as_bytes(), 0))
            }
            ("overwrites", [key, count]) => (1..=number(count)?).try_for_each(|n| {
                self.put(at, key, n.to_string().as_bytes(), 0)?;
                let messages = self.told_by(at);
                self.spread(messages)
            }),
            ("applies", writes) => self.apply(at, writes),
            ("tells", words) => self.tells(at, words),
            ("pulls", [from, pages]) => self.pull_pages(at, self.node(from)?, number(pages)?),
            ("goes", ["on"]) => self.go_on(at),
            ("leaves", []) => self.leave(at),
            ("restarts", []) => self.restart(at),
            ("saves", []) => kept(self.world.save_now(at)),
            ("crashes", []) => self.crash(at, End::PowerLost),
            ("is", ["killed"]) => self.crash(at, End::Killed),
            ("comes", ["back"]) => self.come_back(at),
            ("stops", []) => self.run(at, false),
            ("continues", []) => self.run(at, true),
            ("clock", [how]) => self.set_clock(at, how),
            ("refuses", words) => self.refuse(at, words),
            ("receives", words) => self.receive(at, words),
            _ => Err(format!("`{verb} {}` says nothing", words.join(" "))),
        }
    }

    // ---- writes ----

    fn put(&mut self, at: usize, key: &str, value: &[u8], ttl_ms: u64) -> Told {
        kept(self.world.put(at, key.as_bytes(), value, ttl_ms)).map(drop)
    }

    /// `k=v` for a value, `k=-` for a removal: one batch.
    fn apply(&mut self, at: usize, words: &[&str]) -> Told {
        let mut wishes = Vec::new();
        for word in words {
            let (key, content) = pair(word)?;
            let content = if content == "-" { None } else { Some(value(content)?) };
            wishes.push((key.as_bytes().to_vec(), content, 0));
        }
        kept(self.world.apply(at, &wishes))
    }

    // ---- messages ----

    /// What waits leaves: to everyone, to those named, to nobody, later, or cut short on its way to one.
    fn tells(&mut self, at: usize, words: &[&str]) -> Told {
        if self.world.nodes[at].replica.waiting() == 0 {
            return Err("it has nothing to tell".into());
        }
        let messages = self.told_by(at);
        match *words {
            [] => self.spread(messages),
            ["nobody"] => Ok(()),
            ["later"] => {
                self.hold_up(messages);
                Ok(())
            }
            [name, "cut", "short"] => {
                let to = self.node(name)?;
                let bytes = messages.into_iter().filter(|message| message.to == to).map(|message| message.bytes);
                bytes
                    .collect::<Vec<_>>()
                    .iter()
                    .try_for_each(|bytes| (0..bytes.len()).try_for_each(|end| self.take(to, &bytes[..end])))
            }
            ref names => {
                let named = names.iter().map(|name| self.node(name)).collect::<Told<Vec<_>>>()?;
                let messages: Vec<Packet> = messages.into_iter().filter(|message| named.contains(&message.to)).collect();
                self.deliver(&messages)
            }
        }
    }

    fn take(&mut self, to: usize, bytes: &[u8]) -> Told {
        kept(self.world.take(to, bytes)).map(drop)
    }

    /// What no honest node would send.
    fn receive(&mut self, to: usize, words: &[&str]) -> Told {
        match *words {
            ["junk"] => {
                let long: Vec<u8> = (0..100_000u32).map(|n| ((n * 37) >> 3) as u8).collect();
                let junk: [&[u8]; 8] = [b"", b"\0", b"\x01", b"\x01\0", b"\x01\x01", b"junk", &[0xFF; 64], &long];
                junk.iter().try_for_each(|bytes| self.take(to, bytes))
            }
            // Claims to have stamped it at that time.
            ["from", author, key, "stamped", time] => {
                let timestamp = self.timestamp(time)?;
                let origin = Origin::new(PeerId::from_bytes(author.as_bytes()).map_err(|error| error.to_string())?, 9);
                self.forge(to, origin, key, timestamp, Vec::new())
            }
            // Claims to depend on that.
            ["from", author, key, "depending", "on", time] => {
                let origin = Origin::new(PeerId::from_bytes(author.as_bytes()).map_err(|error| error.to_string())?, 9);
                let past = vec![(Origin::new(origin.peer().clone(), 8), self.timestamp(time)?)];
                let timestamp = self.timestamp("+1d")?;
                self.forge(to, origin, key, timestamp, past)
            }
            // Claims to come from the receiving node itself.
            ["its", "own", key] => {
                let origin = self.world.nodes[to].replica.origin().clone();
                let timestamp = self.timestamp("+1s")?;
                self.forge(to, origin, key, timestamp, Vec::new())
            }
            _ => Err(format!("`receives {}` says nothing", words.join(" "))),
        }
    }

    /// `nothing`, `infinity`, `last` (what comes just before), or from now, as `+1h`.
    fn timestamp(&self, word: &str) -> Told<Timestamp> {
        Ok(match word {
            "nothing" => Timestamp::ZERO,
            "infinity" => Timestamp(u64::MAX),
            "last" => Timestamp(u64::MAX - 1),
            time => Timestamp::from_ms(self.world.now_ms.saturating_add_signed(offset(time)?)),
        })
    }

    fn forge(&mut self, to: usize, origin: Origin, key: &str, timestamp: Timestamp, past: Vec<(Origin, Timestamp)>) -> Told {
        let stamp = Stamp { timestamp, origin: origin.clone() };
        let record = Record::new(RecordParts { stamp, expires_at_ms: 0, place: 0, revision: 0 }, Some(b"forged"), false);
        let entries = vec![(Slot::new(key.as_bytes(), record.clone()), record)];
        self.take(to, &encode_delta(&Outgoing { origin, prev: Timestamp::ZERO, last: timestamp, past, entries }))
    }

    // ---- processes and clocks ----

    /// A process is stopped as by a debugger, or goes on.
    fn run(&mut self, at: usize, up: bool) -> Told {
        self.world.nodes[at].up = up;
        Ok(())
    }

    fn set_clock(&mut self, at: usize, how: &str) -> Told {
        let now_ms = self.world.now_ms;
        let clock = &mut self.world.nodes[at].clock;
        match how {
            "freezes" => clock.freeze(now_ms),
            "runs" => clock.thaw(),
            "right" => clock.set_right(),
            by => clock.jump(offset(by)?),
        }
        Ok(())
    }

    /// `b*`, `over 10` (bytes), or `nothing`.
    fn refuse(&mut self, at: usize, words: &[&str]) -> Told {
        let refuses = &mut self.world.nodes[at].refuses;
        match *words {
            ["nothing"] => *refuses = Refuses::NOTHING,
            ["over", bytes] => refuses.max_value_bytes = number(bytes)? as usize,
            [word] if word.len() == 2 && word.ends_with('*') => refuses.first_byte = Some(word.as_bytes()[0]),
            _ => return Err(format!("`{}` is nothing to refuse", words.join(" "))),
        }
        Ok(())
    }
}
