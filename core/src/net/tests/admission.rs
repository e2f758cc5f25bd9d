//! Who is let in, over TCP and QUIC, and what a stranger is told.

use super::host::until;
use super::{LONG, Node};
use crate::error::ErrorKind;
use crate::net::{Identity, NetConfig, new_identity};
use crate::secret::Secret;

const FIRST: &str = "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d";
const SECOND: &str = "45c48cce2e2d7fbdea1afc51c7c6ad26d3d9446802a44259755d38e6d163e820";

fn node(bootstrap: &[String], secrets: &[&str], change: impl FnOnce(&mut NetConfig)) -> Node {
    Node::with(|config| {
        config.bootstrap = bootstrap.to_vec();
        config.secrets = secrets.iter().map(|text| Secret::parse(text).unwrap()).collect();
        change(config);
    })
    .open()
}

fn tcp(_: &mut NetConfig) {}

fn quic(config: &mut NetConfig) {
    config.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()];
}

fn exchange(one: &Node, other: &Node) {
    until("the two meet", || one.meets(other) && other.meets(one));
    let (before, sum) = (one.len().max(other.len()), one.len().max(other.len()) + 2);
    one.put(1);
    until("it arrives", || other.len() > before);
    other.put(1);
    until("and the answer", || one.len() == sum);
}

/// Connections from that address that say nothing.
fn crowd(from: &str, to: &Node, count: usize) -> Vec<tokio::net::TcpStream> {
    let addr = to.net.addrs().swap_remove(0);
    let parts: Vec<&str> = addr.split('/').collect();
    let to = format!("{}:{}", parts[2], parts[4]).parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connect = || async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        socket.connect(to).await.unwrap()
    };
    (0..count).map(|_| runtime.block_on(connect())).collect()
}

#[test]
fn g9_who_stands_in_the_door_keeps_nobody_else_out() {
    let a = node(&[], &[FIRST], tcp);
    let b = node(&[], &[FIRST], tcp);
    let waiting = crowd("127.0.0.2", &a, 300);
    b.net.connect(&a.net.addrs()[0], LONG).unwrap();
    drop(waiting);
    exchange(&a, &b);
}

/// Neither lets the other in, and who dials is told why.
fn refuses(one: &Node, other: &Node, why: &str) {
    for (from, to) in [(one, other), (other, one)] {
        let error = from.net.connect(&to.net.addrs()[0], LONG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
        assert!(error.message().contains(why), "{error}");
        let kept = from.net.stranger().expect("it is kept");
        assert!(kept.contains(why) && kept.contains(&to.net.id().to_string()), "{kept}");
    }
    assert!(one.net.peers().is_empty() && other.net.peers().is_empty());
}

#[test]
fn g9_who_knows_the_secret_joins_and_what_is_sent_arrives() {
    for transport in [tcp, quic] {
        let a = node(&[], &[FIRST], transport);
        a.put(1000);
        let b = node(&a.net.addrs(), &[FIRST], transport);
        until("it is pulled", || b.len() == 1000);
        exchange(&a, &b);
        assert_eq!((a.net.rejected(), b.net.rejected()), (0, 0));
    }
}

#[test]
fn g9_another_secret_none_and_another_cluster_are_refused_and_told_why() {
    for transport in [tcp, quic] {
        let member = node(&[], &[FIRST], transport);
        refuses(&member, &node(&[], &[SECOND], transport), "`cluster_secret`");
        refuses(&member, &node(&[], &[], transport), "`cluster_secret`");
        let elsewhere = node(&[], &[FIRST], |config| {
            transport(config);
            config.cluster_id = "another".into();
        });
        refuses(&member, &elsewhere, "`cluster_id`");
    }
}

#[test]
fn g9_nodes_in_the_midst_of_changing_their_secret_understand_each_other() {
    let rings = [&[FIRST][..], &[FIRST, SECOND], &[SECOND, FIRST], &[SECOND]];
    for pair in rings.windows(2) {
        let a = node(&[], pair[0], tcp);
        let b = node(&a.net.addrs(), pair[1], tcp);
        exchange(&a, &b);
        assert_eq!((a.net.rejected(), b.net.rejected()), (0, 0));
    }
}

#[test]
fn g9_only_who_is_on_the_list_is_let_in() {
    let key = new_identity().unwrap();
    let known = |config: &mut NetConfig| config.identity = Some(Identity { key, file: "/data/identity".into() });
    let listed = node(&[], &[FIRST], known);
    let id = listed.net.id().clone();
    let picky = node(&[], &[FIRST], |config| config.allow_peers = vec![id]);
    refuses(&picky, &node(&[], &[FIRST], tcp), "`allow_peers`");
    picky.net.connect(&listed.net.addrs()[0], LONG).unwrap();
    assert_eq!(picky.net.stranger(), None);
    exchange(&picky, &listed);
}

#[test]
fn g9_who_is_banned_is_put_out_told_so_and_not_let_in_again() {
    for transport in [tcp, quic] {
        let one = node(&[], &[FIRST], transport);
        let other = node(&one.net.addrs(), &[FIRST], transport);
        exchange(&one, &other);
        one.net.ban(other.net.id()).unwrap();
        until("it is out", || one.net.peers().is_empty() && other.net.peers().is_empty());
        refuses(&one, &other, "banned by");
        // Somebody who knows both tells each of the other.
        let third = node(&[one.net.addrs(), other.net.addrs()].concat(), &[FIRST], transport);
        exchange(&one, &third);
        until("they meet", || third.meets(&other));
        assert_eq!((one.net.members(), one.net.banned()), (1, vec![other.net.id().clone()]));
        assert_eq!(one.net.ban(one.net.id()).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn g9_who_is_banned_from_the_start_never_gets_in() {
    let key = new_identity().unwrap();
    let known = |config: &mut NetConfig| config.identity = Some(Identity { key, file: "/data/identity".into() });
    let banned = node(&[], &[FIRST], known);
    let id = banned.net.id().clone();
    let strict = node(&[], &[FIRST], |config| config.ban_peers = vec![id]);
    refuses(&strict, &banned, "banned by");
}
