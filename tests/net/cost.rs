//! What repair costs on the wire, by the counters of a machine's own network card: everything, with headers.

use std::time::Duration;

use crate::alone;
use crate::lab::{Lab, Transport};
use crate::waiting::{LONG, converged, lasting, pass};

const ENTRIES: usize = 100_000;
const DIFFERENCES: usize = 100;
const VALUE: usize = 100;
/// Comparisons get rarer, up to the interval of anti-entropy, and only then it is idle.
const QUIET: Duration = Duration::from_secs(65);
const SHORT_QUIET: Duration = Duration::from_secs(8);
const MINUTE: Duration = Duration::from_secs(60);
const SHORT_MINUTE: Duration = Duration::from_secs(10);

/// The whole map is more than 10 MB: this says that it does not travel, and how little does is printed.
const IDLE_BYTES: f64 = 40_000.0;
const DIFFERENCES_BYTES: u64 = 60_000;

#[test]
fn g8_equal_nodes_hardly_talk() {
    let _alone = alone();
    let Some(lab) = Lab::new(2) else { return };
    let mut nodes = lab.cluster(Transport::Tcp, &[]);
    nodes[0].tell(&format!("putmany k {ENTRIES} {VALUE}"));
    converged(&mut nodes, ENTRIES, LONG);
    pass(lasting(QUIET, SHORT_QUIET));
    let time = lasting(MINUTE, SHORT_MINUTE);
    let before = lab.traffic(0);
    pass(time);
    let bytes = (lab.traffic(0) - before) as f64 * MINUTE.as_secs_f64() / time.as_secs_f64();
    println!("two equal nodes with {ENTRIES} entries: {bytes:.0} bytes in an idle minute (measured for {time:?})");
    assert!(bytes < IDLE_BYTES, "{bytes}");
}

/// A third node brings what differs, since between two nodes with a live connection nothing does: the second pulls it from the
/// third, and pulled entries are not gossiped on. The first and the third cannot reach each other.
#[test]
fn g8_a_few_differences_cost_what_differs() {
    let _alone = alone();
    let Some(lab) = Lab::new(3) else { return };
    let options = ["anti_entropy_ms=1000"];
    let mut second = lab.start(1, Transport::Tcp, &options);
    let first = lab.start(0, Transport::Tcp, &[options[0], &second.as_bootstrap()]);
    lab.part(0, 2);
    let mut third = lab.start(2, Transport::Tcp, &options);
    second.tell(&format!("putmany k {ENTRIES} {VALUE}"));
    let mut nodes = [first, second];
    converged(&mut nodes, ENTRIES, LONG);
    third.tell(&format!("putmany new/ {DIFFERENCES} {VALUE}"));

    let idle = {
        let before = lab.traffic(0);
        pass(Duration::from_secs(2));
        (lab.traffic(0) - before) as f64 / 2.0
    };
    let before = lab.traffic(0);
    third.tell(&format!("connect {}", nodes[1].addrs[0]));
    let took = converged(&mut nodes, ENTRIES + DIFFERENCES, LONG);
    let bytes = lab.traffic(0) - before;
    let payload = DIFFERENCES * ("new/000000".len() + VALUE);
    println!(
        "{DIFFERENCES} differences among {ENTRIES}: {bytes} bytes in {took:?}, of them {payload} of keys and values; \
         the same time idle: {:.0} bytes",
        idle * took.as_secs_f64()
    );
    assert!(bytes < DIFFERENCES_BYTES, "{bytes}");
}

#[test]
fn g8_who_comes_back_from_its_disk_is_sent_what_it_missed() {
    let _alone = alone();
    let Some(lab) = Lab::new(2) else { return };
    let directory = std::env::temp_dir().join(format!("p2pmap-cost-{}", std::process::id()));
    let first = lab.start(0, Transport::Tcp, &[]);
    let options = [&*format!("data_dir={}", directory.display()), "durability=sync", &first.as_bootstrap()];
    let mut nodes = [first, lab.start(1, Transport::Tcp, &options)];
    nodes[0].tell(&format!("putmany k {ENTRIES} {VALUE}"));
    converged(&mut nodes, ENTRIES, LONG);
    let [mut first, second] = nodes;
    // Not before all of it is on the disk.
    let stamp = first.tell("put last value");
    first.tell(&format!("await {stamp} 1 {}", LONG.as_millis()));
    second.kill();
    first.tell(&format!("putmany missed/ {DIFFERENCES} {VALUE}"));
    let before = lab.traffic(0);
    let second = lab.start(1, Transport::Tcp, &options);
    let took = converged(&mut [first, second], ENTRIES + 1 + DIFFERENCES, LONG);
    let bytes = lab.traffic(0) - before;
    println!("back with {ENTRIES} entries from its disk, {DIFFERENCES} missed: {bytes} bytes in {took:?}");
    let _ = std::fs::remove_dir_all(&directory);
    assert!(bytes < DIFFERENCES_BYTES, "{bytes}");
}
