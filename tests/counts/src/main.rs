//! The work that is counted. `tests/baseline.rs` runs this under callgrind, which counts what [`counted`] does, and holds the counts
//! against `baseline.txt`.
//!
//! Each piece of work is prepared, then done many times in one call of `counted`; what it is called and how often it was done is
//! printed; with a part of a name as an argument only what has it in its name is. Seen from a user of the library: reads, writes and scans of a map without peers. Seen from inside: a delta, as it
//! leaves and as it arrives.

mod local;
mod remote;

// The pure part of the core, as it is shipped: the library shows none of it.
#[allow(dead_code, reason = "much of the core is not counted")]
#[path = "../../../core/src/error.rs"]
mod error;
#[allow(dead_code, reason = "much of the core is not counted")]
#[path = "../../../core/src/limits.rs"]
mod limits;
#[allow(dead_code, reason = "much of the core is not counted")]
#[path = "../../../core/src/peer.rs"]
mod peer;
#[allow(dead_code, unused_imports, reason = "much of the core is not counted")]
#[path = "../../../core/src/replica/mod.rs"]
mod replica;
#[allow(dead_code, reason = "much of the core is not counted")]
#[path = "../../../core/src/wire/mod.rs"]
mod wire;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    local::reads()?;
    local::writes()?;
    remote::delta()
}

/// Does the work, and says that it was done so often.
fn measure<T>(name: &str, times: usize, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    if std::env::args().nth(1).is_some_and(|wanted| !name.contains(&wanted)) {
        return work();
    }
    let mut done = None;
    counted(&mut || done = Some(work()));
    println!("{times} {name}");
    done.ok_or("not called")?
}

/// Counting starts when this is called, and ends when it returns.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

const KEY_BYTES: usize = 16;

type Key = [u8; KEY_BYTES];

/// Keys by number, in an order in which no neighbours follow each other. `count` must be no multiple of 7,919.
fn keys(first: usize, count: usize) -> Vec<Key> {
    let key = |number: usize| std::array::from_fn(|at| b'0' + (number / 10_usize.pow((KEY_BYTES - 1 - at) as u32) % 10) as u8);
    (0..count).map(|at| key(first + at * 7_919 % count)).collect()
}

const VALUE: [u8; 100] = [b'v'; 100];
