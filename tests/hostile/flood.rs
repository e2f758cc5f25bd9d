//! A member that never stops.

use super::evil::Evil;
use super::messages::{delta, now_ms, timestamp};
use super::{MAP, SECRET, TCP, converge, pair, until};
use crate::{Config, ErrorKind, MapOptions, Node};

#[test]
fn g10_who_asks_without_end_is_put_out_for_a_while_and_the_others_go_on() {
    let [a, b] = pair(TCP);
    let evil = Evil::join(&[&a]);
    let is_in = || a.node().peers().unwrap().iter().any(|peer| peer.id == *evil.id());
    evil.pester(is_in);
    converge(&[&a, &b]);
    assert!(a.status().unwrap().rejected_messages + a.node().status().unwrap().rejected_messages > 0, "it is counted");
    let why = evil.refused_by(&a);
    assert!(why.contains("asked that one too much"), "{why}");
    assert!(!is_in());
    converge(&[&a, &b]);
}

#[test]
fn g10_a_flood_of_entries_fills_no_map_beyond_twice_its_limit() {
    let mut config = Config::new();
    config.set("cluster_secret", SECRET).unwrap().set("listen", TCP).unwrap();
    let mut options = MapOptions::new();
    options.set("max_entries", "50").unwrap().set("max_bytes", "2000").unwrap();
    let map = Node::open(config).unwrap().map(MAP, options).unwrap();
    let evil = Evil::join(&[&map]);
    let start_ms = now_ms();
    let mut number = 0;
    until("much has arrived", || {
        number += 1;
        let key = format!("evil/{number:04}");
        evil.gossip(delta(evil.id(), timestamp(start_ms + number), key.as_bytes(), &[7; 20]));
        map.status().unwrap().refused_entries >= 300
    });
    let status = map.status().unwrap();
    assert!(status.live <= 100 && status.bytes <= 4_000, "{status:?}");
    assert_eq!(map.put("mine", "value").unwrap_err().kind(), ErrorKind::Full);
    let key = map.scan(Default::default()).unwrap().next().unwrap();
    assert!(map.remove(&key.key()[..]).unwrap(), "it can always be emptied");
}
