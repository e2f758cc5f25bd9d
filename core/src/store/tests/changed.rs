//! Which rows of a log count.

use super::super::changed::Changed;
use super::super::rows::Row;
use super::Rows;
use crate::dice::Dice;

/// Rows as they were written; without a value: the key was removed.
type Log = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The rows of a log as they are found against what replaying it row by row leaves.
fn check(log: &Log) {
    let mut replayed = Rows::new();
    for (key, value) in log {
        match value {
            Some(value) => drop(replayed.insert(key.clone(), value.clone())),
            None => drop(replayed.remove(key)),
        }
    }
    let rows = log.iter().map(|(key, value)| Row { key, value: value.as_deref() });
    let changed = Changed::new(rows, log.len(), 0x5EED);
    let mut found = Rows::new();
    for (key, value) in changed.last_first() {
        assert_eq!(found.insert(key.to_vec(), value.to_vec()), None, "each key once");
    }
    assert!(found == replayed, "{} rows, not {}", found.len(), replayed.len());
    assert!(log.iter().all(|(key, _)| changed.contains(key)), "also what was removed");
    assert!((0..1_000_u32).all(|absent| !changed.contains(format!("absent {absent}").as_bytes())));
}

#[test]
fn of_each_key_the_last_row_counts() {
    check(&Log::new());
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let (rows, keys) = (1 + dice.roll(300), 1 + dice.roll(100));
        let row = |at: usize| {
            let key = dice.roll(keys).to_string().into_bytes();
            (key, (!dice.chance(20)).then(|| at.to_be_bytes().to_vec()))
        };
        check(&(0..rows).map(row).collect());
    }
}

#[test]
fn keys_whose_hashes_are_alike_are_told_apart() {
    // Of so many keys some hundred pairs have hashes that begin with the same 24 bits.
    let key = |number: usize| (number % 60_000).to_string().into_bytes();
    check(&(0..90_000).map(|at| (key(at), (at % 7 != 0).then(|| at.to_be_bytes().to_vec()))).collect());
}
