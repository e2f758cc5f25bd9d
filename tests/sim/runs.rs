//! Running seeds, on every core; and telling of the one that failed.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::trace::Trace;
use super::world::{Tally, World};
use crate::replica::{Mutation, plant};

/// A seed for which a claim does not hold.
#[derive(Debug)]
pub struct Failure {
    pub seed: u64,
    pub what: String,
    /// What happened before, and how the replicas were then.
    story: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, what, story } = self;
        write!(f, "\n{story}\n\nseed {seed}: {what}\nagain: make sim SEEDS=1 SEED_BASE={seed}\n")
    }
}

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .filter(|text| !text.is_empty())
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Runs that many seeds, with a planted bug or without. The first failure ends it.
pub fn run_seeds(first: u64, count: u64, bug: Option<Mutation>) -> Result<Tally, Box<Failure>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(first);
    let failed: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let total = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                plant(bug);
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || failed.lock().expect("no panic here").is_some() {
                        return;
                    }
                    match run(seed, &mut None) {
                        Ok(tally) => *total.lock().expect("no panic here") += tally,
                        Err(what) => {
                            failed.lock().expect("no panic here").get_or_insert((seed, what));
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().expect("no panic here") {
        None => Ok(total.into_inner().expect("no panic here")),
        Some((seed, _)) => Err(Box::new(tell(seed, bug))),
    }
}

/// Runs a seed that fails once more, and listens.
fn tell(seed: u64, bug: Option<Mutation>) -> Failure {
    let mut world = Some(None);
    plant(bug);
    let what = run(seed, &mut world).err().unwrap_or_else(|| "it does not fail twice".into());
    plant(None);
    let story = world.flatten().map_or(String::new(), |world: World| {
        let portraits: Vec<String> = (0..world.nodes.len()).map(|at| world.portrait(at)).collect();
        format!("{:?}\n\n{}\n\n{}\n\n{}", world.plan, world.trace.show(), portraits.join("\n"), world.oracle.tell())
    });
    Failure { seed, what, story }
}

/// One world from its beginning to its end. Asked for, it is left as it was when it failed.
fn run(seed: u64, left: &mut Option<Option<World>>) -> Result<Tally, String> {
    let mut world = World::of_seed(seed, Trace::new(left.is_some()));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        (0..world.plan.steps).try_for_each(|_| world.step())?;
        world.rest()
    }));
    let result = match ended {
        Ok(Ok(())) => Ok(world.tally),
        Ok(Err(violation)) => Err(violation.to_string()),
        Err(panic) => Err(format!("it panicked: {}", message(panic.as_ref()))),
    };
    if let Some(left) = left {
        *left = Some(world);
    }
    result
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}
