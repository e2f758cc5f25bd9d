//! Random operations on live maps, held against a `BTreeMap`: a map is one, and its events tell the same story.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use p2pmap::{Batch, Config, EventKind, Map, MapOptions, Node, ScanOptions, SubscribeOptions, Watch};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

type Bytes = Vec<u8>;
type Model = BTreeMap<Bytes, Bytes>;

#[derive(Clone, Debug)]
enum Op {
    Put(Bytes, Bytes),
    Remove(Bytes),
    RemovePrefix(Bytes),
    Apply(Vec<(Bytes, Option<Bytes>)>),
    Scan(ScanOptions),
}

/// Few and short, so that they meet; with the bytes that bounds go wrong on.
fn key() -> impl Strategy<Value = Bytes> {
    vec(prop::sample::select(vec![0_u8, 1, b'a', b'b', 0xff]), 0..4)
}

fn value() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..20)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (key(), value()).prop_map(|(key, value)| Op::Put(key, value)),
        3 => key().prop_map(Op::Remove),
        1 => key().prop_map(Op::RemovePrefix),
        2 => vec((key(), option::of(value())), 0..5).prop_map(Op::Apply),
        3 => scan_options().prop_map(Op::Scan),
    ]
}

fn scan_options() -> impl Strategy<Value = ScanOptions> {
    (key(), option::of(key()), option::of(key()), option::of(0_usize..6), any::<bool>())
        .prop_map(|(prefix, start, end, limit, reverse)| ScanOptions { prefix, start, end, limit, reverse })
}

/// A map of its own, on a node that all cases share.
fn fresh_map(node: &Node) -> Map {
    static MAPS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("map{}", MAPS.fetch_add(1, Ordering::Relaxed));
    node.map(&name, MapOptions::new()).unwrap()
}

/// Does the same to the map and to the model; what they answer must be the same.
fn step(map: &Map, model: &mut Model, op: &Op) {
    match op {
        Op::Put(key, value) => {
            let stamp = map.put(key, value).unwrap();
            model.insert(key.clone(), value.clone());
            assert_eq!(map.entry(key).unwrap().unwrap().stamp(), stamp);
        }
        Op::Remove(key) => assert_eq!(map.remove(key).unwrap(), model.remove(key).is_some()),
        Op::RemovePrefix(prefix) => {
            let before = model.len();
            model.retain(|key, _| !key.starts_with(prefix));
            assert_eq!(map.remove_prefix(prefix).unwrap(), before - model.len());
        }
        Op::Apply(operations) => {
            let mut batch = Batch::new();
            for (key, value) in operations {
                match value {
                    Some(value) => batch.put(key, value),
                    None => batch.remove(key),
                };
                match value {
                    Some(value) => model.insert(key.clone(), value.clone()),
                    None => model.remove(key),
                };
            }
            map.apply(&batch).unwrap();
        }
        Op::Scan(options) => assert_eq!(scanned(map, options.clone()), expected(model, options)),
    }
}

fn scanned(map: &Map, options: ScanOptions) -> Vec<(Bytes, Bytes)> {
    let scan = map.scan(options).unwrap();
    scan.map(|entry| (entry.key().to_vec(), entry.value().to_vec())).collect()
}

fn expected(model: &Model, options: &ScanOptions) -> Vec<(Bytes, Bytes)> {
    let start = options.start.clone().unwrap_or_default();
    let above = model.range((Bound::Included(start), Bound::Unbounded));
    let within = above.filter(|(key, _)| key.starts_with(&options.prefix) && options.end.as_ref().is_none_or(|end| *key < end));
    let mut found: Vec<_> = within.map(|(key, value)| (key.clone(), value.clone())).collect();
    if options.reverse {
        found.reverse();
    }
    found.truncate(options.limit.unwrap_or(usize::MAX));
    found
}

/// What a map holds.
fn content(map: &Map) -> Model {
    scanned(map, ScanOptions::default()).into_iter().collect()
}

