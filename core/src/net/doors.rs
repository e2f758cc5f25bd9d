//! How many connections from one address may wait to be let in: nobody keeps others out by standing in the door.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::task::{Context, Poll};

use libp2p::PeerId as Id;
use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::FromSwarm;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};

use crate::limits::MAX_PENDING_OF_ADDRESS;

/// Those that have connected and not yet proved that they belong here.
#[derive(Default)]
pub(super) struct Behaviour {
    waiting: HashMap<ConnectionId, IpAddr>,
    of: HashMap<IpAddr, usize>,
}

#[derive(Debug, thiserror::Error)]
#[error("{MAX_PENDING_OF_ADDRESS} connections from {0} are waiting to be let in already")]
struct Crowded(IpAddr);

impl Behaviour {
    fn enter(&mut self, connection: ConnectionId, addr: IpAddr) -> Result<(), Crowded> {
        let count = self.of.entry(addr).or_default();
        if *count >= MAX_PENDING_OF_ADDRESS {
            return Err(Crowded(addr));
        }
        *count += 1;
        self.waiting.insert(connection, addr);
        Ok(())
    }

    /// It is let in, or gone.
    fn leave(&mut self, connection: ConnectionId) {
        let Some(addr) = self.waiting.remove(&connection) else { return };
        if let Some(count) = self.of.get_mut(&addr) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&addr);
            }
        }
    }
}

/// Who is there, as far as an address tells: of IPv6 the network, of which one host has as many addresses as it likes.
fn source(addr: &Multiaddr) -> Option<IpAddr> {
    addr.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64))),
        _ => None,
    })
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        source(remote).map_or(Ok(()), |addr| self.enter(connection, addr)).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: Id,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.leave(connection);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: Id,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(failure) = event {
            self.leave(failure.connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: Id, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(doors: &mut Behaviour, connection: usize, addr: &str) -> bool {
        let addr: Multiaddr = addr.parse().unwrap();
        doors.handle_pending_inbound_connection(ConnectionId::new_unchecked(connection), &addr, &addr).is_ok()
    }

    #[test]
    fn one_address_fills_its_share_and_no_more() {
        let mut doors = Behaviour::default();
        let entered = (0..100).filter(|at| enter(&mut doors, *at, &format!("/ip4/10.0.0.1/tcp/{at}"))).count();
        assert_eq!(entered, MAX_PENDING_OF_ADDRESS);
        assert!(enter(&mut doors, 100, "/ip4/10.0.0.2/tcp/1") && enter(&mut doors, 101, "/ip6/2001:db8::1/tcp/1"));
        doors.leave(ConnectionId::new_unchecked(5));
        assert!(enter(&mut doors, 102, "/ip4/10.0.0.1/udp/1/quic-v1") && !enter(&mut doors, 103, "/ip4/10.0.0.1/tcp/1"));
        (0..104).for_each(|at| doors.leave(ConnectionId::new_unchecked(at)));
        assert!(doors.of.is_empty() && doors.waiting.is_empty());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one() {
        let mut doors = Behaviour::default();
        let entered = (0..100).filter(|at| enter(&mut doors, *at, &format!("/ip6/2001:db8::{at}/tcp/1"))).count();
        assert_eq!(entered, MAX_PENDING_OF_ADDRESS);
        assert!(enter(&mut doors, 100, "/ip6/2001:db8:0:1::1/tcp/1"));
    }
}
