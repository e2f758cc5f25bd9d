//! The shell on one node: what needs no peer.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

mod copies;
mod disk_fails;
mod dump;
mod durable;
mod guarantees;
mod identity;
mod room;
mod signed;
mod trust;

use super::*;
use crate::{Config, ErrorKind, MapOptions};

fn map() -> Map {
    open("test", Config::new()).expect("a map opens")
}

fn keys(map: &Map, options: ScanOptions) -> Vec<String> {
    map.scan(options).unwrap().map(|entry| String::from_utf8(entry.key().to_vec()).unwrap()).collect()
}

fn kinds(events: &[Event]) -> Vec<(&'static str, String)> {
    events.iter().map(|event| (event.kind().name(), event.key().escape_ascii().to_string())).collect()
}

#[test]
fn what_was_put_is_read_until_it_is_removed() {
    let map = map();
    let stamp = map.put("k", "v").unwrap();
    assert_eq!(map.get("k").unwrap().as_deref(), Some(&b"v"[..]));
    assert_eq!(map.entry("k").unwrap().unwrap().stamp(), stamp);
    assert_eq!(stamp.author(), map.node().id());
    assert!(map.remove("k").unwrap());
    assert!(!map.remove("k").unwrap());
    assert!(map.get("k").unwrap().is_none());
    assert_eq!((map.len().unwrap(), map.status().unwrap().tombstones), (0, 1));
}

