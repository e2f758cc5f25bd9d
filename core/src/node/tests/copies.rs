//! A copied data directory, used beside the one that it was copied from.

use super::durable::{Dir, config, copy_tree};
use super::guarantees::{eventually, next, node, options};
use super::*;
use crate::Node;
use crate::net::NetPeer;

const LONG: Duration = Duration::from_secs(20);

/// A node on that directory, with a map that is kept and one of who is there.
fn kept(dir: &Dir, bootstrap: &[&Node]) -> (Node, Map, Map) {
    let addrs: Vec<_> = bootstrap.iter().map(|node| node.addrs().swap_remove(0)).collect();
    let mut config = config(dir, "sync");
    config.set("bootstrap", &addrs.join(",")).unwrap().set("peer_timeout_ms", "1000").unwrap();
    let node = Node::open(config).unwrap();
    let (kept, here) = (node.map("kept", MapOptions::new()).unwrap(), here(&node));
    (node, kept, here)
}

fn here(node: &Node) -> Map {
    node.map("here", options(&[("presence", "true"), ("durability", "none")])).unwrap()
}

/// Everything that needs the others, or would be for them.
fn refusals(node: &Node, map: &Map, third: &Node) -> Vec<crate::Error> {
    let stamp = map.entry("a").unwrap().unwrap().stamp();
    let mut batch = Batch::new();
    batch.put("x", "1");
    vec![
        map.put("x", "1").unwrap_err(),
        map.put_ttl("x", "1", None).unwrap_err(),
        map.deferred().put("x", "1").unwrap_err(),
        map.remove("a").unwrap_err(),
        map.remove_prefix("a").unwrap_err(),
        map.apply(&batch).unwrap_err(),
        map.sync(LONG).unwrap_err(),
        map.wait_replicated(&stamp, 1, LONG).unwrap_err(),
        node.connect(&third.addrs()[0], LONG).unwrap_err(),
    ]
}

#[test]
fn g7_a_copy_of_a_data_directory_is_refused_and_the_node_that_it_was_taken_from_goes_on() {
    let (dir, copy) = (Dir::new(), Dir::new());
    let (first, kept_first, here_first) = kept(&dir, &[]);
    let third = node(&[&first]);
    let (kept_third, here_third) = (third.map("kept", MapOptions::new()).unwrap(), here(&third));
    kept_first.put("a", "1").unwrap();
    here_first.put("first", "here").unwrap();
    eventually("both arrive", || kept_third.contains("a").unwrap() && here_third.contains("first").unwrap());
    copy_tree(dir.path(), copy.path());
    let watch = here_third.watch(SubscribeOptions::default()).unwrap();
    let links = |node: &Node| -> Vec<NetPeer> { node.network().peers() };
    let link = links(&third).swap_remove(0).addr;

    let (second, kept_second, _) = kept(&copy, &[&third]);
    eventually("it is told", || second.status().unwrap().identity_error.is_some());
    let file = copy.path().join("identity");
    for error in refusals(&second, &kept_second, &third) {
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
        assert_eq!(second.status().unwrap().identity_error.as_deref(), Some(error.message()));
        for word in [first.id().to_string(), copy.path().display().to_string(), file.display().to_string()] {
            assert!(error.message().contains(&word), "{error}");
        }
    }
    assert_eq!(kept_second.get("a").unwrap().as_deref(), Some(&b"1"[..]), "reads go on");
    assert!(second.addrs().is_empty() && second.peers().unwrap().is_empty());

    assert_eq!(first.status().unwrap().identity_error, None);
    let stamp = kept_first.put("b", "2").unwrap();
    assert_eq!(kept_first.wait_replicated(&stamp, 1, LONG).unwrap(), [third.id().clone()]);
    here_first.put("later", "still here").unwrap();
    assert_eq!(next(&watch).1, "later", "nobody went in between");
    let peers = links(&third);
    assert_eq!((peers.len(), &peers[0].id, &*peers[0].addr, third.status().unwrap().members), (1, first.id(), &*link, 1));

    second.close();
    std::fs::remove_file(file).unwrap();
    let (second, kept_second, _) = kept(&copy, &[&third]);
    assert_ne!(second.id(), first.id());
    assert!(kept_second.contains("a").unwrap(), "what it was copied with");
    kept_second.put("c", "3").unwrap();
    let digest = |map: &Map| map.status().unwrap().digest;
    eventually("all have all", || {
        let all = [&kept_first, &kept_second, &kept_third];
        all.iter().all(|map| map.len().unwrap() == 3 && digest(map) == digest(&kept_first))
    });
    eventually("all know each other", || [&first, &second, &third].iter().all(|node| links(node).len() == 2));
}
