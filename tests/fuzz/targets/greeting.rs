//! The greeting, with a peer that says what the input has it say: nonsense, or the right words at any time, whole or altered.
//!
//! Who was let in has proved that it knows the secret, on this connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite, FutureExt};
use libp2p::PeerId as Id;

use super::*;
use crate::fuzz::Feed;
use crate::net::runs::Runs;
use crate::secret::{Secret, Transcript};

static PEERS: LazyLock<[Id; 2]> = LazyLock::new(|| [Id::random(), Id::random()]);
static KEYRING: LazyLock<Arc<Keyring>> = LazyLock::new(|| {
    let secret = Secret::parse("3f7a1c9e5b2d8046a1c3e5f70918273645546372819aabbccddeeff00112233a").expect("a secret");
    Arc::new(Keyring::new("fuzz", &[secret]))
});

pub fn greeting(data: &[u8]) {
    let mut feed = Feed::new(data);
    let dials = feed.byte() & 1 == 1;
    let [me, peer] = *PEERS;
    let (runs, _doubts) = Runs::new(me, 7, None, Arc::default());
    let admission = Admission::new(me, KEYRING.clone(), None, None, runs, Arc::default());
    let mut script = Script { feed, end: if dials { End::Listener } else { End::Dialler }, ..Script::default() };
    let mut greeting = Greeting { admission: &admission, peer, stream: &mut script };
    let done = match dials {
        true => greeting.dialled(&"/ip4/127.0.0.1/tcp/1".parse().expect("an address")).now_or_never(),
        false => greeting.answered().now_or_never(),
    };
    let is_in = done.expect("it ends when the other has no more to say").is_ok();
    assert!(!is_in || script.proved, "who is in has proved that it belongs here");
}

/// What the other end says, made up as it is asked for.
struct Script<'a> {
    feed: Feed<'a>,
    /// The other's.
    end: End,
    heard: Vec<u8>,
    said: [u8; Hello::BYTES],
    next: Vec<u8>,
    proved: bool,
}

impl Default for Script<'_> {
    fn default() -> Self {
        let (heard, next) = Default::default();
        Self { feed: Feed::new(&[]), end: End::Dialler, heard, said: [0; Hello::BYTES], next, proved: false }
    }
}

impl Script<'_> {
    fn say(&mut self) {
        if self.feed.is_empty() {
            return;
        }
        match self.feed.below(5) {
            0 => self.next.extend_from_slice(self.feed.some()),
            1 => {
                self.said = Hello { features: 0, run: self.feed.number(), nonce: [9; 32] }.encode();
                self.next.extend_from_slice(&self.said);
            }
            2 => self.next.push(self.feed.byte()),
            kind => {
                let mut proofs = self.prove();
                let damage = if kind == 3 { 0 } else { self.feed.byte() };
                let at = self.feed.below(proofs.len().max(1));
                self.proved |= damage == 0;
                proofs.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= damage);
                self.next.extend_from_slice(&counted(&proofs));
            }
        }
    }

    fn prove(&self) -> Vec<u8> {
        let Some(mine) = self.heard.first_chunk::<{ Hello::BYTES }>() else { return Vec::new() };
        let [me, peer] = (*PEERS).map(|id| id.to_bytes());
        let transcript = match self.end {
            End::Listener => Transcript { dialler: &me, listener: &peer, dialler_said: mine, listener_said: &self.said },
            End::Dialler => Transcript { dialler: &peer, listener: &me, dialler_said: &self.said, listener_said: mine },
        };
        KEYRING.prove(self.end, &transcript)
    }
}

impl AsyncRead for Script<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        while self.next.is_empty() && !self.feed.is_empty() {
            self.say();
        }
        let count = buffer.len().min(self.next.len());
        buffer[..count].copy_from_slice(&self.next[..count]);
        self.next.drain(..count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Script<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.heard.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
