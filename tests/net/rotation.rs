//! A cluster that changes its secret twice while it writes, one process after the other, as docs/security.md says.

use std::path::{Path, PathBuf};

use crate::alone;
use crate::oracle::Oracle;
use crate::process::{Place, TestNode, free_port};
use crate::waiting::{LONG, equal, fully_connected, until};

const NODES: usize = 5;
const WRITES_A_SECOND: usize = 500;
const KEYS: usize = 200;
const KEY: [&str; 3] = [
    "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d",
    "45c48cce2e2d7fbdea1afc51c7c6ad26d3d9446802a44259755d38e6d163e820",
    "6512bd43d9caa6e02c990b0a82652dcac20ad4d76159134ff683f084d67d6638",
];
/// Each list is given to all, one after the other, before the next.
const STEPS: [&[usize]; 7] = [&[0], &[0, 1], &[1, 0], &[1], &[1, 2], &[2, 1], &[2]];

struct Cluster {
    ports: Vec<u16>,
    nodes: Vec<TestNode>,
    journals: Vec<PathBuf>,
    directory: PathBuf,
    oracle: Oracle,
    started: usize,
}

impl Cluster {
    fn start() -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rotation-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let ports = (0..NODES).map(|_| free_port()).collect();
        let mut cluster =
            Self { ports, nodes: Vec::new(), journals: Vec::new(), directory, oracle: Oracle::default(), started: 0 };
        for at in 0..NODES {
            cluster.open(at, STEPS[0]);
        }
        fully_connected(&mut cluster.nodes, LONG);
        cluster
    }

    /// Starts a process that knows those keys, and has it write from now on.
    fn open(&mut self, at: usize, keys: &[usize]) {
        let addresses: Vec<_> = self.ports.iter().map(|port| format!("/ip4/127.0.0.1/tcp/{port}")).collect();
        let keys: Vec<_> = keys.iter().map(|key| KEY[*key]).collect();
        let others: Vec<_> = addresses.iter().filter(|addr| **addr != addresses[at]).map(String::as_str).collect();
        let options = [
            format!("listen={}", addresses[at]),
            format!("bootstrap={}", others.join(",")),
            format!("cluster_secret={}", keys.join(",")),
        ];
        let mut node = TestNode::start(Place::Loopback, &options.each_ref().map(String::as_str));
        self.started += 1;
        let journal = self.directory.join(format!("{:03}.journal", self.started));
        node.tell(&format!("churn {} {KEYS} {WRITES_A_SECOND} {}", journal.display(), self.started));
        self.nodes.insert(at, node);
        self.journals.insert(at, journal);
    }

    /// Has one process end, as a deployment does, and another take its place. The others go on writing.
    fn replace(&mut self, at: usize, keys: &[usize]) {
        let (mut node, journal) = (self.nodes.remove(at), self.journals.remove(at));
        node.tell("rest");
        node.tell("quit");
        self.oracle.wrote(&journal, false);
        drop(node);
        self.open(at, keys);
        fully_connected(&mut self.nodes, LONG);
    }

    /// All that was acknowledged is where it belongs, on every node.
    fn judge(mut self) {
        self.nodes.iter_mut().for_each(|node| drop(node.tell("rest")));
        equal(&mut self.nodes.iter_mut().collect::<Vec<_>>(), LONG);
        let mut entries = PathBuf::new();
        for (at, (node, journal)) in self.nodes.iter_mut().zip(&self.journals).enumerate() {
            entries = self.directory.join(format!("{at}.entries"));
            let seen = self.directory.join(format!("{at}.seen"));
            node.tell(&format!("dump {} {}", entries.display(), seen.display()));
            self.oracle.wrote(journal, false);
            self.oracle.saw(&seen);
        }
        let verdict = self.oracle.judge(&entries);
        println!("three secrets: {} acknowledged writes, wrong: {}", verdict.acknowledged, verdict.wrong.len());
        assert!(verdict.acknowledged > 0, "nobody wrote");
        assert!(verdict.wrong.is_empty(), "{:#?}", verdict.wrong);
        // Kept when something is wrong.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn g9_a_secret_is_changed_twice_in_a_running_cluster_and_nothing_is_lost() {
    let _alone = alone();
    let mut cluster = Cluster::start();
    for keys in &STEPS[1..] {
        for at in 0..NODES {
            cluster.replace(at, keys);
        }
    }
    // Who was left behind is out.
    let old = format!("cluster_secret={},{}", KEY[0], KEY[1]);
    let mut left_behind = TestNode::start(Place::Loopback, &[&cluster.nodes[0].as_bootstrap(), &old]);
    until("refused", LONG, || {
        let answer = left_behind.ask(&format!("connect {}", cluster.nodes[0].addrs[0]));
        if answer.contains("no key of `cluster_secret` in common") { Ok(()) } else { Err(answer) }
    });
    assert_eq!(left_behind.status().0, 0, "and has learned nothing");
    cluster.judge();
}