#[test]
fn empty_keys_and_values_and_nul_bytes_are_values_like_any() {
    let map = map();
    map.put("", "").unwrap();
    map.put("a\0b", "\0").unwrap();
    assert_eq!(map.get("").unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(map.get("a\0b").unwrap().as_deref(), Some(&b"\0"[..]));
    assert_eq!(map.len().unwrap(), 2);
}

#[test]
fn a_value_outlives_its_key_and_its_map() {
    let map = map();
    map.put("k", "first").unwrap();
    let value = map.get("k").unwrap().unwrap();
    map.put("k", "second").unwrap();
    map.close();
    assert_eq!(&*value, b"first");
    assert_eq!(map.get("k").unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn a_scan_honours_bounds_limit_and_direction() {
    let map = map();
    for at in 0..100 {
        map.put(format!("a{at:02}"), "").unwrap();
        map.put(format!("b{at:02}"), "").unwrap();
    }
    let prefix = ScanOptions { prefix: b"b".to_vec(), limit: Some(2), ..Default::default() };
    assert_eq!(keys(&map, prefix.clone()), ["b00", "b01"]);
    assert_eq!(keys(&map, ScanOptions { reverse: true, ..prefix }), ["b99", "b98"]);
    let range = ScanOptions { start: Some(b"a98".to_vec()), end: Some(b"b01".to_vec()), ..Default::default() };
    assert_eq!(keys(&map, range.clone()), ["a98", "a99", "b00"]);
    assert_eq!(keys(&map, ScanOptions { reverse: true, ..range.clone() }), ["b00", "a99", "a98"]);
    assert_eq!(keys(&map, ScanOptions { prefix: b"b".to_vec(), ..range }), ["b00"]);
    let empty = ScanOptions { start: Some(b"x".to_vec()), end: Some(b"b".to_vec()), ..Default::default() };
    assert!(keys(&map, empty).is_empty());
    assert_eq!(keys(&map, ScanOptions::default()).len(), 200);
    assert_eq!(keys(&map, ScanOptions { reverse: true, ..Default::default() }).len(), 200);
}

#[test]
fn a_scan_that_writers_disturb_sees_every_standing_key_once_and_in_order() {
    let map = map();
    for at in 0..2_000 {
        map.put(format!("stay{at:05}"), "").unwrap();
    }
    let (stop, stopped) = channel::<()>();
    let writer = map.clone();
    let writing = std::thread::spawn(move || {
        let mut at = 0u64;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            writer.put(format!("stay{:05}x{}", at * 7_919 % 2_000, at % 10_000), "").unwrap();
            writer.put(format!("stay{:05}", at % 2_000), at.to_string()).unwrap();
            at += 1;
        }
    });
    for round in 0..50 {
        let seen = keys(&map, ScanOptions { reverse: round % 2 == 1, ..Default::default() });
        let in_order = |pair: &[String]| if round % 2 == 1 { pair[0] > pair[1] } else { pair[0] < pair[1] };
        assert!(seen.windows(2).all(in_order));
        assert_eq!(seen.iter().filter(|key| key.len() == 9).count(), 2_000);
    }
    drop(stop);
    writing.join().unwrap();
}

#[test]
fn a_batch_is_applied_whole_or_not_at_all() {
    let map = open("test", {
        let mut config = Config::new();
        config.set("validator", "utf8").unwrap();
        config
    })
    .unwrap();
    map.put("old", "1").unwrap();
    let mut batch = Batch::new();
    batch.put("a", "1").put("a", "2").remove("old").remove("absent");
    let before = map.status().unwrap().digest;
    let mut refused = batch.clone();
    refused.put("b", [0xff]);
    assert_eq!(map.apply(&refused).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(map.status().unwrap().digest, before);
    assert!(map.apply(&batch).unwrap().is_some());
    assert_eq!((map.get("a").unwrap().as_deref(), map.contains("old").unwrap()), (Some(&b"2"[..]), false));
    assert_eq!(map.apply(&Batch::new()).unwrap(), None);
}

#[test]
fn limits_are_typed_errors_that_name_the_option() {
    let mut config = Config::new();
    config.set("max_key_bytes", "4").unwrap().set("max_value_bytes", "4").unwrap().set("max_entries", "2").unwrap();
    let map = open("test", config).unwrap();
    let refused = |result: crate::Result<crate::Stamp>, kind: ErrorKind, option: &str| {
        let error = result.unwrap_err();
        assert!(error.kind() == kind && error.message().contains(option), "{error}");
    };
    refused(map.put("12345", ""), ErrorKind::TooLarge, "max_key_bytes");
    refused(map.put("1", "12345"), ErrorKind::TooLarge, "max_value_bytes");
    map.put("1", "").unwrap();
    map.put("2", "").unwrap();
    refused(map.put("3", ""), ErrorKind::Full, "max_entries");
    map.put("2", "over").unwrap();
    map.remove("1").unwrap();
    map.put("3", "").unwrap();
}

#[test]
fn events_tell_changes_of_the_view_and_nothing_else() {
    let map = map();
    let watch = map.watch(SubscribeOptions { prefix: b"k".to_vec(), snapshot: false }).unwrap();
    map.put("k", "1").unwrap();
    map.put("other", "1").unwrap();
    map.put("k", "1").unwrap();
    map.put("k", "2").unwrap();
    map.remove("absent").unwrap();
    map.remove("k").unwrap();
    let events = watch.recv(10, Some(Duration::from_secs(10)));
    assert_eq!(kinds(&events), [("put", "k".into()), ("put", "k".into()), ("remove", "k".into())]);
    assert_eq!(events[1].old_value().map(|value| value.to_vec()), Some(b"1".to_vec()));
    assert!(events[2].value().is_none() && events[2].is_local());
    assert_eq!(events[2].old_value().map(|value| value.to_vec()), Some(b"2".to_vec()));
}

#[test]
fn a_snapshot_ends_with_synced_and_goes_on_with_changes() {
    let map = map();
    map.put("a", "1").unwrap();
    map.put("b", "1").unwrap();
    let watch = map.watch(SubscribeOptions { snapshot: true, ..Default::default() }).unwrap();
    map.put("a", "2").unwrap();
    let told = kinds(&watch.recv(10, Some(Duration::from_secs(10))));
    assert_eq!(told, [("put", "a".into()), ("put", "b".into()), ("synced", "".into()), ("put", "a".into())]);
}

#[test]
fn g11_changes_that_wait_are_conflated_and_end_at_the_newest_state() {
    let map = map();
    let watch = map.watch(SubscribeOptions::default()).unwrap();
    for at in 0..100_000 {
        map.put(format!("k{}", at % 100), at.to_string()).unwrap();
    }
    map.put("gone", "soon").unwrap();
    map.remove("gone").unwrap();
    let events = watch.recv(usize::MAX, Some(Duration::ZERO));
    assert_eq!(events.len(), 100, "one event for each key that waits");
    for event in &events {
        assert_eq!(event.value().map(|value| value.to_vec()), map.get(event.key()).unwrap().map(|value| value.to_vec()));
        assert!(event.old_value().is_none(), "nothing had been told of it before");
    }
}

#[test]
fn g11_a_callback_that_never_returns_delays_no_writer() {
    let map = map();
    let (release, held) = channel::<()>();
    let (entered, enter) = channel();
    let subscription = map
        .subscribe(SubscribeOptions::default(), move |_| {
            let _ = entered.send(());
            let _ = held.recv();
        })
        .unwrap();
    map.put("k", "0").unwrap();
    enter.recv().unwrap();
    for at in 0..10_000 {
        map.put("k", at.to_string()).unwrap();
    }
    drop(release);
    subscription.unsubscribe();
}

#[test]
fn after_unsubscribe_no_callback_runs_and_the_callback_is_dropped() {
    let map = map();
    let (told, tell) = channel();
    let subscription = map.subscribe(SubscribeOptions::default(), move |events| told.send(events.len()).unwrap()).unwrap();
    map.put("k", "1").unwrap();
    assert_eq!(tell.recv().unwrap(), 1);
    subscription.unsubscribe();
    map.put("k", "2").unwrap();
    assert!(tell.recv().is_err(), "the sender went with the callback");
    assert!(!subscription.is_active());
}

#[test]
fn a_callback_may_unsubscribe_itself_write_and_close() {
    let map = map();
    let (told, tell) = channel();
    let slot = std::sync::Arc::new(parking_lot::Mutex::new(None::<Subscription>));
    let (own, inner) = (slot.clone(), map.clone());
    let subscription = map
        .subscribe(SubscribeOptions::default(), move |_| {
            inner.put("from the callback", "1").unwrap();
            own.lock().as_ref().unwrap().unsubscribe();
            inner.close();
            told.send(()).unwrap();
        })
        .unwrap();
    let mut held = slot.lock();
    map.put("k", "1").unwrap();
    *held = Some(subscription);
    drop(held);
    tell.recv().unwrap();
    assert!(map.is_closed());
}

#[test]
fn the_same_name_gives_the_same_map_and_other_options_are_refused() {
    let node = Node::open(Config::new()).unwrap();
    let first = node.map("m", MapOptions::new()).unwrap();
    first.put("k", "v").unwrap();
    assert!(node.map("m", MapOptions::new()).unwrap().contains("k").unwrap());
    let mut other = MapOptions::new();
    other.set("max_value_bytes", "7").unwrap();
    assert_eq!(node.map("m", other.clone()).unwrap_err().kind(), ErrorKind::InvalidConfig);
    first.close();
    assert!(node.map("m", other).unwrap().is_empty().unwrap());
    assert_eq!(node.maps().unwrap(), ["m"]);
    node.close();
    assert_eq!(node.map("m", MapOptions::new()).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn declared_maps_open_with_the_node() {
    let mut config = Config::new();
    config.set_toml("[maps.plain]\n[maps.checked]\nvalidator = 'json'").unwrap();
    let node = Node::open(config).unwrap();
    assert_eq!(node.maps().unwrap(), ["checked", "plain"]);
    let checked = node.map("checked", MapOptions::new()).unwrap();
    let error = checked.put("k", "{secret").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert!(!error.message().contains("secret"), "an error never holds a value: {error}");
}

#[test]
fn a_watch_wakes_when_its_map_closes() {
    let map = map();
    let watch = map.watch(SubscribeOptions::default()).unwrap();
    let waiting = std::thread::spawn(move || watch.recv(1, None).len());
    map.close();
    assert_eq!(waiting.join().unwrap(), 0);
}

fn joined(to: &Map) -> Map {
    let mut config = Config::new();
    config.set("bootstrap", &to.node().addrs()[0]).unwrap();
    open("test", config).unwrap()
}

/// The next event of that key, whatever comes before it.
fn next_of(watch: &Watch, key: &str) -> Event {
    loop {
        let events = watch.recv(1, Some(Duration::from_secs(20)));
        assert!(!events.is_empty(), "no event for {key} within 20 s");
        if events[0].key() == key.as_bytes() {
            return events[0].clone();
        }
    }
}

#[test]
fn a_write_on_one_node_is_an_event_on_the_other() {
    let first = map();
    first.put("before", "1").unwrap();
    let second = joined(&first);
    let watch = second.watch(SubscribeOptions { snapshot: true, ..Default::default() }).unwrap();
    let event = next_of(&watch, "before");
    assert_eq!((event.is_local(), event.author().as_ref()), (false, Some(first.node().id())));
    first.put("live", "2").unwrap();
    assert_eq!(next_of(&watch, "live").value().map(|value| value.to_vec()), Some(b"2".to_vec()));
    second.remove("before").unwrap();
    first.sync(Duration::from_secs(20)).unwrap();
    assert!(!first.contains("before").unwrap());
    assert_eq!(first.status().unwrap().digest, second.status().unwrap().digest);
}

#[test]
fn a_validator_function_refuses_what_peers_send() {
    let first = map();
    let second = {
        let mut config = Config::new();
        config.set("bootstrap", &first.node().addrs()[0]).unwrap();
        config.validator(std::sync::Arc::new(|_, value| if value == b"bad" { Err("bad".into()) } else { Ok(()) }));
        open("test", config).unwrap()
    };
    let watch = second.watch(SubscribeOptions::default()).unwrap();
    assert_eq!(second.put("k", "bad").unwrap_err().kind(), ErrorKind::InvalidValue);
    first.put("k", "bad").unwrap();
    first.put("sentinel", "good").unwrap();
    next_of(&watch, "sentinel");
    assert!(!second.contains("k").unwrap());
    assert!(second.status().unwrap().refused_entries > 0);
    first.put("k", "good").unwrap();
    next_of(&watch, "k");
}