/// Follows a watch from its snapshot on, until it has told of `sentinel`. Each event must fit what was told before.
fn told(watch: &Watch, sentinel: &[u8]) -> Model {
    let mut told = Model::new();
    loop {
        let events = watch.recv(64, Some(Duration::from_secs(30)));
        assert!(!events.is_empty(), "the sentinel never came");
        for event in events {
            let key = event.key().to_vec();
            let old = event.old_value().map(|value| value.to_vec());
            match event.kind() {
                EventKind::Synced => continue,
                EventKind::Put => {
                    let value = event.value().expect("a put has a value").to_vec();
                    assert_eq!(told.insert(key, value), old, "the old value is what was told before");
                }
                EventKind::Remove => assert_eq!(told.remove(&key), old, "what is removed was there"),
                other => panic!("unexpected {other:?}"),
            }
            if event.key() == sentinel {
                return told;
            }
        }
    }
}

fn watch(map: &Map) -> Watch {
    map.watch(SubscribeOptions { snapshot: true, ..SubscribeOptions::default() }).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_map_behaves_like_an_ordered_map_and_its_events_tell_the_same(ops in vec(op(), 0..60), from in 0_usize..60) {
        static NODE: LazyLock<Node> = LazyLock::new(|| Node::open(Config::new()).unwrap());
        let map = fresh_map(&NODE);
        let mut model = Model::new();
        let mut watches = vec![watch(&map)];
        for (index, op) in ops.iter().enumerate() {
            if index == from {
                watches.push(watch(&map));
            }
            step(&map, &mut model, op);
            prop_assert_eq!(map.len().unwrap(), model.len());
        }
        prop_assert_eq!(&content(&map), &model);
        prop_assert_eq!(map.status().unwrap().live, model.len());
        let sentinel = b"sentinel";
        map.put(sentinel, b"").unwrap();
        model.insert(sentinel.to_vec(), Vec::new());
        for watch in &watches {
            prop_assert_eq!(&told(watch, sentinel), &model);
        }
        map.close();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn g1_two_maps_written_at_once_end_up_equal(ops in vec((any::<bool>(), op()), 0..80)) {
        static NODES: LazyLock<[Node; 2]> = LazyLock::new(|| {
            let [one, two] = std::array::from_fn(|_| Node::open(Config::new()).unwrap());
            two.connect(&one.addrs()[0], Duration::from_secs(10)).unwrap();
            [one, two]
        });
        let name = fresh_map(&NODES[0]).name().to_string();
        let maps = [0, 1].map(|index| NODES[index].map(&name, MapOptions::new()).unwrap());
        let watches = [watch(&maps[0]), watch(&maps[1])];
        for (second, op) in &ops {
            // Only the map's own answers can be foreseen by nobody: the other one's writes arrive when they do.
            perform(&maps[usize::from(*second)], op);
        }
        maps[0].put(b"sentinel", b"").unwrap();
        maps[1].sync(Duration::from_secs(30)).unwrap();
        maps[0].sync(Duration::from_secs(30)).unwrap();
        prop_assert_eq!(maps[0].status().unwrap().digest, maps[1].status().unwrap().digest);
        prop_assert_eq!(content(&maps[0]), content(&maps[1]));
        for (map, watch) in maps.iter().zip(&watches) {
            map.put(b"told", b"").unwrap();
            let told = told(watch, b"told");
            // The other one's `told` may have come before.
            let mut held = content(map);
            held.insert(b"told".to_vec(), Vec::new());
            prop_assert_eq!(told, held);
        }
        maps.iter().for_each(Map::close);
    }

    #[test]
    fn g10_options_are_parsed_or_refused(name in "[a-z_.]{0,20}", value in "\\PC{0,40}", known in any::<prop::sample::Index>()) {
        let table = Config::options();
        let known = known.get(table).name;
        for name in [name.as_str(), known] {
            if let Err(error) = Config::new().set(name, &value) {
                prop_assert!(error.message().contains(name), "{error} does not name {name}");
            }
        }
    }
}

/// Does it, whatever the answer.
fn perform(map: &Map, op: &Op) {
    match op {
        Op::Put(key, value) => drop(map.put(key, value).unwrap()),
        Op::Remove(key) => drop(map.remove(key).unwrap()),
        Op::RemovePrefix(prefix) => drop(map.remove_prefix(prefix).unwrap()),
        Op::Scan(options) => drop(scanned(map, options.clone())),
        Op::Apply(operations) => {
            let mut batch = Batch::new();
            for (key, value) in operations {
                match value {
                    Some(value) => batch.put(key, value),
                    None => batch.remove(key),
                };
            }
            map.apply(&batch).unwrap();
        }
    }
}
