//! Two nodes with one identity, and a node that comes back before its end was noticed.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::host::until;
use super::{FLAGS, LONG, Node, free_port};
use crate::error::ErrorKind;
use crate::net::{Identity, NetConfig, new_identity};

/// The identity that copies share.
#[derive(Clone, Copy)]
struct Shared([u8; 32]);

impl Shared {
    fn new() -> Self {
        Self(new_identity().unwrap())
    }

    fn start(self, bootstrap: &[String], change: impl FnOnce(&mut NetConfig)) -> Node {
        Node::with(|config| {
            config.bootstrap = bootstrap.to_vec();
            config.identity = Some(Identity { key: self.0, file: "/data/node/identity".into() });
            change(config);
        })
        .open()
    }
}

fn quic(config: &mut NetConfig) {
    config.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()];
}

/// It says why it has left, whatever it is asked, and is nowhere.
fn is_refused(copy: &Node, somebody: &Node) {
    until("it is refused", || copy.net.refusal().get().is_some());
    let errors = [
        copy.net.sync(FLAGS, LONG).unwrap_err(),
        copy.net.connect(&somebody.net.addrs()[0], LONG).unwrap_err(),
        copy.net.wait_held(FLAGS, copy.sets.question(FLAGS, 0), 1, LONG).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
        assert!(error.message().contains(&copy.net.id().to_string()), "{error}");
        assert!(error.message().contains("remove `/data/node/identity`"), "{error}");
    }
    assert!(copy.net.addrs().is_empty() && copy.net.peers().is_empty() && copy.net.members() == 0);
}

/// Both see one connection, the one they had, and hear each other.
fn go_on(first: &Node, third: &Node, link: &str) {
    assert_eq!(first.net.refusal().get(), None);
    let peers = third.net.peers();
    assert_eq!((peers.len(), &peers[0].id, &*peers[0].addr), (1, first.net.id(), link));
    let (len, sets) = (third.len(), first.sets.len(FLAGS));
    first.put(10);
    third.put(10);
    until("they hear each other", || third.has(len + 20) && first.has(sets + 20));
}

fn joins_through_a_third(change: fn(&mut NetConfig)) {
    let shared = Shared::new();
    let first = shared.start(&[], change);
    let third = Node::with(|config| {
        config.bootstrap = first.net.addrs();
        change(config);
    })
    .open();
    until("the two meet", || first.meets(&third) && third.meets(&first));
    first.put(5);
    until("they arrive", || third.has(5));
    let link = third.net.peers()[0].addr.clone();

    let copy = shared.start(&third.net.addrs(), change);
    assert_eq!(copy.net.id(), first.net.id());
    is_refused(&copy, &third);
    assert_eq!(copy.sets.asked(), 0, "nothing was exchanged with it");
    go_on(&first, &third, &link);
}

#[test]
fn a_copy_that_joins_through_a_third_node_is_refused() {
    joins_through_a_third(|_| {});
}

#[test]
fn a_copy_that_joins_through_a_third_node_over_quic_is_refused() {
    joins_through_a_third(quic);
}

#[test]
fn a_copy_that_joins_through_the_first_is_refused() {
    for change in [|_: &mut NetConfig| {}, quic] {
        let shared = Shared::new();
        let first = shared.start(&[], change);
        let copy = shared.start(&first.net.addrs(), change);
        is_refused(&copy, &first);
        assert_eq!(first.net.refusal().get(), None);
    }
}

#[test]
fn a_copy_that_the_first_dials_is_refused() {
    let shared = Shared::new();
    let other = format!("/ip4/127.0.0.1/tcp/{}", free_port());
    let first = shared.start(std::slice::from_ref(&other), |_| {});
    let copy = shared.start(&[], |config| config.listen = vec![other]);
    is_refused(&copy, &first);
    assert_eq!(first.net.refusal().get(), None);
}

#[test]
fn a_caller_who_waits_hears_why() {
    let shared = Shared::new();
    let first = shared.start(&[], |_| {});
    let copy = shared.start(&[], |_| {});
    let error = copy.net.connect(&first.net.addrs()[0], LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");

    let copy = shared.start(&[], |_| {});
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| copy.net.wait_held(FLAGS, copy.sets.question(FLAGS, 0), 1, LONG));
        let error = first.net.connect(&copy.net.addrs()[0], LONG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
        assert!(error.message().contains("was refused"), "{error}");
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Locked);
    });
}

