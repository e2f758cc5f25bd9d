//! Operations that open things, and operations on nodes.

use std::sync::Arc;
use std::time::Duration;

use p2pmap::{Config, MapOptions, Node, PeerId, Validator};

use super::player::{Outcome, Player, Trouble, list, ok, one};

const CONNECT: Duration = Duration::from_secs(10);

impl Player {
    pub(super) fn on_node(&mut self, op: &str, args: &[&str]) -> Outcome {
        match (op, args) {
            ("node", [name, options @ ..]) => {
                let node = Node::open(self.config(options)?)?;
                self.nodes.insert(name.to_string(), node);
                ok()
            }
            ("map", [name, node, map, options @ ..]) => {
                let options = self.map_options(options)?;
                let map = self.named_node(node)?.map(&self.text(map)?, options)?;
                self.maps.insert(name.to_string(), map);
                ok()
            }
            ("open", [name, map, options @ ..]) => {
                let map = p2pmap::open(&self.text(map)?, self.config(options)?)?;
                self.maps.insert(name.to_string(), map);
                ok()
            }
            ("id", [node]) => one(self.named_node(node)?.id().to_string()),
            ("addr", [node]) => match self.named_node(node)?.addrs().into_iter().next() {
                Some(addr) => one(addr),
                None => one("none"),
            },
            ("connect", [node, addr]) => self.connect(node, addr, CONNECT),
            ("connect", [node, addr, ms]) => self.connect(node, addr, Duration::from_millis(self.number(ms)?)),
            ("peers", [node]) => {
                let peers = self.named_node(node)?.peers()?;
                list(sorted(peers.iter().map(|peer| peer.id.to_string())))
            }
            ("maps", [node]) => list(sorted(self.named_node(node)?.maps()?.into_iter())),
            _ => Err(Trouble::Script(format!("{op}: wrong arguments"))),
        }
    }

    fn connect(&self, node: &str, addr: &str, timeout: Duration) -> Outcome {
        let peer: PeerId = self.named_node(node)?.connect(&self.text(addr)?, timeout)?;
        one(peer.to_string())
    }

    fn config(&self, options: &[&str]) -> Result<Config, Trouble> {
        let mut config = Config::new();
        for token in options {
            match self.text_option(token)? {
                ("function", function) => config.validator(validator(&function)?),
                (name, value) => config.set(name, &value)?,
            };
        }
        Ok(config)
    }

    fn map_options(&self, options: &[&str]) -> Result<MapOptions, Trouble> {
        let mut map_options = MapOptions::new();
        for token in options {
            match self.text_option(token)? {
                ("function", function) => map_options.validator(validator(&function)?),
                (name, value) => map_options.set(name, &value)?,
            };
        }
        Ok(map_options)
    }

    fn text_option<'a>(&self, token: &'a str) -> Result<(&'a str, String), Trouble> {
        let (name, value) = self.option(token)?;
        let value = String::from_utf8(value).map_err(|_| Trouble::Script(format!("{token} is not UTF-8")))?;
        Ok((name, value))
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<Vec<u8>> {
    let mut tokens: Vec<Vec<u8>> = texts.map(String::into_bytes).collect();
    tokens.sort();
    tokens
}

/// `refuse:TEXT` says no to values equal to TEXT, `throw:TEXT` panics on them.
fn validator(function: &str) -> Result<Validator, Trouble> {
    let (how, bad) = function.split_once(':').unwrap_or((function, ""));
    let panics = match how {
        "refuse" => false,
        "throw" => true,
        _ => {
            return Err(Trouble::Script(format!("{function}: refuse:TEXT or throw:TEXT")));
        }
    };
    let bad = bad.as_bytes().to_vec();
    Ok(Arc::new(move |_key, value| match (value == bad, panics) {
        (false, _) => Ok(()),
        (true, false) => Err("the script refuses it".into()),
        // A panic that does not go through the hook, which would print it.
        (true, true) => std::panic::resume_unwind(Box::new("the script throws")),
    }))
}
