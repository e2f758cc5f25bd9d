//! Processes with one identity: a copied data directory, and a node that is started again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Place, TestNode};
use crate::together;
use crate::waiting::{LONG, until};

/// A directory of its own, gone when it is dropped.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("p2pmap-copies-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn start(data: &Path, others: &[&TestNode]) -> TestNode {
    let data = format!("data_dir={}", data.display());
    let addrs: Vec<&str> = others.iter().map(|node| node.addrs[0].as_str()).collect();
    let bootstrap = format!("bootstrap={}", addrs.join(","));
    TestNode::start(Place::Loopback, &[&data, &bootstrap])
}

/// The identity is all that is copied.
fn copy_identity(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    std::fs::copy(from.join("identity"), to.join("identity")).expect("a copy");
}

fn has(node: &mut TestNode, key: &str, value: &str) -> Result<(), String> {
    let found = node.tell(&format!("get {key}"));
    if found == value { Ok(()) } else { Err(format!("{key} is {found}")) }
}

/// A write of one arrives at the other.
fn reaches(from: &mut TestNode, to: &mut TestNode, key: &str) {
    from.tell(&format!("put {key} 1"));
    until("there", LONG, || has(to, key, "1"));
}

#[test]
fn g7_a_node_that_is_killed_and_started_again_is_no_copy() {
    let _together = together();
    let directory = Directory::new("killed");
    let mut third = TestNode::start(Place::Loopback, &[]);
    let mut node = start(&directory.at("node"), &[&third]);
    for round in 0..5 {
        reaches(&mut node, &mut third, &format!("round{round}"));
        node.kill();
        node = start(&directory.at("node"), &[&third]);
    }
    reaches(&mut third, &mut node, "end");
    assert_eq!(third.peers().len(), 1);
}

#[test]
fn g7_who_was_opened_first_stays_also_when_it_had_stopped_for_a_while() {
    let _together = together();
    let directory = Directory::new("stopped");
    let mut third = TestNode::start(Place::Loopback, &[]);
    let mut first = start(&directory.at("first"), &[&third]);
    reaches(&mut first, &mut third, "before");
    first.freeze();
    copy_identity(&directory.at("first"), &directory.at("copy"));
    // Whether it is the first, started again, cannot be told while that is silent.
    let mut copy = start(&directory.at("copy"), &[&third]);
    assert_eq!(copy.id, first.id);
    let waited = until("in", 2 * LONG, || has(&mut copy, "before", "1"));
    println!("taken for a restart after {waited:?}");
    assert!(waited < Duration::from_secs(7), "sooner than its line is found to be dead");
    reaches(&mut copy, &mut third, "meanwhile");

    first.thaw();
    until("back", LONG, || has(&mut first, "meanwhile", "1"));
    until("refused", LONG, || {
        let answer = copy.ask("put late 1");
        if answer.starts_with("error LOCKED") { Ok(()) } else { Err(answer) }
    });
    assert_eq!(copy.tell("get before"), "1", "reads go on");
    reaches(&mut third, &mut first, "after");
    assert_eq!(third.peers(), [first.id.clone()]);
}
