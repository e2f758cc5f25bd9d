//! Row 2: `get` through the C interface, by a C program, beside the same in Rust.

use std::hint::black_box;

use crate::clock::{Samples, now_ns};
use crate::load::{Key, VALUE_BYTES, shuffled};
use crate::report::{Figures, Floor, Line, Unit};
use crate::rows::reads::{BLOCK, HOT, filled};
use crate::{Effort, Result, load, machine};

pub fn measure(effort: Effort) -> Result<Figures> {
    let entries: usize = effort.pick(100_000, 1_000_000);
    let rounds = effort.pick(2_000, 5_000);
    let output = machine::c_program("get")?.args([entries.to_string(), rounds.to_string()]).output()?;
    let said = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = said.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [hot, uniform] = figures[..] else { return Err(format!("the C program failed: {said}").into()) };
    let rust = in_rust(entries, rounds)?;
    let line = |what: String, ours, is| Line {
        row: 2,
        what,
        unit: Unit::Nanoseconds,
        ours,
        p99: None,
        floor: Some(Floor { what: "Rust, get_with, value copied".into(), is, p99: None }),
        samples: format!("{rounds} x {BLOCK}"),
        goal: "<= Rust + 10 ns".into(),
    };
    Ok(vec![
        line("get in C, into the caller's buffer, hot".into(), hot, rust.0),
        line(format!("the same, uniform over {}", load::count(entries)), uniform, rust.1),
    ]
    .into())
}

/// What the C program does, in Rust: median nanoseconds a read, hot and uniform.
fn in_rust(entries: usize, rounds: usize) -> Result<(f64, f64)> {
    let map = filled(entries)?;
    let keys = shuffled(entries);
    let hot: Vec<Key> = (0..BLOCK).map(|at| keys[at % HOT]).collect();
    let read = |keys: &[Key]| {
        let mut copy = [0; VALUE_BYTES];
        let block = |block: &[Key]| {
            let start = now_ns();
            for key in block {
                let _ = black_box(map.get_with(key, |value| copy.copy_from_slice(value)));
            }
            now_ns() - start
        };
        let samples: Samples = keys.chunks_exact(BLOCK).cycle().take(rounds).map(block).collect();
        samples.median() / BLOCK as f64
    };
    Ok((read(&hot), read(&keys)))
}
