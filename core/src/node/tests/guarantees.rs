//! What time and peers do to a map: expiry, forgetting, presence, waiting for others, slow subscribers.

use std::collections::HashMap;
use std::sync::mpsc::{channel, sync_channel};
use std::time::{Duration, Instant};

use super::*;
use crate::{Node, PeerId};

const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until that holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn options(set: &[(&str, &str)]) -> MapOptions {
    let mut options = MapOptions::new();
    for (name, value) in set {
        options.set(name, value).unwrap();
    }
    options
}

/// A node that joins through those.
pub fn node(bootstrap: &[&Node]) -> Node {
    let mut config = Config::new();
    let addrs: Vec<_> = bootstrap.iter().map(|node| node.addrs().swap_remove(0)).collect();
    config.set("bootstrap", &addrs.join(",")).unwrap().set("peer_timeout_ms", "1000").unwrap();
    Node::open(config).unwrap()
}

/// The same map on so many nodes that know each other.
fn cluster(size: usize, set: &[(&str, &str)]) -> Vec<Map> {
    let first = node(&[]);
    let others = (1..size).map(|_| node(&[&first]));
    let nodes: Vec<_> = std::iter::once(first.clone()).chain(others).collect();
    let maps: Vec<_> = nodes.iter().map(|node| node.map("m", options(set)).unwrap()).collect();
    eventually("everyone has met", || maps.iter().all(|map| map.status().unwrap().peers.len() == size - 1));
    maps
}

pub fn next(watch: &Watch) -> (&'static str, String, Option<Vec<u8>>) {
    let event = watch.recv(1, Some(PATIENCE)).pop().expect("an event in time");
    (event.kind().name(), event.key().escape_ascii().to_string(), event.old_value().map(|old| old.to_vec()))
}

#[test]
fn an_entry_expires_by_itself_and_says_so() {
    let map = map();
    let watch = map.watch(SubscribeOptions::default()).unwrap();
    let before = clock::now_ms();
    map.put_ttl("k", "v", Some(Duration::from_millis(80))).unwrap();
    let expires = map.entry("k").unwrap().map(|entry| entry.expires_at_ms());
    assert!(expires.is_none_or(|at| at.is_some_and(|at| at >= before + 80)));
    assert_eq!(next(&watch).0, "put");
    assert_eq!(next(&watch), ("expire", "k".into(), Some(b"v".to_vec())));
    assert!(clock::now_ms() >= before + 80, "not before its time");
    assert!(map.get("k").unwrap().is_none() && !map.contains("k").unwrap());
    assert_eq!((map.len().unwrap(), map.status().unwrap().tombstones), (0, 1));
}

#[test]
fn a_put_renews_and_never_is_longer_than_the_default() {
    let map = node(&[]).map("m", options(&[("default_ttl_ms", "200")])).unwrap();
    let watch = map.watch(SubscribeOptions::default()).unwrap();
    map.put("default", "").unwrap();
    map.put_ttl("never", "", None).unwrap();
    map.put_ttl("renewed", "1", Some(Duration::from_millis(100))).unwrap();
    map.put_ttl("renewed", "2", Some(Duration::from_secs(3_600))).unwrap();
    let kinds: Vec<_> = (0..5).map(|_| next(&watch)).map(|(kind, key, _)| (kind, key)).collect();
    assert_eq!(kinds[4], ("expire", "default".to_owned()), "{kinds:?}");
    assert!(map.entry("never").unwrap().unwrap().expires_at_ms().is_none());
    assert_eq!(map.get("renewed").unwrap().as_deref(), Some(&b"2"[..]));
    let mut batch = Batch::new();
    batch.put_ttl("soon", "", Some(Duration::from_millis(1))).put("default", "");
    map.apply(&batch).unwrap();
    eventually("both have expired", || map.status().unwrap().tombstones == 2);
}

