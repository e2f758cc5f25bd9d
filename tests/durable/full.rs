//! Disks without room.

use super::notes::Notes;
use super::place::{Mounted, Place};
use super::process::{Place as Where, TestNode};
use super::{peer, until_equal};

#[test]
fn g7_a_disk_that_fills_up_under_load_costs_nothing_that_was_acknowledged() {
    let Some(disk) = Mounted::new(8) else { return };
    let ballast = disk.place().path().join("ballast");
    std::fs::write(&ballast, vec![1; 5_000_000]).expect("room");
    let place = Place::new();
    let notes = Notes::new(&place, 8);
    let mut peer = peer();
    let (bootstrap, data) = (peer.as_bootstrap(), disk.place().as_data_dir("data"));
    let options = [&*bootstrap, &*data, "durability=sync"];
    let mut node = TestNode::start(Where::Loopback, &options);
    node.tell("putmany before/ 20");
    until_equal(&mut node, &mut peer);
    notes.hammer(&mut node);

    let refused = node.ask("putmany fill/ 1000 8000");
    assert!(refused.starts_with("error STORAGE ") && refused.contains("free some space"), "{refused}");
    assert!(refused.contains(&data["data_dir=".len()..]), "{refused}");
    for write in ["put later 1", "remove before/000001", "flush"] {
        assert_eq!(node.ask(write), refused, "every later write says what ended them");
    }
    assert!(node.tell("disk").contains("free some space"), "the status says so");
    assert_eq!(node.tell("get before/000001"), "value of before/1", "reads go on");
    assert_eq!(peer.tell("get before/000001"), "value of before/1");
    assert_eq!(peer.tell("get later"), "none", "what is not on disk does not leave");
    assert!(notes.total() > 0);
    node.kill();

    std::fs::remove_file(ballast).expect("removed");
    let mut node = TestNode::start(Where::Loopback, &options);
    notes.check(&mut node, "after reopening");
    assert_eq!(node.tell("disk"), "works");
    assert_eq!(node.tell("get before/000001"), "value of before/1");
    node.tell("putmany after/ 20");
    until_equal(&mut node, &mut peer);
    notes.check(&mut peer, "at the peer");
}

#[test]
fn a_map_that_may_go_on_in_memory_does_so_on_a_full_disk() {
    let Some(disk) = Mounted::new(2) else { return };
    let mut peer = peer();
    let (bootstrap, data) = (peer.as_bootstrap(), disk.place().as_data_dir("data"));
    let mut node = TestNode::start(Where::Loopback, &[&bootstrap, &data, "durability=sync", "on_storage_error=memory"]);
    node.tell("putmany fill/ 400 8000");
    assert!(node.tell("disk").contains("free some space"), "it says so");
    assert_eq!(node.tell("get fill/000399").trim_end(), "value of fill/399");
    until_equal(&mut node, &mut peer);
    assert_eq!(peer.status().0, 401);
}
