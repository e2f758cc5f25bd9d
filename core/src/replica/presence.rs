//! Who is there: on a presence map an entry is in the view only while its author is.
//!
//! Every node that has the map open sends a [`Pulse`] now and then, which reaches all others through gossip, neighbours or not. An
//! author is gone when it says so, or when nothing was heard of it for the timeout; its entries are hidden, and shown again when
//! it is heard again. Every author writes its own entries anew before they are half as old as the horizon. So when one has been
//! silent for longer than that it has *departed*: what it wrote before is over, as if it had been removed, and what it brings along
//! should it return is newer. Whoever joins learns with a pull how long ago each author was heard ([`Sign`]).
//!
//! Time is counted from call to call, and a step that is too long or goes back does not count: a process that was stopped, or
//! a clock that was set, is nobody's silence.

use std::collections::BTreeMap;

use super::stamp::Origin;
use crate::limits::MAX_ORIGINS;
use crate::peer::PeerId;

/// A sign of life, or the goodbye of one that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// The opening of the map that it comes from.
    pub origin: Origin,
    /// Grows from pulse to pulse. Units: its author's milliseconds since the Unix epoch.
    pub beat: u64,
    pub leaving: bool,
}

/// The last pulse of an author, and how long ago it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    pub pulse: Pulse,
    pub silent_ms: u64,
}

/// Where uptime starts, so that there is a time before it.
const BEFORE: u64 = 1 << 48;
/// Pulses in one timeout: as many may get lost, but for one.
const PULSES: u64 = 4;

pub(super) struct Presence {
    me: Origin,
    timeout_ms: u64,
    horizon_ms: u64,
    authors: BTreeMap<PeerId, Author>,
    /// Milliseconds that this replica has seen go by.
    uptime_ms: u64,
    last_ms: u64,
    next_pulse_ms: u64,
    last_beat: u64,
}

struct Author {
    /// The last pulse: epoch of the opening, and beat.
    pulse: (u64, u64),
    left: bool,
    heard_ms: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Here,
    Gone,
    Departed,
}

/// What became of an author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Show its entries.
    Came,
    /// Hide them.
    Went,
    /// Hide them, if they are not yet: they are over soon.
    Departed,
}

impl Presence {
    pub fn new(me: Origin, timeout_ms: u64, horizon_ms: u64) -> Self {
        let authors = BTreeMap::new();
        Self { me, timeout_ms, horizon_ms, authors, uptime_ms: BEFORE, last_ms: 0, next_pulse_ms: 0, last_beat: 0 }
    }

    /// This node's is another opening than was thought.
    pub fn rename(&mut self, me: Origin) {
        self.me = me;
    }

    /// Whether its entries are in the view.
    pub fn is_here(&self, author: &PeerId) -> bool {
        author == self.me.peer() || self.authors.get(author).is_some_and(|author| author.state == State::Here)
    }

    /// Whether it has been silent for longer than the horizon.
    pub fn is_departed(&self, author: &PeerId) -> bool {
        self.authors.get(author).is_some_and(|author| author.state == State::Departed)
    }

    /// An entry of that author has arrived; `itself` when its author sent it. Somebody unknown is here only then.
    pub fn met(&mut self, author: &PeerId, itself: bool) {
        let full = self.authors.len() >= MAX_ORIGINS;
        match self.authors.get_mut(author) {
            Some(known) if itself && known.state == State::Here => known.heard_ms = self.uptime_ms,
            None if !full && author != self.me.peer() => {
                let state = if itself { State::Here } else { State::Gone };
                let new = Author { pulse: (0, 0), left: false, heard_ms: self.uptime_ms, state };
                self.authors.insert(author.clone(), new);
            }
            Some(_) | None => {}
        }
    }

