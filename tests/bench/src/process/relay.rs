//! A wire that is longer than loopback: every byte takes its time, in both directions. It knows when something begins.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::clock::now_ns;

/// Chunks under way in one direction.
const UNDER_WAY: usize = 1024;

/// Relays until this process ends.
pub struct Relay {
    pub address: SocketAddr,
    /// When the first byte came since it was last asked to wait for one; 0: none has come.
    began: Arc<AtomicU64>,
}

impl Relay {
    /// Starts to relay what comes to its address.
    pub fn start(to: SocketAddr, delay: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let relay = Self { address: listener.local_addr()?, began: Arc::default() };
        let began = relay.began.clone();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                // Who cannot be relayed is not: the dialling side sees its connection end.
                let _ = TcpStream::connect(to).and_then(|far| join(near, far, delay, &began));
            }
        });
        Ok(relay)
    }

    /// From now on it is silent, until something begins.
    pub fn listen(&self) {
        self.began.store(0, Ordering::Relaxed);
    }

    /// Nanoseconds of the shared clock.
    pub fn began(&self) -> u64 {
        self.began.load(Ordering::Relaxed)
    }
}

fn join(near: TcpStream, far: TcpStream, delay: Duration, began: &Arc<AtomicU64>) -> std::io::Result<()> {
    for (from, to) in [(near.try_clone()?, far.try_clone()?), (far, near)] {
        to.set_nodelay(true)?;
        let (began, (under_way, arriving)) = (began.clone(), sync_channel(UNDER_WAY));
        thread::spawn(move || deliver(&arriving, to));
        thread::spawn(move || -> Option<()> {
            let (mut from, mut chunk) = (from, [0; 16 * 1024]);
            loop {
                let read = from.read(&mut chunk).ok().filter(|read| *read > 0)?;
                let _ = began.compare_exchange(0, now_ns(), Ordering::Relaxed, Ordering::Relaxed);
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
