//! What the swarm is made of: transports, protocols and their names.
//!
//! Every protocol name holds a hash of the cluster id, so nodes of two clusters that meet find no protocol in common.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::transport::{Boxed, OrTransport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{PeerId, StreamProtocol, Swarm, Transport, connection_limits, dns, noise, quic, swarm, tcp, yamux};

use super::beat;
use super::codec::Frames;
use super::gossip;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_MEMBERS_BYTES, MAX_SYNC_BYTES};

/// A dial takes this long at most. Short, so that a dial that a cut link swallowed does not delay the next one.
const DIAL_TIMEOUT: Duration = Duration::from_secs(3);
/// A request and its response take this long at most.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Inbound connections that have not proved who they are yet.
const MAX_PENDING_INBOUND: u32 = 128;
/// Connections to one peer: two when both dialled at once, one of which is then closed.
const MAX_PER_PEER: u32 = 4;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    limits: connection_limits::Behaviour,
    pub gossip: gossip::Behaviour,
    pub sync: request_response::Behaviour<Frames>,
    pub members: request_response::Behaviour<Frames>,
    pub beat: beat::Behaviour,
}

/// The protocol names of one cluster.
struct Names {
    prefix: String,
}

impl Names {
    fn new(cluster_id: &str) -> Self {
        let hash = xxhash_rust::xxh3::xxh3_128(format!("p2pmap cluster\0{cluster_id}").as_bytes());
        Self { prefix: format!("/p2pmap/1/{hash:032x}") }
    }

    fn name(&self, protocol: &str) -> String {
        format!("{}/{protocol}", self.prefix)
    }

    fn stream(&self, protocol: &str) -> Result<StreamProtocol> {
        StreamProtocol::try_from_owned(self.name(protocol)).map_err(|error| internal(&error))
    }
}

/// A swarm with a new identity, not listening yet. Call it inside the runtime that is to poll the connections.
pub(super) fn swarm(cluster_id: &str, max_peers: usize, rejected: &Arc<AtomicU64>) -> Result<Swarm<Behaviour>> {
    let keypair = Keypair::generate_ed25519();
    let names = Names::new(cluster_id);
    let requests = |name: &str, cap: usize| -> Result<_> {
        Ok(request_response::Behaviour::with_codec(
            Frames::new(cap, rejected.clone()),
            [(names.stream(name)?, ProtocolSupport::Full)],
            request_response::Config::default().with_request_timeout(REQUEST_TIMEOUT),
        ))
    };
    // Peers are counted one by one when they connect; this is the outer wall, with room for both ends dialling at once.
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_PENDING_INBOUND))
        .with_max_established(Some(u32::try_from(2 * max_peers + 16).unwrap_or(u32::MAX)))
        .with_max_established_per_peer(Some(MAX_PER_PEER));

    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        gossip: gossip::behaviour(names.name("gossip"))?,
        sync: requests("sync", MAX_SYNC_BYTES)?,
        members: requests("members", MAX_MEMBERS_BYTES)?,
        beat: beat::Behaviour::new(names.stream("beat")?),
    };
    let config = swarm::Config::with_tokio_executor()
        // Connections live until a heartbeat fails or this node ends them.
        .with_idle_connection_timeout(Duration::from_secs(u64::MAX))
        .with_per_connection_event_buffer_size(64);
    Ok(Swarm::new(transport(&keypair)?, behaviour, keypair.public().to_peer_id(), config))
}

/// TCP with Noise and Yamux, and QUIC, both also by DNS name.
fn transport(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>> {
    let named = dns::tokio::Transport::system(unnamed(keypair)?).map(Transport::boxed).or_else(|error| {
        tracing::warn!(%error, "no DNS configuration: dialling by address and by the hosts file only");
        let nobody = dns::ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        Ok::<_, Error>(dns::tokio::Transport::custom(unnamed(keypair)?, nobody, dns::ResolverOpts::default()).boxed())
    })?;
    Ok(TransportTimeout::new(named, DIAL_TIMEOUT).boxed())
}

fn unnamed(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>> {
    let noise = noise::Config::new(keypair).map_err(|error| internal(&error))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let quic = quic::tokio::Transport::new(quic::Config::new(keypair))
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    Ok(OrTransport::new(quic, tcp).map(|either, _| either.into_inner()).boxed())
}

/// The error for a step that fails only if p2pmap is wrong.
pub(super) fn internal(error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("the network cannot start: {error}"))
}

/// Whether `error` says that an address is taken, however deep.
pub(super) fn is_address_in_use(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            if io.kind() == io::ErrorKind::AddrInUse || io.get_ref().is_some_and(|inner| is_address_in_use(inner)) {
                return true;
            }
        }
        next = error.source();
    }
    false
}
