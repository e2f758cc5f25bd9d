//! What must hold of a replica at every moment, whatever happened: read off its state and compared with what really happened.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::node::Node;
use super::oracle::{Key, Written};
use super::trace;
use super::world::{Kept, World, violated};
use crate::limits::MAX_RANGES;
use crate::replica::{Record, Stamp};

type State = BTreeMap<Key, Record>;

/// Every claim about one replica.
pub fn check(world: &mut World, at: usize) -> Kept {
    let node = &world.nodes[at];
    if !node.up {
        return Ok(());
    }
    let mut state = State::new();
    node.replica.index().visit((Bound::Unbounded, Bound::Unbounded), false, |slot, record| {
        state.insert(slot.key().to_vec(), record);
        true
    });
    records_are_what_was_written(world, node, &state)?;
    stamps_never_go_down(world, node, &state)?;
    what_is_covered_is_held(world, node, &state)?;
    nothing_comes_back(world, node, &state)?;
    batches_are_whole(world, node, &state)?;
    the_view_is_what_was_told(node, &state)?;
    sizes_are_bounded(world, node, &state)?;
    if let Err(what) = node.replica.check_indexes() {
        return violated("indexes and fingerprint are those of the entries", format!("{}: {what}", node.name()));
    }
    tell_differences(world, at, &state);
    let node = &world.nodes[at];
    let numbered = world.oracle.writes().iter().enumerate();
    let covered = numbered.filter(|(_, w)| {
        node.replica.context().covers(&w.stamp) || state.get(&w.key).is_some_and(|held| *held.stamp() == w.stamp)
    });
    let covered: Vec<usize> = covered.map(|(number, _)| number).collect();
    let node = &mut world.nodes[at];
    covered.into_iter().for_each(|number| node.covered.insert(number));
    node.held = state.into_iter().map(|(key, record)| (key, record.stamp().clone())).collect();
    Ok(())
}

/// What became of each key, for the trace.
fn tell_differences(world: &mut World, at: usize, state: &State) {
    if !world.trace.is_on() {
        return;
    }
    let node = &world.nodes[at];
    let gone = node.held.iter().filter(|(key, _)| !state.contains_key(*key));
    let mut lines: Vec<String> =
        gone.map(|(key, stamp)| format!("{} without {}", trace::bytes(key), trace::stamp(stamp))).collect();
    for (key, record) in state.iter().filter(|(key, record)| node.held.get(*key) != Some(record.stamp())) {
        let what = if record.is_live() { "=" } else { "removed" };
        lines.push(format!("{} {what} {}", trace::bytes(key), trace::stamp(record.stamp())));
    }
    let name = node.name();
    for line in lines {
        world.say(|| format!("    {name}: {line}"));
    }
}

/// Key, value, expiry: all as the author wrote them under that stamp. What has ended is a tombstone under the same stamp.
fn records_are_what_was_written(world: &World, node: &Node, state: &State) -> Kept {
    for (key, record) in state {
        let told = || format!("{} holds {} {}", node.name(), trace::bytes(key), trace::stamp(record.stamp()));
        let Some(number) = world.oracle.find(record.stamp()) else {
            return violated("one stamp is minted per write", told());
        };
        let written = world.oracle.write(number);
        let ended = written.ended_at_ms().is_some_and(|at| at <= world.newest_ms) || is_forgettable(world, written);
        let value_fits = match record.value() {
            Some(value) => written.value.as_deref() == Some(value),
            None => ended,
        };
        if written.key != *key || !value_fits || record.expires_at_ms().unwrap_or(0) != written.expires_at_ms {
            return violated("an entry is what was written", told());
        }
    }
    Ok(())
}

/// Whether it has ended, and was old enough to be forgotten by some clock.
fn is_forgettable(world: &World, written: &Written) -> bool {
    let ended = match written.ended_at_ms() {
        // An author may be gone for so long that all it wrote is.
        _ if world.plan.presence => Some(written.stamp.time_ms()),
        ended => ended,
    };
    ended.is_some_and(|at| at.saturating_add(world.plan.horizon_ms) < world.newest_ms)
}

