//! Durable maps as processes: killed at any moment, all at once, on disks that fill up, in directories that are removed,
//! forbidden, or wanted by many.

use std::time::Duration;

mod cluster;
mod full;
mod gone;
mod killed;
mod notes;
mod place;
#[path = "../net/process.rs"]
#[allow(dead_code, reason = "shared with the tests of the network")]
mod process;
mod wanted;

use process::{Place as Where, TestNode};

/// How long anything may take; only what hangs takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node that keeps nothing on disk, for others to join. Over TCP: the end of a process is noticed at once there.
fn peer() -> TestNode {
    TestNode::start(Where::Loopback, &["listen=/ip4/127.0.0.1/tcp/0"])
}

/// Returns when a node and its peer hold the same.
fn until_equal(node: &mut TestNode, peer: &mut TestNode) {
    let ms = PATIENCE.as_millis();
    // They have met when one holds what the other writes: there is somebody to sync with.
    let stamp = node.tell("put met yes");
    node.tell(&format!("await {stamp} 1 {ms}"));
    node.tell(&format!("sync {ms}"));
    assert_eq!(node.status(), peer.status());
}
