//! The first words on a connection: each end says which run of its node it is, proves that it belongs here, and says whether
//! the other may stay. The swarm hears only of connections where both may.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerExt};
use libp2p::{Multiaddr, PeerId as Id};

#[cfg(any(test, fuzzing))]
#[path = "../../../tests/fuzz/targets/greeting.rs"]
pub mod fuzz;

use super::admission::{Admission, Talk};
use super::runs::Seat;
use super::shared::public;
use crate::secret::{End, Keyring};
use crate::wire::hello::{Hello, VERSION, Verdict};

/// Greets the peer at the other end of a new connection, on a stream that ends with it. Time out from outside.
pub(super) async fn greet<M>(
    admission: Arc<Admission>,
    peer: Id,
    mut muxer: M,
    dialled: Option<Multiaddr>,
) -> io::Result<(M, Seat)>
where
    M: StreamMuxer + Unpin,
    M::Substream: Unpin,
    M::Error: Send + Sync + 'static,
{
    if admission.runs().am_refused() {
        return Err(io::Error::other("this node has left the network"));
    }
    let opened = match dialled.is_some() {
        true => poll_fn(|cx| muxer.poll_outbound_unpin(cx)).await,
        false => poll_fn(|cx| muxer.poll_inbound_unpin(cx)).await,
    };
    let mut stream = opened.map_err(io::Error::other)?;
    let mut greeting = Greeting { admission: &admission, peer, stream: &mut stream };
    let talk = async {
        match dialled {
            Some(addr) => greeting.dialled(&addr).await,
            None => greeting.answered().await,
        }
    };
    let seat = drive(&mut muxer, talk).await?;
    Ok((muxer, seat))
}

