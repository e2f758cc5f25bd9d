//! Very many connections at once.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::{TCP, converge, honest, pair, until};
use crate::Map;

/// As many as are promised to be survived.
const CROWD: usize = 2_000;

fn address(map: &Map) -> SocketAddr {
    let addr = map.node().addrs().swap_remove(0);
    let parts: Vec<&str> = addr.split('/').collect();
    format!("{}:{}", parts[2], parts[4]).parse().unwrap()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn g9_two_thousand_connections_that_say_nothing_keep_nobody_out_and_are_hung_up_on() {
    let [a, b] = pair(TCP);
    let before = open_files();
    let crowd: Vec<TcpStream> = (0..CROWD).map(|_| TcpStream::connect(address(&a)).unwrap()).collect();
    converge(&[&a, &b]);
    let late = honest(&[&a], TCP);
    converge(&[&a, &b, &late]);
    for mut stranger in crowd {
        stranger.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // What it was told is libp2p's first line, if anything; then the node hung up, or reset the line.
        let _ = stranger.read_to_end(&mut Vec::new()).map_err(|error| assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock));
    }
    // The nodes of other tests have some, too.
    until("all of it is given back", || open_files() < before + CROWD / 4);
    converge(&[&a, &b, &late]);
}
