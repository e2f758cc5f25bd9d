//! Who a node is, and who it wants nothing to do with.

use std::os::unix::fs::PermissionsExt;

use super::durable::{Dir, config};
use super::guarantees::{eventually, node};
use super::*;
use crate::{Node, generate_identity};

fn with_identity(path: &Path) -> crate::Result<Node> {
    let mut config = Config::new();
    config.set("identity_file", path.to_str().unwrap()).unwrap();
    Node::open(config)
}

#[test]
fn a_generated_identity_is_whoever_opens_a_node_with_it() {
    let dir = Dir::new();
    std::fs::create_dir(dir.path()).unwrap();
    let path = dir.path().join("key");
    let id = generate_identity(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for _ in 0..2 {
        assert_eq!(*with_identity(&path).unwrap().id(), id);
    }
    // Also beside a data directory, which may hold another.
    let kept = dir.path().join("data");
    let mut both = config(&dir, "sync");
    both.set("data_dir", kept.to_str().unwrap()).unwrap();
    assert_ne!(*Node::open(both.clone()).unwrap().id(), id);
    both.set("identity_file", path.to_str().unwrap()).unwrap();
    assert_eq!(*Node::open(both).unwrap().id(), id);
}

#[test]
fn an_identity_that_is_missing_damaged_open_to_others_or_in_the_way_is_refused() {
    let dir = Dir::new();
    std::fs::create_dir(dir.path()).unwrap();
    let path = dir.path().join("key");
    let error = with_identity(&path).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidConfig && error.message().contains("generate_identity"), "{error}");
    generate_identity(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(generate_identity(&path).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(std::fs::read(&path).unwrap(), whole, "as it was");
    assert_eq!(generate_identity(dir.path().join("no/key")).unwrap_err().kind(), ErrorKind::Storage);

    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    let error = with_identity(&path).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidConfig && error.message().contains("chmod 600"), "{error}");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    for damaged in [&whole[..20], &whole[..whole.len() - 1], &[], &[&whole[..], &[0]].concat()] {
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(with_identity(&path).unwrap_err().kind(), ErrorKind::Corrupted);
    }
}

#[test]
fn who_is_banned_leaves_and_what_it_wrote_stays() {
    let first = node(&[]);
    let second = node(&[&first]);
    let (one, two) = (first.map("m", MapOptions::new()).unwrap(), second.map("m", MapOptions::new()).unwrap());
    two.put("k", "v").unwrap();
    eventually("it came", || one.contains("k").unwrap());
    first.ban(second.id()).unwrap();
    eventually("it is out", || first.peers().unwrap().is_empty() && second.peers().unwrap().is_empty());
    eventually("it is told why", || second.status().unwrap().admission_error.is_some_and(|why| why.contains("banned by")));
    two.put("later", "v").unwrap();
    assert_eq!(keys(&one, ScanOptions::default()), ["k"]);
    assert_eq!(first.banned().unwrap(), [second.id().clone()]);
    assert_eq!(first.ban(first.id()).unwrap_err().kind(), ErrorKind::InvalidArgument);
}
