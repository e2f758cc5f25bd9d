//! Addresses as users write them: multiaddrs, or host:port for short.

use std::net::{IpAddr, SocketAddr};

/// What to listen on: host:port is TCP and QUIC on that port.
pub fn listen(text: &str) -> Option<Vec<String>> {
    if is_multiaddr(text) {
        return Some(vec![text.to_owned()]);
    }
    let addr: SocketAddr = text.replace("localhost:", "127.0.0.1:").parse().ok()?;
    let (host, port) = (ip_part(addr.ip()), addr.port());
    Some(vec![format!("{host}/tcp/{port}"), format!("{host}/udp/{port}/quic-v1")])
}

/// Whom to dial: host:port is TCP; the host may be a name.
pub fn dial(text: &str) -> Option<Vec<String>> {
    if is_multiaddr(text) {
        return Some(vec![text.to_owned()]);
    }
    if let Ok(addr) = text.parse::<SocketAddr>() {
        return Some(vec![format!("{}/tcp/{}", ip_part(addr.ip()), addr.port())]);
    }
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let is_name = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    is_name.then(|| vec![format!("/dns/{host}/tcp/{port}")])
}

/// Whether a listen address can only be reached from this machine.
pub fn is_loopback(multiaddr: &str) -> bool {
    let mut parts = multiaddr.split('/').skip(1);
    match (parts.next(), parts.next().and_then(|ip| ip.parse::<IpAddr>().ok())) {
        (Some("ip4" | "ip6"), Some(ip)) => ip.is_loopback(),
        _ => false,
    }
}

/// Only its shape: the network layer parses it whole.
fn is_multiaddr(text: &str) -> bool {
    text.starts_with('/') && text.len() > 1
}

fn ip_part(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("/ip4/{ip}"),
        IpAddr::V6(ip) => format!("/ip6/{ip}"),
    }
}