#[test]
fn who_was_there_first_comes_back_and_the_copy_is_refused() {
    let shared = Shared::new();
    let third = Node::start(&[]).open();
    let copy = shared.start(&third.net.addrs(), |config| config.run = u64::MAX);
    until("the two meet", || third.meets(&copy) && copy.meets(&third));
    let first = shared.start(&third.net.addrs(), |_| {});
    is_refused(&copy, &third);
    until("the first is in", || third.meets(&first) && first.meets(&third));
    let link = third.net.peers()[0].addr.clone();
    go_on(&first, &third, &link);
}

#[test]
fn a_node_that_dials_itself_by_an_address_it_does_not_know_is_no_copy() {
    let (port, shared) = (free_port(), Shared::new());
    let by_another_name = format!("/ip4/127.0.0.2/tcp/{port}");
    let node = shared.start(std::slice::from_ref(&by_another_name), |config| {
        config.listen = vec![format!("/ip4/0.0.0.0/tcp/{port}")];
    });
    let error = node.net.connect(&by_another_name, LONG).unwrap_err();
    assert!(error.message().contains("own address"), "{error}");
    let third = Node::start(&[by_another_name]).open();
    until("others join there", || third.meets(&node) && node.meets(&third));
    assert_eq!(node.net.refusal().get(), None);
}

/// A line between a node and another: it can go dead without either end being told.
struct Line {
    addr: String,
    dead: Arc<AtomicBool>,
    /// Keeps the ends open.
    _ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    /// To that node, for one connection.
    fn to(node: &Node) -> Self {
        let parts: Vec<String> = node.net.addrs()[0].split('/').map(str::to_owned).collect();
        let to: SocketAddr = format!("{}:{}", parts[2], parts[4]).parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = format!("/ip4/127.0.0.1/tcp/{}", listener.local_addr().unwrap().port());
        let (dead, ends) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<TcpStream>>>::default());
        let line = Self { addr, dead: dead.clone(), _ends: ends.clone() };
        std::thread::spawn(move || {
            let (near, far) = (listener.accept().unwrap().0, TcpStream::connect(to).unwrap());
            for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                ends.lock().push(from.try_clone().unwrap());
                let dead = dead.clone();
                std::thread::spawn(move || carry(from, to, &dead));
            }
        });
        line
    }

    fn cut(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, dead: &AtomicBool) {
    let mut bytes = [0; 65_536];
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        if dead.load(Ordering::SeqCst) {
            return;
        }
        if read == 0 || to.write_all(&bytes[..read]).is_err() {
            // The other end may have gone as well.
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
}

#[test]
fn a_node_that_restarts_before_its_end_is_noticed_is_no_copy() {
    let shared = Shared::new();
    let third = Node::start(&[]).open();
    let line = Line::to(&third);
    let before = shared.start(std::slice::from_ref(&line.addr), |_| {});
    until("the two meet", || third.meets(&before) && before.meets(&third));
    line.cut();
    before.net.close();
    let old = third.net.peers()[0].addr.clone();

    let after = shared.start(&third.net.addrs(), |_| {});
    assert_eq!(third.net.peers()[0].addr, old, "its end has not been noticed");
    until("it is in", || third.meets(&after) && after.meets(&third) && third.net.peers()[0].addr != old);
    assert_eq!(after.net.refusal().get(), None);
    let link = third.net.peers()[0].addr.clone();
    go_on(&after, &third, &link);
}

#[test]
fn a_node_that_restarts_at_once_is_no_copy() {
    let shared = Shared::new();
    let third = Node::start(&[]).open();
    for _ in 0..5 {
        let node = shared.start(&third.net.addrs(), |_| {});
        until("it is in", || third.meets(&node) && node.meets(&third));
        assert_eq!(node.net.refusal().get(), None);
        node.put(1);
        until("its write arrives", || third.len() == node.len());
    }
}
