//! The role `gossip`, the floor under the network rows: gossipsub and nothing else, on a current-thread runtime, over TCP with
//! Noise and Yamux, unsigned.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::Result;
use crate::clock::paced;
use crate::floors::swarm::{self, message};
use crate::process::serve;

const LONG: Duration = Duration::from_secs(60);

/// What the swarm's thread is asked to do. `done` gets the answer.
pub enum Ask {
    /// Publish one message.
    Publish(Vec<u8>),
    /// Publish `count` messages of so many bytes at that rate, from within the swarm's thread.
    Pace { rate: u64, count: usize, bytes: usize, done: SyncSender<String> },
    /// Publish entries of those numbers as fast as they are taken.
    Put { from: usize, count: usize, done: SyncSender<String> },
    /// Take the ages of so many messages: where they arrive, or on a thread of their own.
    Collect { count: usize, apart: bool, done: SyncSender<String> },
    /// Wait for so many entries.
    Hold { entries: usize, done: SyncSender<String> },
    /// Wait until so many listen.
    Meet { listeners: usize, done: SyncSender<String> },
}

/// `gossip [ADDRESS]...`: listens, dials those addresses; says its own, then obeys.
pub fn gossip(args: &[String]) -> Result<()> {
    let (asks, address) = start(args)?;
    let mut collected = None;
    serve(&address, |words| obey(&asks, words, &mut collected))
}

/// A swarm that dials those, on a thread of its own, which ends when nobody can ask it any more; and its address.
pub fn start(dial: &[String]) -> Result<(UnboundedSender<Ask>, String)> {
    let (asks, asked) = unbounded_channel();
    let (ready, address) = sync_channel(1);
    let dial = dial.iter().map(|address| address.parse()).collect::<std::result::Result<_, _>>()?;
    std::thread::spawn(move || {
        if let Err(error) = swarm::run(dial, &ready, asked) {
            let _ = ready.send(format!("error {error}"));
        }
    });
    Ok((asks, address.recv()?))
}

fn obey(asks: &UnboundedSender<Ask>, words: &[&str], collected: &mut Option<Receiver<String>>) -> Result<String> {
    let (done, answer) = sync_channel(1);
    let ask = match words {
        ["meet"] => Ask::Meet { listeners: 1, done },
        ["pace", "apart", rate, count, bytes] => {
            let bytes = bytes.parse()?;
            paced(rate.parse()?, count.parse()?, |at| asks.send(Ask::Publish(message(at as u64, bytes))))?;
            return Ok("paced".into());
        }
        ["pace", rate, count, bytes] => Ask::Pace { rate: rate.parse()?, count: count.parse()?, bytes: bytes.parse()?, done },
        ["put", from, count] => Ask::Put { from: from.parse()?, count: count.parse()?, done },
        ["collect", count, how @ ..] => {
            asks.send(Ask::Collect { count: count.parse()?, apart: how == ["apart"], done })?;
            *collected = Some(answer);
            return Ok("collecting".into());
        }
        ["collected"] => {
            return Ok(collected.take().ok_or("nothing is collected")?.recv_timeout(LONG)?);
        }
        ["holds", entries] => Ask::Hold { entries: entries.parse()?, done },
        _ => return Err(format!("no such command: {words:?}").into()),
    };
    asks.send(ask)?;
    Ok(answer.recv_timeout(LONG)?)
}