struct Greeting<'a, S> {
    admission: &'a Admission,
    peer: Id,
    stream: &'a mut S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Greeting<'_, S> {
    async fn dialled(&mut self, addr: &Multiaddr) -> io::Result<Seat> {
        let done = self.dial().await;
        match &done {
            Ok(_) => self.admission.note(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.admission.note(Some(format!("{} at {addr}: {error}", public(&self.peer))));
            }
            Err(_) => {}
        }
        done
    }

    async fn dial(&mut self) -> io::Result<Seat> {
        let mine = self.admission.hello().map_err(io::Error::other)?;
        self.say(&mine).await?;
        let (theirs, said) = self.hear().await?;
        let proofs = self.proofs().await?;
        let talk = Talk { peer: self.peer, end: End::Dialler, mine, theirs };
        let (verdict, seat) = self.admission.judge(&talk, said, &proofs).await;
        let Some(seat) = seat else { return self.refuse(verdict).await };
        self.say(&[&[verdict.encode()], &*counted(&self.admission.prove(&talk))].concat()).await?;
        match self.verdict().await? {
            Verdict::Welcome => Ok(seat),
            verdict => Err(self.am_refused(verdict)),
        }
    }

    async fn answered(&mut self) -> io::Result<Seat> {
        let mine = self.admission.hello().map_err(io::Error::other)?;
        let (theirs, said) = match self.hear().await {
            Ok(heard) => heard,
            Err(error) => {
                // Who speaks another version sees which one this is.
                self.say(&mine).await?;
                self.wait_for_end().await;
                return Err(error);
            }
        };
        let talk = Talk { peer: self.peer, end: End::Listener, mine, theirs };
        self.say(&[&mine[..], &counted(&self.admission.prove(&talk))].concat()).await?;
        match self.verdict().await? {
            Verdict::Welcome => {}
            verdict => return Err(self.am_refused(verdict)),
        }
        let proofs = self.proofs().await?;
        let (verdict, seat) = self.admission.judge(&talk, said, &proofs).await;
        let Some(seat) = seat else { return self.refuse(verdict).await };
        self.say(&[verdict.encode()]).await?;
        Ok(seat)
    }

    async fn refuse(&mut self, verdict: Verdict) -> io::Result<Seat> {
        self.say(&[verdict.encode()]).await?;
        self.wait_for_end().await;
        let why = match verdict {
            Verdict::Second | Verdict::Welcome => {
                let copy = if self.admission.runs().is_me(self.peer) { "this node" } else { "another node" };
                tracing::warn!(peer = %self.peer, "refused a node: it has the identity of {copy}, whose data directory was copied");
                return Err(io::Error::other(format!("a second node with the identity of {copy} is there, and was refused")));
            }
            Verdict::NoSecret => NO_SECRET,
            Verdict::OtherCluster => OTHER_CLUSTER,
            Verdict::NotAllowed => "it is not among the `allow_peers` of this node",
            Verdict::Banned => "it is banned by this node",
            Verdict::Resting => "it has asked too much, and may come back within a minute",
        };
        tracing::debug!(peer = %self.peer, "refused a node: {why}");
        Err(stranger(why))
    }

    fn am_refused(&self, verdict: Verdict) -> io::Error {
        stranger(match verdict {
            Verdict::Second | Verdict::Welcome => {
                self.admission.runs().refuse_me();
                return io::Error::other("another node with this node's identity was there first");
            }
            Verdict::NoSecret => NO_SECRET,
            Verdict::OtherCluster => OTHER_CLUSTER,
            Verdict::NotAllowed => "this node is not among the `allow_peers` of that one",
            Verdict::Banned => "this node is banned by that one",
            Verdict::Resting => "this node has asked that one too much, and may come back within a minute",
        })
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    async fn hear(&mut self) -> io::Result<([u8; Hello::BYTES], Hello)> {
        let mut bytes = [0; Hello::BYTES];
        self.stream.read_exact(&mut bytes[..1]).await?;
        if bytes[0] != VERSION {
            let message = format!("it speaks version {} of the protocol, and this node version {VERSION}", bytes[0]);
            return Err(stranger(&message));
        }
        self.stream.read_exact(&mut bytes[1..]).await?;
        Ok((bytes, Hello::decode(&bytes).map_err(io::Error::other)?))
    }

    async fn proofs(&mut self) -> io::Result<Vec<u8>> {
        let mut count = [0];
        self.stream.read_exact(&mut count).await?;
        let len = usize::from(count[0]) * Keyring::PROOF_BYTES;
        if len > Keyring::MOST_PROOFS {
            return Err(io::Error::other("too many proofs"));
        }
        let mut proofs = vec![0; len];
        self.stream.read_exact(&mut proofs).await?;
        Ok(proofs)
    }

    async fn verdict(&mut self) -> io::Result<Verdict> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).await?;
        Verdict::decode(byte[0]).map_err(io::Error::other)
    }

    /// What was said last is heard before the other end closes the connection.
    async fn wait_for_end(&mut self) {
        let _ = self.stream.read(&mut [0]).await;
    }
}

const NO_SECRET: &str = "the two have no key of `cluster_secret` in common";
const OTHER_CLUSTER: &str = "it is of another cluster: its `cluster_id` is another";

/// Told apart from what a bad line does.
fn stranger(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

fn counted(proofs: &[u8]) -> Vec<u8> {
    [&[(proofs.len() / Keyring::PROOF_BYTES) as u8], proofs].concat()
}

/// Talks while the connection, which has nobody else yet, is kept going.
async fn drive<M, T>(muxer: &mut M, talk: impl Future<Output = io::Result<T>>) -> io::Result<T>
where
    M: StreamMuxer + Unpin,
    M::Error: Send + Sync + 'static,
{
    let mut talk = pin!(talk);
    poll_fn(|cx| {
        if let Poll::Ready(done) = talk.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        loop {
            match muxer.poll_unpin(cx) {
                // The address is asked for when the connection is established.
                Poll::Ready(Ok(_)) => {}
                // What came before the end is still to be heard.
                Poll::Ready(Err(error)) => {
                    let last = talk.as_mut().poll(cx);
                    return if last.is_ready() { last } else { Poll::Ready(Err(io::Error::other(error))) };
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}
