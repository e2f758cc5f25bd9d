//! The first words on a connection: each end says which run of its node it is, and whether the other may stay. The swarm
//! hears only of connections where both may.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::PeerId as Id;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerExt};

use super::runs::{Runs, Seat};
use crate::wire::hello::{Hello, Verdict};

/// Greets the peer at the other end of a new connection, on a stream that ends with it. Time out from outside.
pub(super) async fn greet<M>(runs: Arc<Runs>, peer: Id, mut muxer: M, dialled: bool) -> io::Result<(M, Seat)>
where
    M: StreamMuxer + Unpin,
    M::Substream: Unpin,
    M::Error: Send + Sync + 'static,
{
    if runs.am_refused() {
        return Err(io::Error::other("this node has left the network"));
    }
    let opened = match dialled {
        true => poll_fn(|cx| muxer.poll_outbound_unpin(cx)).await,
        false => poll_fn(|cx| muxer.poll_inbound_unpin(cx)).await,
    };
    let mut stream = opened.map_err(io::Error::other)?;
    let seat = drive(&mut muxer, talk(&runs, peer, &mut stream, dialled)).await?;
    Ok((muxer, seat))
}

async fn talk(
    runs: &Arc<Runs>,
    peer: Id,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    dialled: bool,
) -> io::Result<Seat> {
    let (seat, verdict) = if dialled {
        stream.write_all(&runs.hello().encode()).await?;
        stream.flush().await?;
        let said = hear(stream).await?;
        let verdict = judgement(stream).await?;
        let seat = if verdict == Verdict::Welcome { runs.admit(peer, said).await } else { None };
        stream.write_all(&[verdict_on(&seat).encode()]).await?;
        stream.flush().await?;
        (seat, verdict)
    } else {
        let said = hear(stream).await?;
        let seat = runs.admit(peer, said).await;
        let answer = [&runs.hello().encode()[..], &[verdict_on(&seat).encode()]].concat();
        stream.write_all(&answer).await?;
        stream.flush().await?;
        (seat, judgement(stream).await?)
    };
    if verdict == Verdict::Refused {
        runs.refuse_me();
        return Err(io::Error::other("another node with this node's identity was there first"));
    }
    if let Some(seat) = seat {
        return Ok(seat);
    }
    let copy = if runs.is_me(peer) { "this node" } else { "another node" };
    tracing::warn!(%peer, "refused a node: it has the identity of {copy}, whose data directory was copied");
    // The connection lasts until it has heard so, and ends it.
    let _ = stream.read(&mut [0]).await;
    Err(io::Error::other(format!("a second node with the identity of {copy} is there, and was refused")))
}

fn verdict_on(seat: &Option<Seat>) -> Verdict {
    if seat.is_some() { Verdict::Welcome } else { Verdict::Refused }
}

async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Hello> {
    let mut bytes = [0; Hello::BYTES];
    stream.read_exact(&mut bytes).await?;
    Hello::decode(&bytes).map_err(io::Error::other)
}

async fn judgement(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Verdict> {
    let mut byte = [0];
    stream.read_exact(&mut byte).await?;
    Verdict::decode(byte[0]).map_err(io::Error::other)
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
