//! What only shows in the long run: that state stays bounded, and that what is damaged is mended.

use super::node::Refuses;
use super::oracle::Written;
use super::plan::{DAY_MS, Plan};
use super::trace::Trace;
use super::world::{Kept, World};
use crate::dice::Dice;
use crate::peer::PeerId;
use crate::replica::Request;
use crate::wire::{Topic, sync};

const REOPENINGS: usize = 10_000;
const RETENTION_DAYS: u64 = 2;

fn peer(name: &str) -> PeerId {
    PeerId::from_bytes(name.as_bytes()).expect("a short name is a peer id")
}

/// What a replica's context costs in every sync.
fn context_bytes(world: &World, at: usize) -> usize {
    let request = Request { base: world.nodes[at].replica.context().clone(), since: 0, cursor: None };
    sync::encode_pull(Topic([0; 16]), &request).len()
}

/// Two compare, and pull what differs. (No claims are checked: that takes as long as all that was ever written.)
fn meet(world: &mut World, to: usize, from: usize) -> Kept {
    world.compare(to, from);
    while !world.sessions.is_empty() {
        world.advance(0)?;
    }
    world.touched.clear();
    Ok(())
}

/// One that stays, and one that is opened anew every hour, writes two keys, and is killed.
fn reopen_for_ever() -> Kept<(usize, usize)> {
    let plan = Plan { horizon_ms: DAY_MS, retention_ms: RETENTION_DAYS * DAY_MS, ..Plan::calm() };
    let mut world = World::new(plan, Dice::new(7), Trace::new(false));
    world.add_node(peer("stays"), Default::default(), Refuses::NOTHING);
    world.add_node(peer("comes and goes"), Default::default(), Refuses::NOTHING);
    let (mut most, mut most_bytes) = (0, 0);
    for round in 0..REOPENINGS {
        world.restart(1, peer("comes and goes"));
        world.put(1, b"address", format!("{round}").as_bytes(), 0)?;
        world.put(1, b"job", b"running", 0)?;
        meet(&mut world, 0, 1)?;
        world.remove(0, b"job")?;
        meet(&mut world, 1, 0)?;
        world.nodes.iter_mut().for_each(|node| node.replica.clear_outbox());
        world.now_ms += DAY_MS / 24;
        if round % 6 == 0 {
            (0..2).try_for_each(|at| world.sweep(at))?;
            most = most.max(world.nodes[0].replica.context().len());
            most_bytes = most_bytes.max(context_bytes(&world, 0));
        }
    }
    world.now_ms += (RETENTION_DAYS + 1) * DAY_MS;
    for _ in 0..2 {
        (0..2).try_for_each(|at| world.sweep(at))?;
        meet(&mut world, 0, 1)?;
    }
    let node = &world.nodes[0];
    println!(
        "{REOPENINGS} reopenings within 417 days: at most {most} origins at once, {most_bytes} bytes; once retention is over {} and {} bytes",
        node.replica.context().len(),
        context_bytes(&world, 0)
    );
    assert_eq!(node.replica.index().tombstones(), 0);
    Ok((most, node.replica.context().len()))
}

#[test]
fn g5_ten_thousand_reopenings_leave_a_bounded_context() {
    let (most, left) = reopen_for_ever().unwrap_or_else(|violation| panic!("{violation}"));
    // Two days' worth, and what comes until the next sweep; then those of the entries and of the nodes that run.
    assert!(most <= RETENTION_DAYS as usize * 24 + 20, "{most} origins");
    assert!(left <= 3, "{left} origins");
}

/// Runs a world until all are equal, then damages one of them, or takes an entry out. All must come to the same again, and a damaged
/// value must be what it was.
fn damage(seed: u64, lost: bool) -> Kept<bool> {
    let mut dice = Dice::new(seed);
    let plan = Plan { nodes: 4, keys: 5, steps: 0, ..Plan::calm() };
    let mut world = World::new(plan, dice.clone(), Trace::new(false));
    for name in ["a", "b", "c", "d"] {
        world.add_node(peer(name), Default::default(), Refuses::NOTHING);
    }
    for _ in 0..20 {
        let (at, key) = (dice.roll(4), [b'a' + dice.roll(5) as u8]);
        world.now_ms += dice.below(1_000);
        world.put(at, &key, b"value", 0)?;
    }
    world.settle()?;
    let victim = dice.roll(4);
    let Some(key) = world.nodes[victim].view.keys().next().cloned() else { return Ok(false) };
    let before = world.nodes[victim].view.get(&key).cloned();
    let replica = &mut world.nodes[victim].replica;
    if lost {
        replica.lose(&key);
    } else {
        replica.damage(&key, b"garbage");
    }
    // What was told of that key is not true any more, and what is told now was never written.
    let held = replica.index().record(&key).map(|record| record.stamp().clone());
    match held {
        Some(stamp) => {
            let past = world.nodes[victim].seen.clone();
            let value = Some(b"garbage".to_vec());
            world.oracle.add(Written { key: key.clone(), value, expires_at_ms: 0, stamp: stamp.clone(), batch: 0, past });
            world.nodes[victim].view.insert(key.clone(), stamp);
        }
        None => {
            world.nodes[victim].view.remove(&key);
        }
    }
    let checks = world.tally.self_checks;
    for _ in 0..4 {
        for to in 0..4 {
            for from in (0..4).filter(|&from| from != to) {
                meet(&mut world, to, from)?;
            }
        }
    }
    assert!(world.tally.self_checks > checks, "the damage was not noticed");
    let digests: Vec<_> = world.nodes.iter().map(|node| node.replica.digest()).collect();
    assert!(digests.iter().all(|digest| *digest == digests[0]), "seed {seed}: {digests:?}");
    assert!(lost || world.nodes.iter().all(|node| node.view.get(&key) == before.as_ref()), "seed {seed}: not mended");
    Ok(true)
}

#[test]
fn a_replica_damaged_on_purpose_is_mended_by_the_self_check() {
    for (seed, lost) in (0..100).flat_map(|seed| [(seed, false), (seed, true)]) {
        damage(seed, lost).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
    }
}
