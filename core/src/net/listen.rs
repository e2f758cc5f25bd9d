//! Listening, and the addresses that come from the configuration.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, ErrorKind as IoErrorKind};
use std::net::{IpAddr, TcpListener, UdpSocket};

use futures::{FutureExt, StreamExt};
use libp2p::core::transport::{ListenerId, TransportError};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId as Id, Swarm};

use super::addr;
use super::behaviour::Behaviour;
use crate::PeerId;
use crate::error::{Error, ErrorKind, Result};

/// Listens on all of them, and returns when each has said where, or with the first error.
pub(super) async fn listen(swarm: &mut Swarm<Behaviour>, addrs: &[String]) -> Result<()> {
    let mut starting: HashMap<ListenerId, Multiaddr> = HashMap::new();
    for addr in parse_all("listen", addrs)? {
        probe(&addr)?;
        match swarm.listen_on(addr.clone()) {
            Ok(listener) => {
                starting.insert(listener, addr);
            }
            Err(TransportError::MultiaddrNotSupported(_)) => {
                let form = "/ip4|ip6/<address>/tcp/<port> or .../udp/<port>/quic-v1";
                return Err(Error::new(ErrorKind::InvalidConfig, format!("listen: `{addr}` is not of the form {form}")));
            }
            Err(TransportError::Other(error)) => return Err(refused(&addr, &error)),
        }
    }
    while !starting.is_empty() {
        let event = swarm.select_next_some().await;
        started(&mut starting, event)?;
    }
    // A wildcard has as many addresses as the machine; those known by now are all told.
    while let Some(Some(event)) = swarm.next().now_or_never() {
        started(&mut starting, event)?;
    }
    Ok(())
}

/// Binds the port for a moment, as a socket that shares it with nobody. libp2p listens on TCP with `SO_REUSEPORT`, with
/// which two nodes of one user would share a port without either knowing.
fn probe(addr: &Multiaddr) -> Result<()> {
    let mut parts = addr.iter();
    let ip: IpAddr = match parts.next() {
        Some(Protocol::Ip4(ip)) => ip.into(),
        Some(Protocol::Ip6(ip)) => ip.into(),
        _ => return Ok(()),
    };
    let bound = match parts.next() {
        Some(Protocol::Tcp(port)) if port != 0 => TcpListener::bind((ip, port)).map(drop),
        Some(Protocol::Udp(port)) if port != 0 => UdpSocket::bind((ip, port)).map(drop),
        _ => Ok(()),
    };
    bound.map_err(|error| refused(addr, &error))
}

fn started<E>(starting: &mut HashMap<ListenerId, Multiaddr>, event: SwarmEvent<E>) -> Result<()> {
    match event {
        SwarmEvent::NewListenAddr { listener_id, .. } => {
            starting.remove(&listener_id);
        }
        SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
            if let (Some(addr), Err(error)) = (starting.remove(&listener_id), reason) {
                return Err(refused(&addr, &error));
            }
        }
        SwarmEvent::ListenerError { listener_id, error } => {
            if let Some(addr) = starting.remove(&listener_id) {
                return Err(refused(&addr, &error));
            }
        }
        _ => {}
    }
    Ok(())
}

fn refused(addr: &Multiaddr, error: &io::Error) -> Error {
    // The transports wrap errors until only the text tells what they were.
    if error.kind() == IoErrorKind::AddrInUse || error.to_string().contains("Address already in use") {
        let message = format!("`{addr}` is in use by another socket; listen on another port, or on port 0 for a free one");
        return Error::new(ErrorKind::AddressInUse, message);
    }
    Error::new(ErrorKind::Network, format!("cannot listen on `{addr}`: {error}"))
}

/// Errors: `InvalidConfig`.
pub(super) fn parse_all(option: &str, texts: &[String]) -> Result<Vec<Multiaddr>> {
    let parse = |text: &String| {
        text.parse::<Multiaddr>()
            .map_err(|error| Error::new(ErrorKind::InvalidConfig, format!("{option}: `{text}` is not a multiaddr: {error}")))
    };
    texts.iter().map(parse).collect()
}

/// The bootstrap addresses, each with the peer that it names. Errors: `InvalidConfig`.
pub(super) fn parse_seeds(texts: &[String]) -> Result<Vec<(Multiaddr, Option<Id>)>> {
    let seed = |parsed: Multiaddr| {
        let dialled = addr::dialable(&parsed).ok_or_else(|| {
            let form = "/ip4|ip6|dns4|dns6/<host>/tcp/<port> or .../udp/<port>/quic-v1";
            Error::new(ErrorKind::InvalidConfig, format!("bootstrap: `{parsed}` is not of the form {form}"))
        })?;
        Ok((dialled, addr::peer_of(&parsed)))
    };
    parse_all("bootstrap", texts)?.into_iter().map(seed).collect()
}

/// The peers that are let in; `None`: all who know the secret. Errors: `InvalidConfig`.
pub(super) fn allowed(list: &[PeerId]) -> Result<Option<BTreeSet<Id>>> {
    Ok(Some(peers("allow_peers", list)?).filter(|ids| !ids.is_empty()))
}

/// Peers that an option lists. Errors: `InvalidConfig`.
pub(super) fn peers(option: &str, list: &[PeerId]) -> Result<BTreeSet<Id>> {
    let parse = |peer: &PeerId| {
        Id::from_bytes(peer.as_bytes())
            .map_err(|error| Error::new(ErrorKind::InvalidConfig, format!("{option}: `{peer}` is no peer id: {error}")))
    };
    list.iter().map(parse).collect()
}
