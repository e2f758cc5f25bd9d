//! Directories that are removed under a running node, and such as may not be used.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::notes::Notes;
use super::place::Place;
use super::process::{Place as Where, TestNode};
use super::{peer, until_equal};

/// The user `nobody`.
const NOBODY: u32 = 65_534;

/// Removes a directory in which files are still being made.
fn remove(directory: &Path) {
    while directory.exists() {
        let _ = std::fs::remove_dir_all(directory);
    }
}

#[test]
fn g7_who_writes_to_a_directory_that_was_removed_is_told() {
    let place = Place::new();
    let notes = Notes::new(&place, 4);
    let mut peer = peer();
    let (bootstrap, data) = (peer.as_bootstrap(), place.as_data_dir("data"));
    let options = [&*bootstrap, &*data, "durability=sync"];
    let mut node = TestNode::start(Where::Loopback, &options);
    notes.hammer(&mut node);
    notes.await_more(100);
    let stamp = node.tell("put before 1");
    node.tell(&format!("await {stamp} 1 60000"));
    remove(&place.path().join("data"));
    // A file without a name would take it, and sync it.
    let refused = node.ask("put lost 1");
    assert!(refused.starts_with("error STORAGE ") && refused.contains("somebody removed it"), "{refused}");
    assert_eq!(node.tell("get before"), "1", "reads go on");
    assert!(node.tell("disk").contains("somebody removed it"), "the status says so");
    let id = node.id.clone();
    node.kill();

    // It is another node without its directory, and takes all from its peer.
    let mut node = TestNode::start(Where::Loopback, &options);
    assert_ne!(node.id, id);
    until_equal(&mut node, &mut peer);
    assert_eq!(node.tell("get before"), "1");
}

#[test]
fn a_directory_that_was_removed_is_noticed_without_a_write() {
    let place = Place::new();
    for durability in ["durability=sync", "durability=async"] {
        let mut node = TestNode::start(Where::Loopback, &[&place.as_data_dir("data"), durability]);
        node.tell("put before 1");
        node.tell("flush");
        assert_eq!(node.tell("disk"), "works");
        remove(&place.path().join("data"));
        assert!(node.tell("disk").contains("somebody removed it"), "whoever asks is told");
        let refused = node.ask("put lost 1");
        assert!(refused.starts_with("error STORAGE ") && refused.contains("somebody removed it"), "{refused}");
        assert_eq!(node.tell("get before"), "1");
    }
}

/// Every file and directory, with what is in it, but for the number of the process that was last there.
fn tree(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![path.to_owned()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(std::fs::read_dir(&path).expect("it is ours").map(|entry| entry.expect("an entry").path()));
        }
        found.insert(path.clone(), if path.is_dir() { Vec::new() } else { std::fs::read(&path).expect("it is ours") });
    }
    found.remove(&path.join("lock"));
    found
}

#[test]
fn what_may_not_be_used_is_named_and_left_as_it_is() {
    let place = Place::new();
    // Root may do everything, so for root somebody else tries, in a directory where everybody may make others.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let user = if is_root { Where::User(NOBODY) } else { Where::Loopback };
    let set_mode = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    set_mode(place.path(), 0o777);
    let data = place.path().join("data");
    let options = [&*place.as_data_dir("data"), "durability=sync"];
    let mut node = TestNode::start(user, &options);
    node.tell("put key value");
    node.tell("quit");
    drop(node);

    for name in ["", "lock", "identity", "map-services", "map-services/00000001.log"] {
        let path = data.join(name);
        let (before, mode) = (tree(&data), std::fs::metadata(&path).expect("it is there").permissions().mode());
        set_mode(&path, 0o000);
        let refused = TestNode::launch(user, &options).ready().err().unwrap_or_else(|| panic!("{name} is opened"));
        set_mode(&path, mode);
        assert!(refused.starts_with("error STORAGE "), "{name}: {refused}");
        assert!(refused.contains(path.to_str().expect("text").trim_end_matches('/')), "{name}: {refused}");
        assert!(refused.contains("let this user read and write there"), "{name}: {refused}");
        assert!(tree(&data) == before, "{name}: something was changed");
    }
    assert_eq!(TestNode::start(user, &options).tell("get key"), "value");
}
