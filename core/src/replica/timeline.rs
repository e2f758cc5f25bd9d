//! The entries of one origin, in the order in which it stamped them: what a sync looks up.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::clock::Timestamp;
use super::entry::Slot;

/// Entries of a run at most: their removal moves half a kilobyte, and a million of them have 16 thousand runs, whose places stay in
/// the processor's cache.
const RUN: usize = 64;

/// Slots under timestamps, each once.
///
/// It grows at its end, and what is overwritten goes from anywhere in it. So neighbours lie side by side, in runs: an entry takes
/// little more than its 16 bytes, and who removes one finds it at the first look, mostly, in memory that no cache holds.
/// Cost: O(log n) for a change.
#[derive(Default)]
pub(super) struct Timeline {
    /// In their order. Each is under a timestamp that follows all of the run before it and none of its own; none is empty.
    runs: BTreeMap<Timestamp, Run>,
    len: usize,
}

type Run = Vec<(Timestamp, Slot)>;

impl Timeline {
    /// Puts a slot there, in the place of one that may be there.
    pub fn insert(&mut self, timestamp: Timestamp, slot: Slot) {
        let Some((_, run)) = run_of(&mut self.runs, timestamp) else {
            self.insert_first(timestamp, slot);
            return;
        };
        let at = run.iter().rposition(|(held, _)| *held < timestamp).map_or(0, |before| before + 1);
        if let Some((_, there)) = run.get_mut(at).filter(|(held, _)| *held == timestamp) {
            *there = slot;
            return;
        }
        self.len += 1;
        if run.len() < RUN {
            run.insert(at, (timestamp, slot));
            return;
        }
        let mut next = if at == RUN { Run::with_capacity(RUN) } else { run.split_off(RUN / 2) };
        match at.checked_sub(run.len()) {
            Some(at) => next.insert(at, (timestamp, slot)),
            None => run.insert(at, (timestamp, slot)),
        }
        self.runs.insert(next[0].0, next);
    }

    /// It precedes all that are there.
    fn insert_first(&mut self, timestamp: Timestamp, slot: Slot) {
        self.len += 1;
        let first = self.runs.first_entry().filter(|first| first.get().len() < RUN);
        let mut run = first.map_or_else(Run::new, |first| first.remove());
        run.insert(0, (timestamp, slot));
        self.runs.insert(timestamp, run);
    }

    pub fn remove(&mut self, timestamp: Timestamp) {
        let Some((start, run)) = run_of(&mut self.runs, timestamp) else { return };
        let Some(at) = position(run, timestamp) else { return };
        run.remove(at);
        self.len -= 1;
        match run.len() {
            0 => drop(self.runs.remove(&start)),
            left if left == RUN / 2 => run.shrink_to_fit(),
            left if left == RUN / 4 => self.join_next(start),
            _ => {}
        }
    }

