//! Floors without libp2p: what TCP and a bare index take.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::Result;
use crate::clock::{Samples, now_ns, paced};
use crate::floors::index::bare_index;
use crate::load::{ENTRY_BYTES, KEY_BYTES, VALUE_BYTES, key, value};
use crate::process::{Peer, line, serve};

/// `echo ADDRESS`: connects and sends back what it gets.
pub fn echo(args: &[String]) -> Result<()> {
    let mut stream = TcpStream::connect(args.first().ok_or("echo ADDRESS")?)?;
    stream.set_nodelay(true)?;
    std::thread::spawn(move || {
        let mut bytes = [0; VALUE_BYTES];
        while stream.read_exact(&mut bytes).is_ok() && stream.write_all(&bytes).is_ok() {}
    });
    serve("ready", |_| Ok("echo".into()))
}

/// Half a round trip of 100 bytes between two processes, at 300 a second: how quickly this machine wakes up.
pub fn ping_pong(count: usize) -> Result<Samples> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let _peer = Peer::start("echo", &[&listener.local_addr()?.to_string()])?;
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let mut halves = Vec::with_capacity(count);
    let mut bytes = [0; VALUE_BYTES];
    paced(300, count, |_| {
        let start = now_ns();
        stream.write_all(&bytes)?;
        stream.read_exact(&mut bytes)?;
        halves.push((now_ns() - start) / 2);
        std::io::Result::Ok(())
    })?;
    Ok(Samples::new(halves))
}

/// `load ENTRIES ADDRESS`: reads that many entries and puts them into a bare index; says how long the bytes took, and both.
pub fn load(args: &[String]) -> Result<()> {
    let [entries, address] = args else { return Err("load ENTRIES ADDRESS".into()) };
    let start = now_ns();
    let mut stream = TcpStream::connect(address)?;
    let mut bytes = vec![0; entries.parse::<usize>()? * ENTRY_BYTES];
    stream.read_exact(&mut bytes)?;
    let read = now_ns();
    let index = bare_index();
    for entry in bytes.chunks_exact(ENTRY_BYTES) {
        let (key, value) = entry.split_at(KEY_BYTES);
        let _ = index.insert_sync(key.into(), value.into());
    }
    serve(&line([read - start, now_ns() - start]), |_| Ok("loaded".into()))
}

/// How long the bare transfer of that many entries takes, and with the inserts.
pub fn bare_load(entries: usize) -> Result<(u64, u64)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let bytes: Vec<u8> = (0..entries).flat_map(|number| key(number).into_iter().chain(value(number as u64, 0))).collect();
    let address = listener.local_addr()?.to_string();
    let serving = std::thread::spawn(move || listener.accept()?.0.write_all(&bytes));
    let peer = Peer::start("load", &[&entries.to_string(), &address])?;
    serving.join().map_err(|_| "the serving thread panicked")??;
    let mut took = peer.ready.split_whitespace().map(str::parse);
    match (took.next(), took.next()) {
        (Some(read), Some(all)) => Ok((read?, all?)),
        _ => Err("no figures".into()),
    }
}