    /// A pulse was heard, so long ago.
    pub fn heard(&mut self, pulse: &Pulse, silent_ms: u64) -> Option<Turn> {
        let author = pulse.origin.peer();
        if author == self.me.peer() {
            return None;
        }
        let (at_ms, told) = (self.uptime_ms.saturating_sub(silent_ms), (pulse.origin.epoch(), pulse.beat));
        self.met(author, false);
        let known = self.authors.get_mut(author)?;
        if told < known.pulse {
            return None;
        }
        if told > known.pulse {
            (known.pulse, known.left, known.heard_ms) = (told, pulse.leaving, at_ms);
        } else {
            known.left |= pulse.leaving;
            known.heard_ms = known.heard_ms.max(at_ms);
        }
        known.settle(self.uptime_ms, self.timeout_ms, self.horizon_ms)
    }

    /// Time goes by: whose silence has lasted too long.
    pub fn advance(&mut self, now_ms: u64) -> Vec<(PeerId, Turn)> {
        let step = now_ms.checked_sub(self.last_ms).filter(|step| *step <= self.timeout_ms / 2);
        self.uptime_ms += step.unwrap_or_default();
        self.last_ms = now_ms;
        let (uptime_ms, timeout_ms, horizon_ms) = (self.uptime_ms, self.timeout_ms, self.horizon_ms);
        let turns = self.authors.iter_mut().filter_map(|(author, known)| {
            // Whoever is heard again says so itself.
            let turn = known.settle(uptime_ms, timeout_ms, horizon_ms).filter(|turn| *turn != Turn::Came);
            turn.map(|turn| (author.clone(), turn))
        });
        turns.collect()
    }

    /// How often time is to be told.
    pub fn interval_ms(&self) -> u64 {
        self.timeout_ms / PULSES
    }

    /// The pulse to send now, if one is due.
    pub fn pulse(&mut self, now_ms: u64) -> Option<Pulse> {
        let (next, interval) = (self.next_pulse_ms, self.interval_ms());
        // A clock that went back does not silence it.
        if now_ms < next && next - now_ms <= interval {
            return None;
        }
        self.next_pulse_ms = now_ms + interval;
        Some(self.say(now_ms, false))
    }

    /// The goodbye.
    pub fn farewell(&mut self, now_ms: u64) -> Pulse {
        self.say(now_ms, true)
    }

    fn say(&mut self, now_ms: u64, leaving: bool) -> Pulse {
        self.last_beat = now_ms.max(self.last_beat + 1);
        Pulse { origin: self.me.clone(), beat: self.last_beat, leaving }
    }

    /// What to tell who joins: of this node itself, too.
    pub fn signs(&self) -> Vec<Sign> {
        let me = (self.last_beat > 0)
            .then(|| Sign { pulse: Pulse { origin: self.me.clone(), beat: self.last_beat, leaving: false }, silent_ms: 0 });
        let known = self.authors.iter().map(|(peer, author)| Sign {
            pulse: Pulse { origin: Origin::new(peer.clone(), author.pulse.0), beat: author.pulse.1, leaving: author.left },
            silent_ms: self.uptime_ms - author.heard_ms,
        });
        me.into_iter().chain(known).collect()
    }

    /// Forgets authors that have departed and are silent for so long.
    pub fn prune(&mut self, retention_ms: u64) {
        let uptime_ms = self.uptime_ms;
        self.authors.retain(|_, known| known.state != State::Departed || uptime_ms - known.heard_ms <= retention_ms);
    }
}

