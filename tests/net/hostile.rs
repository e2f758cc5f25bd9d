//! Strangers who connect and do not speak the protocol.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::alone;
use crate::process::{Place, TestNode};
use crate::waiting::{LONG, converged};

/// The node's TCP address, out of its multiaddr.
fn socket_address(node: &TestNode) -> SocketAddr {
    let tcp = node.addrs.iter().find(|addr| addr.contains("/tcp/")).expect("a TCP address");
    let parts: Vec<&str> = tcp.split('/').collect();
    format!("{}:{}", parts[2], parts[4]).parse().expect("an address")
}

/// Bytes that look like nothing, the same on every run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn g10_noise_on_the_port_does_not_disturb_a_node() {
    let _alone = alone();
    let mut first = TestNode::start(Place::Loopback, &[]);
    let address = socket_address(&first);
    first.tell("put before 1");
    let mut strangers = Vec::new();
    for seed in 0..100 {
        let mut stranger = TcpStream::connect(address).expect("the node listens");
        let greeting = if seed % 2 == 0 { &b"\x13/multistream/1.0.0\n"[..] } else { b"" };
        let length = 1 + (seed as usize * 677) % 65_536;
        // The node may hang up while this is being written.
        let _ = stranger.write_all(&[greeting, &noise(seed, length)].concat());
        strangers.push(stranger);
    }
    let second = TestNode::joining(&first);
    first.tell("put after 1");
    converged(&mut [first, second], 2, LONG);
}

#[test]
fn g10_a_stranger_who_says_nothing_is_hung_up_on() {
    let _alone = alone();
    let mut node = TestNode::start(Place::Loopback, &[]);
    let mut stranger = TcpStream::connect(socket_address(&node)).expect("the node listens");
    stranger.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut heard = Vec::new();
    stranger.read_to_end(&mut heard).expect("the node hangs up");
    assert_eq!(node.peers(), [""; 0]);
}
