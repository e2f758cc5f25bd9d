//! Machines of a laboratory: network namespaces on two switches with a cable between them.
//!
//! ```text
//!   node 0, 2, 4 ... -- left ====cable==== right -- node 1, 3, 5 ...
//! ```
//!
//! Names carry this process's id, and are taken down when the lab is dropped, also by a failing test. What a killed run left
//! behind, the next one clears.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::process::{Place, TestNode};

const PREFIX: &str = "p2pmap";

/// Namespaces, wired up.
pub struct Lab {
    switch: String,
    machines: Vec<String>,
}

impl Lab {
    /// A lab with that many machines; `None`, with the reason printed, where there cannot be one.
    pub fn new(count: usize) -> Option<Self> {
        static LABS: AtomicU32 = AtomicU32::new(0);
        clear_leftovers();
        let name = format!("{PREFIX}-{}-{}", std::process::id(), LABS.fetch_add(1, Ordering::Relaxed));
        let mut lab = Self { switch: format!("{name}-sw"), machines: Vec::new() };
        if let Err(why) = run(&["netns", "add", &lab.switch]) {
            println!("skipped: network namespaces need root and `ip` (iproute2): {why}");
            return None;
        }
        for index in 0..count {
            lab.machines.push(format!("{name}-{index}"));
        }
        lab.wire();
        Some(lab)
    }

    fn wire(&self) {
        let on_switch = |command: &str| ip(&format!("-n {} {command}", self.switch));
        on_switch("link add cable0 type veth peer name cable1");
        for (bridge, cable) in [("left", "cable0"), ("right", "cable1")] {
            on_switch(&format!("link add {bridge} type bridge"));
            on_switch(&format!("link set {bridge} up"));
            on_switch(&format!("link set {cable} master {bridge} up"));
        }
        for (index, machine) in self.machines.iter().enumerate() {
            ip(&format!("netns add {machine}"));
            on_switch(&format!("link add port{index} type veth peer name eth0 netns {machine}"));
            let bridge = if self.is_left(index) { "left" } else { "right" };
            on_switch(&format!("link set port{index} master {bridge} up"));
            ip(&format!("-n {machine} link set lo up"));
            ip(&format!("-n {machine} address add {}/16 dev eth0", address(index)));
            ip(&format!("-n {machine} link set eth0 up"));
        }
    }

    pub fn is_left(&self, machine: usize) -> bool {
        machine.is_multiple_of(2)
    }

    /// Starts a node on a machine, listening on that machine's own address.
    pub fn start(&self, machine: usize, transport: Transport, options: &[&str]) -> TestNode {
        let address = address(machine);
        let listen = match transport {
            Transport::Tcp => format!("listen=/ip4/{address}/tcp/7400"),
            Transport::Quic => format!("listen=/ip4/{address}/udp/7400/quic-v1"),
        };
        let options = [&[listen.as_str(), "insecure=true"], options].concat();
        TestNode::start(Place::Namespace(&self.machines[machine]), &options)
    }

    /// One node on each machine; all know the first.
    pub fn cluster(&self, transport: Transport, options: &[&str]) -> Vec<TestNode> {
        let mut nodes = vec![self.start(0, transport, options)];
        for machine in 1..self.machines.len() {
            let bootstrap = nodes[0].as_bootstrap();
            nodes.push(self.start(machine, transport, &[options, &[&bootstrap]].concat()));
        }
        nodes
    }

    /// The option that lets a node join through whoever runs on these machines, now or later.
    pub fn bootstrap(machines: &[usize]) -> String {
        let addresses: Vec<String> = machines.iter().map(|at| format!("/ip4/{}/tcp/7400", address(*at))).collect();
        format!("bootstrap={}", addresses.join(","))
    }

    /// Takes the cable between the two switches down: what is sent across is lost without a word.
    pub fn cut(&self) {
        ip(&format!("-n {} link set cable0 down", self.switch));
    }

    pub fn heal(&self) {
        ip(&format!("-n {} link set cable0 up", self.switch));
    }

    /// Takes one machine off its switch.
    pub fn unplug(&self, machine: usize) {
        ip(&format!("-n {} link set port{machine} down", self.switch));
    }

    pub fn plug(&self, machine: usize) {
        ip(&format!("-n {} link set port{machine} up", self.switch));
    }

    /// From now on nothing gets from one of these machines to the other; both reach all the rest.
    pub fn part(&self, a: usize, b: usize) {
        self.route(a, b, "add");
        self.route(b, a, "add");
    }

    pub fn reunite(&self, a: usize, b: usize) {
        self.route(a, b, "delete");
        self.route(b, a, "delete");
    }

    fn route(&self, from: usize, to: usize, verb: &str) {
        ip(&format!("-n {} route {verb} blackhole {}/32", self.machines[from], address(to)));
    }

    /// What a machine's network card has sent and received so far, in bytes.
    pub fn traffic(&self, machine: usize) -> u64 {
        let counter = |name: &str| -> u64 {
            let path = format!("/sys/class/net/eth0/statistics/{name}");
            let read = run(&["netns", "exec", &self.machines[machine], "cat", &path]);
            read.expect("a counter").trim().parse().expect("a number")
        };
        counter("tx_bytes") + counter("rx_bytes")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for namespace in self.machines.iter().chain([&self.switch]) {
            // One that was never made cannot be deleted.
            let _ = run(&["netns", "delete", namespace]);
        }
    }
}

#[derive(Clone, Copy)]
pub enum Transport {
    Tcp,
    Quic,
}

fn address(machine: usize) -> String {
    format!("10.77.0.{}", machine + 1)
}

/// Deletes the namespaces of runs that are no more.
fn clear_leftovers() {
    let Ok(list) = run(&["netns", "list"]) else {
        return;
    };
    for name in list.lines().filter_map(|line| line.split(' ').next()) {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|owner| !std::path::Path::new("/proc").join(owner).exists()) {
            // Another run may be clearing it, too.
            let _ = run(&["netns", "delete", name]);
        }
    }
}

fn ip(command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    run(&words).unwrap_or_else(|why| panic!("ip {command}: {why}"));
}

fn run(words: &[&str]) -> Result<String, String> {
    let output = Command::new("ip").args(words).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_string()),
    }
}