    /// A run that has become short takes up the next one, if that is short, too.
    fn join_next(&mut self, start: Timestamp) {
        let after = (Bound::Excluded(start), Bound::Unbounded);
        let next = self.runs.range(after).next().filter(|(_, next)| next.len() <= RUN / 2).map(|(next, _)| *next);
        let next = next.and_then(|next| self.runs.remove(&next)).unwrap_or_default();
        if let Some(run) = self.runs.get_mut(&start) {
            run.reserve_exact(next.len());
            run.extend(next);
            run.shrink_to_fit();
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, &Slot)> {
        self.runs.values().flatten().map(|(timestamp, slot)| (*timestamp, slot))
    }

    /// What was stamped later than that.
    pub fn after(&self, timestamp: Timestamp) -> impl Iterator<Item = (Timestamp, &Slot)> {
        let first = self.runs.range(..=timestamp).next_back().map_or(timestamp, |(start, _)| *start);
        let all = self.runs.range(first..).flat_map(|(_, run)| run);
        all.skip_while(move |(held, _)| *held <= timestamp).map(|(held, slot)| (*held, slot))
    }
}

/// In order, it takes least.
impl Extend<(Timestamp, Slot)> for Timeline {
    fn extend<I: IntoIterator<Item = (Timestamp, Slot)>>(&mut self, more: I) {
        more.into_iter().for_each(|(timestamp, slot)| self.insert(timestamp, slot));
    }
}

/// The run in which that timestamp is or would be, with what it is under, unless it precedes all.
fn run_of(runs: &mut BTreeMap<Timestamp, Run>, timestamp: Timestamp) -> Option<(Timestamp, &mut Run)> {
    runs.range_mut(..=timestamp).next_back().map(|(start, run)| (*start, run))
}

/// Where in a run that timestamp is. No two are alike, so it is no further from the first one than it is later; what was written in
/// one go lies right there.
fn position(run: &Run, timestamp: Timestamp) -> Option<usize> {
    let furthest = timestamp.0.checked_sub(run.first()?.0.0)?.min(run.len() as u64 - 1) as usize;
    run[..=furthest].iter().rposition(|(held, _)| *held <= timestamp).filter(|at| run[*at].0 == timestamp)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::entry::{Record, RecordParts};
    use super::super::stamp::{Origin, Stamp};
    use super::*;
    use crate::peer::PeerId;

    fn slot(number: u64) -> Slot {
        let origin = Origin::new(PeerId::from_bytes(&[1]).unwrap(), 1);
        let stamp = Stamp { timestamp: Timestamp(number), origin };
        Slot::new(
            &number.to_be_bytes(),
            Record::new(RecordParts { stamp, expires_at_ms: 0, place: 0, revision: 0 }, None, false),
        )
    }

    fn check(timeline: &Timeline, model: &BTreeMap<u64, u64>) {
        let numbers = |slots: &mut dyn Iterator<Item = (Timestamp, &Slot)>| -> Vec<(u64, u64)> {
            slots.map(|(at, slot)| (at.0, u64::from_be_bytes(slot.key().try_into().unwrap()))).collect()
        };
        let expected: Vec<_> = model.iter().map(|(at, number)| (*at, *number)).collect();
        assert_eq!(numbers(&mut timeline.iter()), expected);
        assert_eq!((timeline.len(), timeline.is_empty()), (model.len(), model.is_empty()));
        for after in [0, 1, 777, 5_000, u64::MAX] {
            let later: Vec<_> = expected.iter().copied().filter(|(at, _)| *at > after).collect();
            assert_eq!(numbers(&mut timeline.after(Timestamp(after))), later, "after {after}");
        }
        assert!(timeline.runs.values().all(|run| !run.is_empty() && run.len() <= RUN));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Stretches are put in or taken out, up or down, in steps.
        #[test]
        fn it_holds_what_a_sorted_map_holds(
            stretches in prop::collection::vec((any::<bool>(), any::<bool>(), 0..2_000u64, 1..200u64, 1..40u64), 1..60),
        ) {
            let (mut timeline, mut model) = (Timeline::default(), BTreeMap::new());
            for (number, (takes, down, first, count, step)) in (1..).zip(stretches) {
                let stretch = (0..count).map(|at| first + step * if down { count - at } else { at });
                for at in stretch {
                    if takes {
                        timeline.remove(Timestamp(at));
                        model.remove(&at);
                    } else {
                        timeline.insert(Timestamp(at), slot(number));
                        model.insert(at, number);
                    }
                }
                check(&timeline, &model);
            }
        }
    }

    #[test]
    fn what_is_left_of_many_takes_little() {
        let mut timeline = Timeline::default();
        timeline.extend((0..10_000).map(|at| (Timestamp(at), slot(at))));
        assert_eq!(timeline.runs.len(), 10_000_usize.div_ceil(RUN), "written in order");
        // All but one in nine go, in no order.
        for at in (0..10_000).map(|at| at * 7_919 % 10_000).filter(|at| at % 9 != 0) {
            timeline.remove(Timestamp(at));
        }
        let room: usize = timeline.runs.values().map(Vec::capacity).sum();
        assert!(room <= 3 * timeline.len(), "room for {room} of {}", timeline.len());
    }
}