#[test]
fn a_time_to_live_of_nothing_or_for_ever_is_refused() {
    let map = map();
    for ttl in [Duration::ZERO, Duration::from_secs(u64::MAX)] {
        assert_eq!(map.put_ttl("k", "v", Some(ttl)).unwrap_err().kind(), ErrorKind::InvalidArgument);
        let mut batch = Batch::new();
        batch.put("other", "").put_ttl("k", "v", Some(ttl));
        assert_eq!(map.apply(&batch).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    assert!(map.is_empty().unwrap());
    map.put_ttl("k", "v", Some(Duration::from_nanos(1))).unwrap();
}

#[test]
fn g1_an_entry_expires_on_every_node_and_leaves_them_equal() {
    let maps = cluster(3, &[]);
    let watches: Vec<_> = maps.iter().map(|map| map.watch(SubscribeOptions::default()).unwrap()).collect();
    maps[0].put_ttl("k", "v", Some(Duration::from_millis(300))).unwrap();
    for watch in &watches {
        assert_eq!(next(watch).0, "put");
        assert_eq!(next(watch), ("expire", "k".into(), Some(b"v".to_vec())));
    }
    eventually("equal", || maps.iter().all(|map| map.status().unwrap().digest == maps[0].status().unwrap().digest));
}

#[test]
fn g3_a_removal_is_forgotten_everywhere_and_nothing_comes_back() {
    let maps = cluster(3, &[("tombstone_ttl_ms", "1000"), ("scan_ms", "10")]);
    for (at, map) in maps.iter().enumerate() {
        map.put(format!("k{at}"), "v").unwrap();
    }
    eventually("all there", || maps.iter().all(|map| map.len().unwrap() == 3));
    for at in 0..3 {
        assert!(maps[(at + 1) % 3].remove(format!("k{at}")).unwrap());
    }
    let forgotten = |map: &Map| map.status().is_ok_and(|status| (status.live, status.tombstones, status.bytes) == (0, 0, 0));
    eventually("forgotten", || maps.iter().all(forgotten));
    assert!(maps.iter().all(|map| map.status().unwrap().forgotten == 3));
    let late = node(&[&maps[1].node()]).map("m", options(&[])).unwrap();
    eventually("joined", || late.status().unwrap().digest == maps[0].status().unwrap().digest);
    assert!(late.is_empty().unwrap());
}

#[test]
fn presence_hides_what_a_closed_map_wrote_and_shows_it_when_it_is_back() {
    let set = [("presence", "true")];
    let maps = cluster(3, &set);
    let watch = maps[2].watch(SubscribeOptions::default()).unwrap();
    maps[0].put("worker/0", "here").unwrap();
    maps[1].put("worker/1", "here").unwrap();
    let mut put: Vec<_> = (0..2).map(|_| next(&watch)).map(|(kind, key, _)| (kind, key)).collect();
    put.sort();
    assert_eq!(put, [("put", "worker/0".to_owned()), ("put", "worker/1".to_owned())]);
    let node = maps[0].node();
    maps[0].close();
    assert_eq!(next(&watch), ("prune", "worker/0".into(), Some(b"here".to_vec())));
    let status = maps[2].status().unwrap();
    assert_eq!((status.live, status.hidden), (1, 1));
    assert!(maps[2].get("worker/0").unwrap().is_none());
    let again = node.map("m", options(&set)).unwrap();
    assert_eq!(next(&watch), ("put", "worker/0".into(), None));
    eventually("its own copy has it, too", || again.contains("worker/0").unwrap());
    eventually("nobody is hidden", || maps[2].status().unwrap().hidden == 0);
}

#[test]
fn presence_a_node_that_joins_late_sees_who_is_there() {
    let maps = cluster(2, &[("presence", "true")]);
    maps[0].put("worker/0", "here").unwrap();
    eventually("told", || maps[1].contains("worker/0").unwrap());
    let late = node(&[&maps[1].node()]).map("m", options(&[("presence", "true")])).unwrap();
    eventually("shown", || late.contains("worker/0").unwrap());
}

#[test]
fn waiting_until_others_hold_a_write() {
    let maps = cluster(3, &[]);
    let stamp = maps[0].put("k", "v").unwrap();
    let mut holders = maps[0].wait_replicated(&stamp, 2, PATIENCE).unwrap();
    holders.sort();
    let mut others: Vec<PeerId> = maps[1..].iter().map(|map| map.node().id().clone()).collect();
    others.sort();
    assert_eq!(holders, others);
    assert!(maps[1..].iter().all(|map| map.contains("k").unwrap()));
    assert_eq!(maps[0].wait_replicated(&stamp, 0, PATIENCE).unwrap(), []);
    let late = maps[0].wait_replicated(&stamp, 3, Duration::from_millis(50)).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout);
    assert!(late.message().contains("2 of 3"), "{late}");
    let foreign = crate::Stamp::new(stamp.timestamp() + 1, stamp.epoch(), stamp.author().clone());
    assert_eq!(maps[0].wait_replicated(&foreign, 1, PATIENCE).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_batch_is_told_in_one_piece_on_the_other_node() {
    let maps = cluster(2, &[]);
    let (told, hear) = channel();
    let _subscription =
        maps[1].subscribe(SubscribeOptions::default(), move |events| told.send(events.len()).unwrap_or_default()).unwrap();
    let mut batch = Batch::new();
    (0..200).for_each(|at| {
        batch.put(format!("{at}"), "v");
    });
    maps[0].apply(&batch).unwrap();
    assert_eq!(hear.recv_timeout(PATIENCE).unwrap(), 200);
    assert_eq!(maps[0].remove_prefix("1").unwrap(), 111);
    assert_eq!(hear.recv_timeout(PATIENCE).unwrap(), 111);
}

#[test]
fn status_says_how_each_peer_compares() {
    let maps = cluster(2, &[]);
    maps[0].put("k", "v").unwrap();
    eventually("equal, and known to be", || {
        maps[0].sync(PATIENCE).unwrap();
        let status = maps[0].status().unwrap();
        let peer = &status.peers[0];
        peer.connected && peer.in_sync == Some(true) && peer.behind == Some(0)
    });
    let status = maps[0].status().unwrap();
    let drift = status.peers[0].drift_ms.expect("clocks were compared");
    assert!(drift.abs() < 5_000, "the same clock: {drift}");
    assert_eq!((status.origins, status.self_checks, status.peers[0].ahead_entries), (1, 0, 0));
    assert!(!status.peers[0].holds_up_forgetting && status.clock_ahead_ms < 5_000);
    let node = maps[0].node().status().unwrap();
    assert!(!node.clock_suspect && node.clock_drift_ms.is_some() && node.peers[0].drift_ms.is_some());
}

#[test]
fn g11_a_million_writes_pass_a_callback_that_sleeps_in_a_hundred_events() {
    let map = map();
    let (entered, inside) = sync_channel(1);
    let (release, wait) = sync_channel::<()>(0);
    let (told, hear) = channel();
    let _subscription = map
        .subscribe(SubscribeOptions::default(), move |events| {
            let _ = entered.try_send(());
            let _ = wait.recv();
            for event in events {
                told.send((event.key().to_vec(), event.value().map(|value| value.to_vec()))).unwrap_or_default();
            }
        })
        .unwrap();
    map.put("first", "").unwrap();
    inside.recv_timeout(PATIENCE).expect("the callback is called, and sleeps");
    for at in 0..1_000_000u32 {
        map.put((at % 100).to_be_bytes(), at.to_be_bytes()).unwrap();
    }
    map.put("last", "").unwrap();
    drop(release);
    let (mut count, mut newest) = (0, HashMap::new());
    while !newest.contains_key(&b"last"[..]) {
        let (key, value) = hear.recv_timeout(PATIENCE).expect("an event in time");
        newest.insert(key, value);
        count += 1;
    }
    assert!(count <= 2_000, "{count} events waited, for a hundred keys");
    for key in 0..100u32 {
        assert_eq!(newest[&key.to_be_bytes()[..]].as_deref(), Some(&(999_900 + key).to_be_bytes()[..]));
    }
}
