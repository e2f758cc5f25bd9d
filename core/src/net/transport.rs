//! Transports: how bytes get from node to node.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use libp2p::core::ConnectedPoint;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent};
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::transport::{Boxed, OrTransport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, dns, noise, quic, tcp};
use tokio::time::Sleep;

use super::admission::Admission;
use super::behaviour::internal;
use super::cork::Corked;
use super::hello::greet;
use super::runs::Seat;
use crate::error::{Error, Result};

/// A dial takes this long at most. Short, so that a dial that a cut link swallowed does not delay the next one.
const DIAL_TIMEOUT: Duration = Duration::from_secs(3);
/// Closing a connection takes this long at most.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250);

/// TCP with Noise and Yamux, and QUIC, both also by DNS name. A connection counts once each end has shown that it belongs here.
pub(super) fn transport(keypair: &Keypair, admission: &Arc<Admission>) -> Result<Boxed<(PeerId, StreamMuxerBox)>> {
    let named = dns::tokio::Transport::system(unnamed(keypair, admission)?).map(Transport::boxed).or_else(|error| {
        tracing::warn!(%error, "no DNS configuration: dialling by address and by the hosts file only");
        let nobody = dns::ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        Ok::<_, Error>(
            dns::tokio::Transport::custom(unnamed(keypair, admission)?, nobody, dns::ResolverOpts::default()).boxed(),
        )
    })?;
    let admission = admission.clone();
    // Outside DNS: an address is what was dialled, and not what its name leads to today.
    let trusted = named.and_then(move |(peer, muxer), end| {
        let taken = match &end {
            ConnectedPoint::Dialer { address, .. } => admission.trusts(peer, address),
            ConnectedPoint::Listener { .. } => Ok(()),
        };
        std::future::ready(taken.map(|()| (peer, muxer)))
    });
    Ok(TransportTimeout::new(trusted, DIAL_TIMEOUT).boxed())
}

/// The same without DNS.
fn unnamed(keypair: &Keypair, admission: &Arc<Admission>) -> Result<Boxed<(PeerId, StreamMuxerBox)>> {
    let noise = noise::Config::new(keypair).map_err(|error| internal(&error))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(Corked::default())
        .and_then(greeting(admission));
    let quic = quic::tokio::Transport::new(quic::Config::new(keypair)).and_then(greeting(admission));
    Ok(OrTransport::new(quic, tcp).map(|either, _| either.into_inner()).boxed())
}

/// What is done with a new connection before the swarm hears of it.
fn greeting<M>(admission: &Arc<Admission>) -> impl FnOnce((PeerId, M), ConnectedPoint) -> Greeting + Clone + Send + 'static
where
    M: StreamMuxer + Send + Unpin + 'static,
    M::Substream: Send + Unpin + 'static,
    M::Error: Send + Sync + 'static,
{
    let admission = admission.clone();
    move |(peer, muxer), end| {
        let dialled = end.is_dialer().then(|| end.get_remote_address().clone());
        let greet = greet(admission, peer, muxer, dialled);
        greet.map_ok(move |(muxer, seat)| (peer, StreamMuxerBox::new(Hasty::new(muxer, seat)))).boxed()
    }
}

type Greeting = BoxFuture<'static, io::Result<(PeerId, StreamMuxerBox)>>;

/// A connection that closes soon, whatever waits in it. Closing first sends what is queued, which on a dead link takes as
/// long as the kernel hopes: until then the peer would count as connected, and nobody would dial it.
struct Hasty<M> {
    muxer: M,
    closing: Option<Pin<Box<Sleep>>>,
    _seat: Seat,
}

impl<M> Hasty<M> {
    fn new(muxer: M, seat: Seat) -> Self {
        Self { muxer, closing: None, _seat: seat }
    }
}

impl<M: StreamMuxer + Unpin> StreamMuxer for Hasty<M> {
    type Substream = M::Substream;
    type Error = M::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::result::Result<M::Substream, M::Error>> {
        Pin::new(&mut self.muxer).poll_inbound(cx)
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::result::Result<M::Substream, M::Error>> {
        Pin::new(&mut self.muxer).poll_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::result::Result<(), M::Error>> {
        if let Poll::Ready(closed) = Pin::new(&mut self.muxer).poll_close(cx) {
            return Poll::Ready(closed);
        }
        self.closing.get_or_insert_with(|| Box::pin(tokio::time::sleep(CLOSE_TIMEOUT))).poll_unpin(cx).map(Ok)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::result::Result<StreamMuxerEvent, M::Error>> {
        Pin::new(&mut self.muxer).poll(cx)
    }
}