/// Whether a key's write may be gone: something at least as new has ended, is seen here, and was old enough to be forgotten by some
/// clock.
fn may_be_gone(world: &World, node: &Node, stamp: &Stamp, key: &[u8]) -> bool {
    let seen = |written: &Written| {
        let covered = node.replica.context().covers(&written.stamp);
        // What was refused as a value may have come as a tombstone, and need not be covered to be forgotten.
        covered || world.refused.contains(&written.stamp) || is_prunable(world, &written.stamp)
    };
    let mut newer = world.oracle.of(key).rev().map(|(_, written)| written).take_while(|written| written.stamp >= *stamp);
    newer.any(|written| is_forgettable(world, written) && seen(written))
}

/// Whether that write was beaten by one that somebody refused and that has not come here yet: then nobody told of the first, neither
/// there nor to those who asked there.
pub fn beaten_by_refused(world: &World, node: &Node, stamp: &Stamp, key: &[u8]) -> bool {
    let mut newer = world.oracle.of(key).rev().take_while(|(_, written)| written.stamp > *stamp);
    newer.any(|(_, written)| world.refused.contains(&written.stamp) && !node.replica.context().covers(&written.stamp))
}

/// Whether its origin may have been let go.
fn is_prunable(world: &World, stamp: &Stamp) -> bool {
    stamp.time_ms().saturating_add(world.plan.retention_ms) < world.newest_ms
}

/// G2: what is held for a key only ever gives way to what is newer.
fn stamps_never_go_down(world: &World, node: &Node, state: &State) -> Kept {
    for (key, before) in &node.held {
        let now = state.get(key).map(Record::stamp);
        let kept = match now {
            Some(now) => now >= before,
            None => may_be_gone(world, node, before, key) || beaten_by_refused(world, node, before, key),
        };
        if !kept {
            let (before, now) = (trace::stamp(before), now.map(trace::stamp));
            let what = format!("{} held {} {before}, and now {now:?}", node.name(), trace::bytes(key));
            return violated("G2: a key's stamp never goes down", what);
        }
    }
    Ok(())
}

/// The coverage invariant: what a context covers is held, or beaten, or its tombstone was old enough to forget.
fn what_is_covered_is_held(world: &World, node: &Node, state: &State) -> Kept {
    for written in world.oracle.writes() {
        let held = state.get(&written.key).map(Record::stamp);
        if held >= Some(&written.stamp) || !node.replica.context().covers(&written.stamp) {
            continue;
        }
        let (stamp, key) = (&written.stamp, &written.key);
        if !may_be_gone(world, node, stamp, key) && !beaten_by_refused(world, node, stamp, key) {
            let (stamp, held) = (trace::stamp(&written.stamp), held.map(trace::stamp));
            let what = format!("{} covers {stamp} of {}, and holds {held:?}", node.name(), trace::bytes(&written.key));
            return violated("coverage: what is covered is held or beaten", what);
        }
    }
    Ok(())
}

