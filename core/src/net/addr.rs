//! Addresses: which of them may be dialled, and whom they name.

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// The address without its `/p2p/...`, if it is one that this node can dial: an IP address or DNS name, then TCP or QUIC.
/// Unspecified, multicast, broadcast and link-local IPv6 addresses (these need a zone) and port 0 are not.
pub(super) fn dialable(addr: &Multiaddr) -> Option<Multiaddr> {
    let mut parts = addr.iter().peekable();
    let mut dialled = Multiaddr::empty();

    let host = parts.next()?;
    let fits = match &host {
        Protocol::Ip4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        Protocol::Ip6(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_unicast_link_local(),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => !name.is_empty(),
        _ => false,
    };
    if !fits {
        return None;
    }
    dialled.push(host);

    match parts.next()? {
        Protocol::Tcp(port) if port != 0 => dialled.push(Protocol::Tcp(port)),
        Protocol::Udp(port) if port != 0 => {
            if parts.next()? != Protocol::QuicV1 {
                return None;
            }
            dialled.push(Protocol::Udp(port));
            dialled.push(Protocol::QuicV1);
        }
        _ => return None,
    }
    if matches!(parts.peek(), Some(Protocol::P2p(_))) {
        parts.next();
    }
    parts.next().is_none().then_some(dialled)
}

/// The peer that the address ends with.
pub(super) fn peer_of(addr: &Multiaddr) -> Option<PeerId> {
    match addr.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

/// Whether only processes on the same machine can dial it.
pub(super) fn is_loopback(addr: &Multiaddr) -> bool {
    match addr.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => name == "localhost",
        _ => false,
    }
}

/// `listened` as it looks from the outside when its host is seen as `observed`: behind a translated network, a node knows
/// its port but not its address.
pub(super) fn observed_as(listened: &Multiaddr, observed: &Multiaddr) -> Option<Multiaddr> {
    let host = observed.iter().next().filter(|part| matches!(part, Protocol::Ip4(_) | Protocol::Ip6(_)))?;
    let same_family =
        matches!((listened.iter().next()?, &host), (Protocol::Ip4(_), Protocol::Ip4(_)) | (Protocol::Ip6(_), Protocol::Ip6(_)));
    if !same_family {
        return None;
    }
    dialable(&std::iter::once(host.acquire()).chain(listened.iter().skip(1).map(|part| part.acquire())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_tcp_and_quic_to_a_host_can_be_dialled() {
        let peer = PeerId::random();
        for good in ["/ip4/10.0.0.1/tcp/7400", "/ip6/::1/tcp/1", "/dns4/seed/tcp/7400", "/ip4/1.2.3.4/udp/5/quic-v1"] {
            assert_eq!(dialable(&addr(good)), Some(addr(good)));
            assert_eq!(dialable(&addr(&format!("{good}/p2p/{peer}"))), Some(addr(good)));
        }
        for bad in [
            "/ip4/0.0.0.0/tcp/7400",
            "/ip4/224.0.0.1/tcp/7400",
            "/ip4/255.255.255.255/tcp/7400",
            "/ip6/::/tcp/7400",
            "/ip6/fe80::1/tcp/7400",
            "/ip4/10.0.0.1/tcp/0",
            "/ip4/10.0.0.1/udp/7400",
            "/ip4/10.0.0.1",
            "/tcp/7400",
            "/memory/7",
            "/unix/tmp",
            "/ip4/10.0.0.1/tcp/7400/ws",
        ] {
            assert_eq!(dialable(&addr(bad)), None, "{bad}");
        }
    }

    #[test]
    fn an_observed_address_keeps_the_port_it_listens_on() {
        let seen = addr("/ip4/192.0.2.7/tcp/51234");
        assert_eq!(observed_as(&addr("/ip4/10.0.0.1/tcp/7400"), &seen), Some(addr("/ip4/192.0.2.7/tcp/7400")));
        assert_eq!(observed_as(&addr("/ip4/10.0.0.1/udp/7400/quic-v1"), &seen), Some(addr("/ip4/192.0.2.7/udp/7400/quic-v1")));
        assert_eq!(observed_as(&addr("/ip6/::1/tcp/7400"), &seen), None);
    }
}
