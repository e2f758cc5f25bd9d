//! A wire that is longer than loopback: every byte takes its time, in both directions.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// Chunks under way in one direction.
const UNDER_WAY: usize = 1024;

/// Starts to relay what comes to the returned address; it ends with this process.
pub fn start(to: SocketAddr, delay: Duration) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            // Who cannot be relayed is not: the dialling side sees its connection end.
            let _ = TcpStream::connect(to).and_then(|far| join(near, far, delay));
        }
    });
    Ok(address)
}

fn join(near: TcpStream, far: TcpStream, delay: Duration) -> std::io::Result<()> {
    for (from, to) in [(near.try_clone()?, far.try_clone()?), (far, near)] {
        to.set_nodelay(true)?;
        let (under_way, arriving) = sync_channel(UNDER_WAY);
        thread::spawn(move || deliver(&arriving, to));
        thread::spawn(move || -> Option<()> {
            let (mut from, mut chunk) = (from, [0; 16 * 1024]);
            loop {
                let read = from.read(&mut chunk).ok().filter(|read| *read > 0)?;
                under_way.send((Instant::now() + delay, chunk[..read].to_vec())).ok()?;
            }
        });
    }
    Ok(())
}

fn deliver(arriving: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, chunk) in arriving {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&chunk).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