impl Author {
    fn settle(&mut self, uptime_ms: u64, timeout_ms: u64, horizon_ms: u64) -> Option<Turn> {
        let silent_ms = uptime_ms.saturating_sub(self.heard_ms);
        let known = self.pulse != (0, 0);
        let next = match self.state {
            _ if silent_ms > horizon_ms.max(timeout_ms) => State::Departed,
            // Met, and not heard itself: it stays as it is for the timeout.
            state if !known && silent_ms <= timeout_ms => state,
            _ if self.left || silent_ms > timeout_ms => State::Gone,
            _ => State::Here,
        };
        let before = std::mem::replace(&mut self.state, next);
        match (before, next) {
            (before, next) if before == next => None,
            (_, State::Here) => Some(Turn::Came),
            (_, State::Departed) => Some(Turn::Departed),
            (State::Departed, State::Gone) => None,
            (_, State::Gone) => Some(Turn::Went),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: u64 = 1_000;

    fn origin(name: u8) -> Origin {
        Origin::new(PeerId::from_bytes(&[name]).expect("one byte is a peer id"), 1)
    }

    fn presence() -> Presence {
        let mut presence = Presence::new(origin(1), TIMEOUT, 10 * TIMEOUT);
        presence.advance(1);
        presence
    }

    fn beat(beat: u64, leaving: bool) -> Pulse {
        Pulse { origin: origin(2), beat, leaving }
    }

    /// Time in steps that count; what happened meanwhile.
    fn wait(presence: &mut Presence, ms: u64) -> Vec<Turn> {
        let (mut turns, end) = (Vec::new(), presence.last_ms + ms);
        while presence.last_ms < end {
            let next = end.min(presence.last_ms + TIMEOUT / 4);
            turns.extend(presence.advance(next).into_iter().map(|(_, turn)| turn));
        }
        turns
    }

    #[test]
    fn an_author_is_here_while_it_is_heard() {
        let mut presence = presence();
        assert_eq!(presence.heard(&beat(1, false), 0), Some(Turn::Came));
        for at in 2..20 {
            assert_eq!(wait(&mut presence, TIMEOUT / 2), []);
            assert_eq!(presence.heard(&beat(at, false), 0), None);
        }
        assert!(presence.is_here(origin(2).peer()));
        assert_eq!(wait(&mut presence, TIMEOUT + 1), [Turn::Went]);
        assert_eq!(wait(&mut presence, 10 * TIMEOUT), [Turn::Departed]);
        assert_eq!(presence.heard(&beat(20, false), 0), Some(Turn::Came));
    }

    #[test]
    fn who_says_goodbye_is_gone_at_once_and_an_old_pulse_does_not_bring_it_back() {
        let mut presence = presence();
        presence.heard(&beat(5, false), 0);
        assert_eq!(presence.heard(&beat(6, true), 0), Some(Turn::Went));
        assert_eq!(presence.heard(&beat(5, false), 0), None);
        assert_eq!(presence.heard(&beat(6, false), 0), None);
        assert_eq!(presence.heard(&beat(7, false), 0), Some(Turn::Came));
    }

    #[test]
    fn a_step_in_time_is_nobodys_silence() {
        let mut presence = presence();
        presence.heard(&beat(1, false), 0);
        assert_eq!(presence.advance(3_600_000), [], "stopped for an hour");
        assert_eq!(presence.advance(1_000), [], "set back");
        assert_eq!(wait(&mut presence, TIMEOUT + 1), [Turn::Went], "and then time goes on");
    }

    #[test]
    fn who_joins_learns_how_long_ago_each_was_heard() {
        let mut presence = presence();
        presence.heard(&beat(1, false), 0);
        wait(&mut presence, TIMEOUT - 100);
        let mut late = Presence::new(origin(3), TIMEOUT, 10 * TIMEOUT);
        late.advance(1);
        late.met(origin(2).peer(), false);
        assert!(!late.is_here(origin(2).peer()), "its entries alone prove nothing");
        let turns: Vec<_> = presence.signs().iter().filter_map(|sign| late.heard(&sign.pulse, sign.silent_ms)).collect();
        assert_eq!(turns, [Turn::Came]);
        assert_eq!(wait(&mut late, 200), [Turn::Went]);
    }

    #[test]
    fn pulses_are_sent_four_times_a_timeout_whatever_the_clock_does() {
        let mut presence = presence();
        let beats: Vec<_> = [0, 100, 250, 400, 500, 10].iter().filter_map(|now| presence.pulse(*now)).collect();
        assert_eq!(beats.len(), 4);
        assert!(beats.windows(2).all(|two| two[0].beat < two[1].beat));
    }
}
