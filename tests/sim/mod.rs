//! The deterministic simulation: replicas of the pure core and the messages of a sync, on a network, with clocks, disks and
//! processes that fail in every way that is known, from one seed.
//!
//! Every message goes through its bytes. After every step every replica that something happened to is held against what really
//! happened (`claims.rs`); at the end all meet, and must come to the same (`rest.rs`). A seed that fails prints how to run it again,
//! and the last things that happened in it.
//!
//! ```text
//! make sim                          the seeds that every test run has
//! make sim SEEDS=100000             so many
//! make sim SEEDS=1 SEED_BASE=4711   the one that failed
//! TRACE=100000 make sim SEEDS=1 SEED_BASE=4711   the same, told from its beginning
//! ```

mod chance;
mod claims;
mod clock;
mod crash;
mod disk;
mod growth;
mod lasting;
mod mutations;
mod network;
mod node;
mod oracle;
mod plan;
mod pull;
mod rest;
mod runs;
mod scenario;
mod tell;
mod trace;
mod world;

use runs::{run_seeds, setting};

/// Seeds of a test run, unless SEEDS says otherwise.
const SEEDS: u64 = 2_000;

#[test]
fn g1_to_g5_and_g12_hold_whatever_the_network_the_clocks_and_the_processes_do() {
    let (first, count) = (setting("SEED_BASE", 0), setting("SEEDS", SEEDS));
    match run_seeds(first, count, None) {
        Ok(tally) => println!("{count} seeds from {first} are clean: {tally:?}"),
        Err(failure) => panic!("{failure}"),
    }
}

/// Or else nobody could be told of a seed that fails.
#[test]
fn a_seed_is_the_same_world_each_time() {
    let run = || run_seeds(0, 100, None).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(run(), run());
}