/// G3: nothing is live that the author of a removal covered here had seen; nor the author of a newer write that has expired.
fn nothing_comes_back(world: &World, node: &Node, state: &State) -> Kept {
    for (key, record) in state.iter().filter(|(_, record)| record.is_live()) {
        // Invariant: checked before.
        let Some(number) = world.oracle.find(record.stamp()) else { continue };
        // It does not count as seen where it was refused; and who refuses what beat it goes on showing what it had.
        if world.refused.contains(record.stamp()) || beaten_by_refused(world, node, record.stamp(), key) {
            continue;
        }
        let newer = world.oracle.of(key).rev().take_while(|(_, written)| written.stamp > *record.stamp());
        let ended = |written: &Written| written.ended_at_ms().is_some_and(|at| at <= world.newest_ms);
        let mut tied = false;
        for (_, written) in newer.filter(|(_, written)| ended(written)) {
            // The one honest tie, until a self-check settles it: what beat it is forgotten, and had not seen it, or not something
            // between the two that is refused here, and shown elsewhere in its place.
            let between = |&(_, other): &(usize, &Written)| record.stamp() < &other.stamp && other.stamp < written.stamp;
            let refused = |&(_, other): &(usize, &Written)| world.refused.contains(&other.stamp);
            let mut rivals = world.oracle.of(key).filter(between).filter(refused).map(|(other, _)| other).chain([number]);
            tied |= is_forgettable(world, written) && rivals.any(|rival| !written.past.contains(rival));
            // Nor does one last whose own time is over by some clock, when that of this replica lags.
            let passing = record.expires_at_ms().is_some_and(|at| at <= world.newest_ms) && is_forgettable(world, written);
            if tied || passing {
                break;
            }
            let covered =
                || node.replica.context().covers(&written.stamp) && !beaten_by_refused(world, node, &written.stamp, key);
            if written.past.contains(number) && covered() {
                let (live, beaten_by) = (trace::stamp(record.stamp()), trace::stamp(&written.stamp));
                let what = format!("{} shows {} of {live}, after {beaten_by}", node.name(), trace::bytes(key));
                return violated("G3: nothing comes back", what);
            }
        }
    }
    Ok(())
}

/// Who holds a write of a batch has seen all of it, but for what somebody refuses, and for what was written over or forgotten since: a
/// sync brings the newer write in its own place, and drops at its end.
fn batches_are_whole(world: &World, node: &Node, state: &State) -> Kept {
    if !world.plan.batches {
        return Ok(());
    }
    let mut broken: BTreeMap<usize, &Written> = BTreeMap::new();
    for written in world.oracle.writes() {
        let held = state.get(&written.key).map(Record::stamp);
        let there = held >= Some(&written.stamp) || node.replica.context().covers(&written.stamp);
        let beaten = world.oracle.of(&written.key).next_back().is_some_and(|(_, newest)| newest.stamp > written.stamp);
        let excused = beaten || world.refused.contains(&written.stamp) || is_forgettable(world, written);
        // One far ahead may end within a batch.
        let ahead =
            written.stamp.time_ms().saturating_add(world.plan.tick_ms) > world.now_ms.saturating_add(world.plan.max_drift_ms);
        if !there && !excused && !ahead {
            broken.insert(written.batch, written);
        }
    }
    for (key, record) in state {
        // Invariant: checked before.
        let Some(number) = world.oracle.find(record.stamp()) else { continue };
        if let Some(missing) = broken.get(&world.oracle.write(number).batch) {
            let what = format!(
                "{} holds {} {}, and not {} {}",
                node.name(),
                trace::bytes(key),
                trace::stamp(record.stamp()),
                trace::bytes(&missing.key),
                trace::stamp(&missing.stamp)
            );
            return violated("a batch is seen whole", what);
        }
    }
    Ok(())
}

/// The events so far come to what readers see.
fn the_view_is_what_was_told(node: &Node, state: &State) -> Kept {
    let shown = state.iter().filter(|(_, record)| record.is_live() && !record.is_hidden());
    let shown: BTreeMap<&Key, &Stamp> = shown.map(|(key, record)| (key, record.stamp())).collect();
    let told: BTreeMap<&Key, &Stamp> = node.view.iter().collect();
    if shown != told {
        return violated("events come to what the view shows", format!("{}: {told:?}, shown {shown:?}", node.name()));
    }
    Ok(())
}

/// G5: one entry a key, one place an origin.
fn sizes_are_bounded(world: &World, node: &Node, state: &State) -> Kept {
    let index = node.replica.index();
    let entries = index.live() + index.hidden() + index.tombstones();
    let context = node.replica.context();
    let ranges = context.origins().map(|(_, seen)| seen.ranges.len()).max().unwrap_or(0);
    if entries != state.len() || context.len() > world.origins || ranges > MAX_RANGES {
        let what = format!("{}: {entries} of {} entries, {} origins, {ranges} ranges", node.name(), state.len(), context.len());
        return violated("G5: state is bounded", what);
    }
    Ok(())
}
