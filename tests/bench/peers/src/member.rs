//! The roles of other processes: a member of what is measured, told what to do line by line.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use p2pmap_bench::Result;
use p2pmap_bench::clock::{now_ns, paced};
use p2pmap_bench::load::{Key, VALUE_BYTES, shuffled};
use p2pmap_bench::machine::resident_bytes_of;
use p2pmap_bench::process::{line, serve};

use crate::contender::{Member, Setting, named};

/// After so long, what has not arrived will not.
const PATIENCE: Duration = Duration::from_secs(120);
/// How exactly the moment is known at which a process holds everything.
const LOOK: Duration = Duration::from_micros(500);
/// Looking takes no more than one part in so many of the time.
const LOOK_SELDOM: u32 = 20;
/// Calls that are faster than this are timed many at a time.
const FAST_NS: u64 = 5_000;
const AT_A_TIME: usize = 1_000;
/// Watchers are told of changes to so many keys, in turn.
const TOLD_KEYS: usize = 10_000;

/// `first CONTENDER [idle]`: starts it; says where.
pub fn first(args: &[String]) -> Result<()> {
    let [contender, how @ ..] = args else { return Err("first CONTENDER [idle]".into()) };
    let member = (named(contender)?.open)(Setting { join: None, idle: !how.is_empty() })?;
    let address = member.address()?;
    attend(&address, member)
}

/// `join CONTENDER ADDRESS ENTRIES [idle]`: joins; says when it began, and when it held that many.
pub fn join(args: &[String]) -> Result<()> {
    let [contender, address, entries, how @ ..] = args else { return Err("join CONTENDER ADDRESS ENTRIES".into()) };
    let start = now_ns();
    let mut member = (named(contender)?.open)(Setting { join: Some(address), idle: !how.is_empty() })?;
    let held = holds(member.as_mut(), entries.parse()?)?;
    attend(&line([start, held]), member)
}

fn attend(ready: &str, mut member: Box<dyn Member>) -> Result<()> {
    let mut ages = None;
    serve(ready, |words| obey(member.as_mut(), words, &mut ages))
}

fn obey(member: &mut dyn Member, words: &[&str], ages: &mut Option<Receiver<u64>>) -> Result<String> {
    match words {
        // Puts entries of those numbers as fast as it can; when it began, and when all were accepted.
        ["fill", from, count] => {
            let (from, count): (usize, usize) = (from.parse()?, count.parse()?);
            let start = now_ns();
            member.put_all(from..from + count)?;
            Ok(line([start, now_ns()]))
        }
        // When it holds that many.
        ["holds", entries] => Ok(line([holds(member, entries.parse()?)?])),
        // How long one call takes, so many times.
        ["gets", count, entries] => gets(member, count.parse()?, &shuffled(entries.parse()?)),
        // When it began to read all of them in the fastest way, and when it had.
        ["get_all", entries] => {
            let keys = shuffled(entries.parse()?);
            let start = now_ns();
            found(member.get_all(&keys)?, keys.len())?;
            Ok(line([start, now_ns()]))
        }
        ["puts", count] => {
            let mut put = |number: usize| -> Result<u64> {
                let start = now_ns();
                member.put(number, start)?;
                Ok(now_ns() - start)
            };
            Ok(line((0..count.parse()?).map(&mut put).collect::<Result<Vec<_>>>()?))
        }
        // Puts the time under one of many keys, `rate` times a second.
        ["pace", rate, count] => {
            paced(rate.parse()?, count.parse()?, |at| member.tell(at % TOLD_KEYS, now_ns()))?;
            Ok("paced".into())
        }
        // From now on, notes how old each change is that it is told of.
        ["watch"] => {
            let (aged, receiver) = channel();
            member.watch(Box::new(move |said| {
                let _ = aged.send(now_ns().saturating_sub(said));
            }))?;
            *ages = Some(receiver);
            Ok("watching".into())
        }
        // What it noted of the next so many.
        ["ages", count] => {
            let ages = ages.as_ref().ok_or("nothing is watched")?;
            let next = |_| ages.recv_timeout(PATIENCE).map_err(|_| "changes are missing".into());
            Ok(line((0..count.parse::<usize>()?).map(next).collect::<Result<Vec<_>>>()?))
        }
        ["resident"] => Ok(line([resident_bytes_of(member.holder())?])),
        _ => Err(format!("no such command: {words:?}").into()),
    }
}

/// Waits until a process holds that many; when that was.
fn holds(member: &mut dyn Member, entries: usize) -> Result<u64> {
    let start = now_ns();
    loop {
        let looking = now_ns();
        let held = member.held()?;
        let now = now_ns();
        if held >= entries {
            return Ok(now);
        }
        if now - start > PATIENCE.as_nanos() as u64 {
            return Err(format!("{held} of {entries} after {} s", PATIENCE.as_secs()).into());
        }
        std::thread::sleep(LOOK.max(Duration::from_nanos(now - looking) * LOOK_SELDOM));
    }
}

/// Nanoseconds of each of `count` samples, of one call where a call takes long, of the mean of many where it does not.
fn gets(member: &mut dyn Member, count: usize, keys: &[Key]) -> Result<String> {
    let mut next = keys.iter().cycle();
    let mut sample = |calls: usize| -> Result<u64> {
        let start = now_ns();
        let mut bytes = 0;
        for key in next.by_ref().take(calls) {
            bytes += member.get(key)?;
        }
        let took = now_ns() - start;
        found(bytes, calls)?;
        Ok(took / calls as u64)
    };
    sample(100)?;
    let calls = if sample(100)? < FAST_NS { AT_A_TIME } else { 1 };
    Ok(line((0..count).map(|_| sample(calls)).collect::<Result<Vec<_>>>()?))
}

/// Whether as many values were read as asked for.
fn found(bytes: usize, entries: usize) -> Result<()> {
    match bytes == entries * VALUE_BYTES {
        true => Ok(()),
        false => Err(format!("read {bytes} bytes of {}", entries * VALUE_BYTES).into()),
    }
}
