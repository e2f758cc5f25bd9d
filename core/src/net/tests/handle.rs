//! What the handle promises: errors, and nothing left behind.

use std::time::Duration;

use super::host::{Sets, count, until};
use super::{FLAGS, LONG, Node, config, free_port, pair};
use crate::error::ErrorKind;
use crate::net::{NetConfig, Network};

#[test]
fn an_address_in_use_is_an_error_of_its_own() {
    let tcp = Node::start(&[]);
    let quic = Node::with(|config| config.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()]);
    for node in [&tcp, &quic] {
        let listen = node.net.addrs()[0].rsplit_once("/p2p/").unwrap().0.to_string();
        let config = NetConfig { listen: vec![listen.clone()], ..config() };
        let error = Network::start(config, Sets::new()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::AddressInUse, "{error}");
        assert!(error.message().contains(&listen), "{error}");
    }
}

#[test]
fn addresses_that_mean_nothing_are_refused() {
    for listen in ["tcp://1.2.3.4", "/memory/7", "/ip4/127.0.0.1"] {
        let error = Network::start(NetConfig { listen: vec![listen.into()], ..config() }, Sets::new()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{error}");
    }
    let error = Network::start(NetConfig { bootstrap: vec!["/memory/7".into()], ..config() }, Sets::new()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{error}");
    let not_ours = NetConfig { listen: vec!["/ip4/192.0.2.1/tcp/0".into()], ..config() };
    let error = Network::start(not_ours, Sets::new()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
}

#[test]
fn connect_says_what_went_wrong() {
    let (a, b) = (Node::start(&[]).open(), Node::start(&[]).open());
    let fails = |addr: &str, timeout| a.net.connect(addr, timeout).unwrap_err();

    assert_eq!(fails("nonsense", LONG).kind(), ErrorKind::InvalidArgument);
    assert_eq!(fails("/ip4/127.0.0.1", LONG).kind(), ErrorKind::InvalidArgument);
    let refused = fails(&format!("/ip4/127.0.0.1/tcp/{}", free_port()), LONG);
    assert_eq!(refused.kind(), ErrorKind::Network);
    assert!(refused.message().contains("refused"), "{refused}");
    let own = fails(&a.net.addrs()[0], LONG);
    assert_eq!(own.kind(), ErrorKind::Network, "{own}");
    assert_eq!(fails(&b.net.addrs()[0], Duration::ZERO).kind(), ErrorKind::Timeout);

    let addr = &b.net.addrs()[0];
    assert_eq!(&a.net.connect(addr, LONG).unwrap(), b.net.id());
    assert_eq!(&a.net.connect(addr, LONG).unwrap(), b.net.id(), "once more");
    let unnamed = addr.rsplit_once("/p2p/").unwrap().0;
    assert_eq!(&a.net.connect(unnamed, LONG).unwrap(), b.net.id(), "by address alone");
    let by_name = unnamed.replace("/ip4/127.0.0.1", "/dns4/localhost");
    assert_eq!(&a.net.connect(&by_name, LONG).unwrap(), b.net.id(), "by name");

    a.net.close();
    assert_eq!(fails(addr, LONG).kind(), ErrorKind::Closed);
    assert_eq!(a.net.sync(FLAGS, LONG).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn close_is_idempotent_and_leaves_nothing() {
    // In a process of its own: other tests have files and threads, too.
    let test = "net::tests::handle::open_and_close_thirty_times";
    let this = std::env::current_exe().unwrap();
    let child = std::process::Command::new(this).args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
}

#[test]
#[ignore = "run by the test above"]
fn open_and_close_thirty_times() {
    let cycle = || {
        let (a, b) = pair();
        a.put(10);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| a.net.close());
            }
        });
        a.net.close();
        b.net.close();
    };
    // Once, for what lives as long as the process.
    cycle();
    let (files, threads) = (count("/proc/self/fd"), count("/proc/self/task"));
    for _ in 0..30 {
        cycle();
    }
    // The kernel buries a joined thread a moment later, and the process's one timer thread lets go of the last wakers.
    until("no file is left", || count("/proc/self/fd") <= files);
    until("no thread is left", || count("/proc/self/task") <= threads);
}
