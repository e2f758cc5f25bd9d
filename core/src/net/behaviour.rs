//! What the swarm is made of: protocols and their names.
//!
//! Every protocol name holds a hash of the cluster id, so nodes of two clusters that meet find no protocol in common.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, Swarm, connection_limits, swarm};

use super::admission::Admission;
use super::beat;
use super::codec::Frames;
use super::doors;
use super::flow::MAX_PROBE_BYTES;
use super::gossip;
use super::sealed::Sealed;
use super::transport::transport;
use super::{Host, NetConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_MEMBERS_BYTES, MAX_PENDING, MAX_SYNC_BYTES};
use crate::secret::{self, Keyring, Sealer};
use crate::wire;

/// A request and its response take this long at most.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Connections to one peer: two when both dialled at once, one of which is then closed.
const MAX_PER_PEER: u32 = 4;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    limits: connection_limits::Behaviour,
    doors: doors::Behaviour,
    pub gossip: gossip::Behaviour,
    pub sync: request_response::Behaviour<Frames>,
    pub members: request_response::Behaviour<Frames>,
    pub flow: request_response::Behaviour<Frames>,
    pub beat: beat::Behaviour,
}

/// The protocol names of one cluster.
struct Names {
    prefix: String,
}

impl Names {
    fn new(cluster_id: &str) -> Self {
        let hash = u128::from_be_bytes(cluster_hash(cluster_id));
        Self { prefix: format!("/p2pmap/1/{hash:032x}") }
    }

    fn name(&self, protocol: &str) -> String {
        format!("{}/{protocol}", self.prefix)
    }

    fn stream(&self, protocol: &str) -> Result<StreamProtocol> {
        StreamProtocol::try_from_owned(self.name(protocol)).map_err(|error| internal(&error))
    }
}

/// The secret half of a new Ed25519 key.
pub(crate) fn new_identity() -> Result<[u8; 32]> {
    let keypair = Keypair::generate_ed25519().try_into_ed25519().map_err(|error| internal(&error))?;
    let mut secret = [0; 32];
    secret.copy_from_slice(keypair.secret().as_ref());
    Ok(secret)
}

/// Who has that key.
pub(crate) fn peer_of(secret: [u8; 32]) -> Result<crate::PeerId> {
    Ok(super::shared::public(&keypair(Some(secret))?.public().to_peer_id()))
}

/// The key with that secret half, or a new one.
pub(super) fn keypair(secret: Option<[u8; 32]>) -> Result<Keypair> {
    Keypair::ed25519_from_bytes(secret.map_or_else(new_identity, Ok)?).map_err(|error| internal(&error))
}

/// What seals the payloads of this run of a node.
pub(super) fn sealed(keyring: &Arc<Keyring>, rejected: &Arc<AtomicU64>) -> Result<Sealed> {
    let sealer = || -> Result<_> {
        let mut salt = [0; 16];
        secret::draw(&mut salt).map_err(|error| internal(&error))?;
        Ok(Arc::new(Sealer::new(keyring.clone(), salt)))
    };
    Ok(Sealed::new(keyring.is_secret().then(sealer).transpose()?, rejected.clone()))
}

/// What names the cluster on the wire, to its members: nobody else gets as far as hearing protocol names.
fn cluster_hash(cluster_id: &str) -> [u8; 16] {
    wire::hash(&["p2pmap cluster", cluster_id])
}

/// A swarm that is not listening yet. Call it inside the runtime that is to poll the connections.
pub(super) fn swarm(
    config: &NetConfig,
    keypair: &Keypair,
    admission: &Arc<Admission>,
    sealed: &Sealed,
    rejected: &Arc<AtomicU64>,
    host: &Arc<dyn Host>,
) -> Result<Swarm<Behaviour>> {
    let names = Names::new(&config.cluster_id);
    let requests = |name: &str, cap: usize| -> Result<_> {
        Ok(request_response::Behaviour::with_codec(
            Frames::new(cap, rejected.clone(), sealed.clone()),
            [(names.stream(name)?, ProtocolSupport::Full)],
            request_response::Config::default().with_request_timeout(REQUEST_TIMEOUT),
        ))
    };
    // Peers are counted one by one when they connect; this is the outer wall, with room for both ends dialling at once.
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_PENDING))
        .with_max_established(Some(u32::try_from(2 * config.max_peers + 16).unwrap_or(u32::MAX)))
        .with_max_established_per_peer(Some(MAX_PER_PEER));

    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        doors: doors::Behaviour::default(),
        gossip: gossip::behaviour(names.name("gossip"), sealed.clone())?,
        sync: requests("sync", MAX_SYNC_BYTES)?,
        members: requests("members", MAX_MEMBERS_BYTES)?,
        flow: requests("flow", MAX_PROBE_BYTES)?,
        beat: beat::Behaviour::new(names.stream("beat")?, host.clone()),
    };
    let swarm_config = swarm::Config::with_tokio_executor()
        // Connections live until a heartbeat fails or this node ends them.
        .with_idle_connection_timeout(Duration::from_secs(u64::MAX))
        .with_per_connection_event_buffer_size(64);
    Ok(Swarm::new(transport(keypair, admission)?, behaviour, keypair.public().to_peer_id(), swarm_config))
}

/// The error for a step that fails only if p2pmap is wrong.
pub(super) fn internal(error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("the network cannot start: {error}"))
}
