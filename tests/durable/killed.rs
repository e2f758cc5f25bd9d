//! A process that is killed while sixteen writers write.

use super::notes::Notes;
use super::place::Place;
use super::process::{Place as Where, TestNode};
use super::{peer, until_equal};

const WRITERS: u64 = 16;

/// How often: `P2PMAP_KILLS`, or a few times.
fn kills() -> u64 {
    std::env::var("P2PMAP_KILLS").map_or(25, |text| text.parse().expect("P2PMAP_KILLS is a number"))
}

#[test]
fn g7_what_was_acknowledged_is_there_after_kill_9() {
    let place = Place::new();
    let notes = Notes::new(&place, WRITERS);
    let mut peer = peer();
    let (bootstrap, data) = (peer.as_bootstrap(), place.as_data_dir("data"));
    let options = [&*bootstrap, &*data, "durability=sync"];
    let mut dice = 1_u64;
    for round in 0..kills() {
        let mut node = TestNode::start(Where::Loopback, &options);
        notes.check(&mut node, &format!("round {round}"));
        notes.hammer(&mut node);
        // Killed when so many more were acknowledged: any moment is as good.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        notes.await_more((dice >> 33) % 2_000);
        node.kill();
    }
    let mut node = TestNode::start(Where::Loopback, &options);
    notes.check(&mut node, "at the end");
    // Neither side has what the other lacks, once they have met.
    until_equal(&mut node, &mut peer);
    println!("{} kills, {} writes acknowledged, none lost, equal to the peer's", kills(), notes.total());
}
