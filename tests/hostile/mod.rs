//! Peers that mean harm, against nodes as users open them, over real sockets: members, who know the secret and speak every protocol
//! (`member.rs`, `mix.rs`), and outsiders, who do not (`outsider.rs`, `crowd.rs`).
//!
//! ```text
//! P2PMAP_HOSTILE_SECONDS=60 cargo test --release -p p2pmap --lib hostile::mix    at full speed for so long; 5 s without it
//! ```

mod crowd;
mod evil;
mod flood;
mod member;
mod messages;
mod mix;
mod outsider;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::{Config, Map, MapOptions, Node};

/// Of nobody's cluster.
pub const SECRET: &str = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d";
pub const MAP: &str = "hostile-map-name";
/// Longer than anything takes that does not hang.
pub const LONG: Duration = Duration::from_secs(60);

/// Waits for a condition.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A node with the secret that joins through those, and its map.
pub fn honest(bootstrap: &[&Map], listen: &str) -> Map {
    let mut config = Config::new();
    let addrs: Vec<_> = bootstrap.iter().map(|map| map.node().addrs().swap_remove(0)).collect();
    config.set("bootstrap", &addrs.join(",")).unwrap();
    config.set("cluster_secret", SECRET).unwrap().set("listen", listen).unwrap();
    Node::open(config).unwrap().map(MAP, MapOptions::new()).unwrap()
}

pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// Two honest nodes that know each other.
pub fn pair(listen: &str) -> [Map; 2] {
    let first = honest(&[], listen);
    let second = honest(&[&first], listen);
    converge(&[&first, &second]);
    [first, second]
}

/// Each writes something new, and all come to hold the same.
pub fn converge(maps: &[&Map]) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let keys: Vec<String> = maps.iter().map(|_| format!("honest/{}", NEXT.fetch_add(1, Ordering::Relaxed))).collect();
    for (map, key) in maps.iter().zip(&keys) {
        map.put(key, "written in earnest").unwrap();
    }
    until("all hold what was written", || maps.iter().all(|map| keys.iter().all(|key| map.contains(key).unwrap())));
}

/// All hold the same, also of what came from elsewhere.
pub fn become_equal(maps: &[&Map]) {
    let digest = |map: &Map| map.status().unwrap().digest;
    until("all hold the same", || maps.iter().all(|map| digest(map) == digest(maps[0])));
}
