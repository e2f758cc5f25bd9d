//! `trust=tofu`: who was found at an address first.

use super::durable::Dir;
use super::guarantees::eventually;
use super::*;
use crate::Node;

const LONG: Duration = Duration::from_secs(30);

fn listening(addr: &str) -> Node {
    let mut config = Config::new();
    config.set("listen", addr).unwrap();
    Node::open(config).unwrap()
}

fn trusting(dir: &Dir, bootstrap: &str) -> Node {
    let mut config = Config::new();
    config.set("data_dir", dir.path().to_str().unwrap()).unwrap();
    config.set("trust", "tofu").unwrap().set("bootstrap", bootstrap).unwrap();
    Node::open(config).unwrap()
}

/// Without the peer id.
fn bare(node: &Node) -> String {
    node.addrs()[0].split("/p2p/").next().unwrap().to_owned()
}

#[test]
fn g9_whoever_takes_the_place_of_a_node_at_its_address_is_refused_and_shown() {
    let dir = Dir::new();
    let first = listening("/ip4/127.0.0.1/tcp/0");
    let (addr, original) = (bare(&first), first.id().clone());
    let node = trusting(&dir, &addr);
    eventually("it joins", || node.peers().unwrap().len() == 1);
    let kept = std::fs::read_to_string(dir.path().join("trust")).unwrap();
    assert!(kept.contains(&format!("{addr} {original}")), "{kept}");
    first.close();
    eventually("it is gone", || node.peers().unwrap().is_empty());

    // Its own name is demanded of whoever is dialled by it: that needs no trust, and changes none.
    let second = listening(&addr);
    let is_refused = |node: &Node| {
        let error = node.connect(&addr, LONG).unwrap_err();
        let shown = node.status().unwrap().admission_error.unwrap_or_default();
        for text in [error.message(), &shown] {
            let named = [&*original.to_string(), &*second.id().to_string(), "trust"];
            assert!(named.iter().all(|word| text.contains(word)), "{text}");
        }
        assert!(node.peers().unwrap().is_empty());
    };
    is_refused(&node);
    node.close();
    let node = trusting(&dir, &addr);
    is_refused(&node);

    std::fs::write(dir.path().join("trust"), "").unwrap();
    assert_eq!(node.connect(&addr, LONG).unwrap(), *second.id(), "it was replaced");
    let kept = std::fs::read_to_string(dir.path().join("trust")).unwrap();
    assert!(kept.contains(&second.id().to_string()) && !kept.contains(&original.to_string()), "{kept}");
}

#[test]
fn what_is_no_line_of_that_file_lets_nobody_in() {
    let (dir, other) = (Dir::new(), listening("/ip4/127.0.0.1/tcp/0"));
    let node = trusting(&dir, "");
    std::fs::write(dir.path().join("trust"), "# said by hand\n\nnonsense\n").unwrap();
    let error = node.connect(&bare(&other), LONG).unwrap_err();
    assert!(error.message().contains("line 3"), "{error}");
}

#[test]
fn trust_needs_a_place_to_remember_in() {
    let mut config = Config::new();
    config.set("trust", "tofu").unwrap();
    let error = Node::open(config.clone()).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidConfig && error.message().contains("data_dir"), "{error}");
    assert!(config.set("trust", "everybody").is_err());
    config.set("trust", "any").unwrap();
    Node::open(config).unwrap();
}
