//! Maps with a limit of their own.

use super::guarantees::{eventually, node};
use super::*;

#[test]
fn what_others_write_beyond_twice_the_limit_is_refused_and_comes_when_there_is_room() {
    let first = node(&[]);
    let second = node(&[&first]);
    let mut options = MapOptions::new();
    options.set("max_entries", "10").unwrap();
    let (large, small) = (first.map("m", MapOptions::new()).unwrap(), second.map("m", options).unwrap());
    eventually("they meet", || large.status().unwrap().peers.len() == 1 && small.status().unwrap().peers.len() == 1);
    for number in 0..30 {
        large.put(format!("{number:02}"), "value").unwrap();
    }
    eventually("it is full", || small.status().unwrap().refused_entries >= 10);
    assert_eq!(small.len().unwrap(), 20);
    for entry in small.scan(ScanOptions::default()).unwrap() {
        large.remove(&entry.key()[..]).unwrap();
    }
    eventually("the rest has room", || {
        let _ = small.sync(Duration::from_millis(100));
        keys(&small, ScanOptions::default()) == keys(&large, ScanOptions::default())
    });
    assert_eq!(small.len().unwrap(), 10);
}
