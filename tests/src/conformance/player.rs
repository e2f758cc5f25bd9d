//! Plays steps: holds what a script has opened, compares results, and closes everything when it is dropped.

use std::collections::{BTreeMap, HashMap};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use p2pmap::{Error, Map, Node};

use super::events::Listener;
use super::script::{Expect, Step};
use super::token::{Variables, decode, show};

const AWAIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Everything that a script has opened, by name.
#[derive(Default)]
pub struct Player {
    pub(super) nodes: HashMap<String, Node>,
    pub(super) maps: HashMap<String, Map>,
    pub(super) listeners: BTreeMap<String, Listener>,
    sockets: Vec<TcpListener>,
    directories: Vec<PathBuf>,
    variables: Variables,
}

/// Why a script goes no further.
pub enum Stop {
    Skip(String),
    Fail(String),
}

/// What a step gave: the tokens of its result, or why there are none.
pub type Outcome = Result<Vec<Vec<u8>>, Trouble>;

pub enum Trouble {
    /// An error of the library: a result like any other.
    Error(Error),
    /// The script itself is at fault.
    Script(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Script(why)
    }
}

impl Player {
    /// Plays one step, and says why the script ends if it does.
    pub fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let deadline = Instant::now() + AWAIT;
        loop {
            match self.attempt(step) {
                Err(Stop::Fail(_)) if step.awaited && Instant::now() < deadline => std::thread::sleep(PAUSE),
                outcome => return outcome,
            }
        }
    }

    fn attempt(&mut self, step: &Step) -> Result<(), Stop> {
        let args: Vec<&str> = step.args.iter().map(String::as_str).collect();
        let (got, message) = match self.perform(&step.op, &args) {
            Ok(tokens) => (tokens, None),
            Err(Trouble::Script(why)) => return Err(Stop::Fail(why)),
            Err(Trouble::Error(error)) => {
                (vec![format!("!{}", error.kind().name()).into_bytes()], Some(error.message().to_string()))
            }
        };
        let explained = message.as_ref().map(|message| format!(" ({message})")).unwrap_or_default();
        match (&step.expect, message.is_some()) {
            (Expect::Tokens(tokens), _) => {
                let expected = self.decode_all(tokens).map_err(Stop::Fail)?;
                if got != expected {
                    return Err(Stop::Fail(format!("expected {} got {}{explained}", show(&expected), show(&got))));
                }
            }
            (_, true) => {
                return Err(Stop::Fail(format!("expected no error got {}{explained}", show(&got))));
            }
            (Expect::Variable(name), false) => match <[Vec<u8>; 1]>::try_from(got) {
                Ok([token]) => drop(self.variables.insert(name.clone(), token)),
                Err(got) => {
                    return Err(Stop::Fail(format!("expected one token got {}", show(&got))));
                }
            },
            (Expect::Success, false) => {}
        }
        if step.op == "requires" && !matches!(args.as_slice(), ["byte_keys" | "validator_function"]) {
            return Err(Stop::Skip(format!("requires {}", args.join(" "))));
        }
        Ok(())
    }

    fn perform(&mut self, op: &str, args: &[&str]) -> Outcome {
        match (op, args) {
            ("requires", [_feature]) => ok(),
            ("socket", []) => self.socket(),
            ("path", []) => self.path(),
            ("write", [path, text]) => {
                std::fs::write(self.text(path)?, self.bytes(text)?).map_err(|error| error.to_string())?;
                ok()
            }
            ("close", [name]) if self.nodes.contains_key(*name) => {
                self.named_node(name)?.close();
                ok()
            }
            ("node" | "id" | "addr" | "connect" | "peers" | "maps" | "map" | "open", _) => self.on_node(op, args),
            ("subscribe" | "watch" | "event" | "origin" | "unsubscribe", _) => self.on_events(op, args),
            _ => self.on_map(op, args),
        }
    }

    fn socket(&mut self) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        self.sockets.push(listener);
        one(format!("/ip4/127.0.0.1/tcp/{port}"))
    }

    /// A path at which there is nothing, in a directory of its own.
    fn path(&mut self) -> Outcome {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("p2pmap-script-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).map_err(|error| error.to_string())?;
        let path = directory.join("new");
        self.directories.push(directory);
        one(path.to_str().ok_or_else(|| Trouble::Script("the temporary directory's name is not UTF-8".into()))?)
    }

    pub(super) fn named_node(&self, name: &str) -> Result<&Node, Trouble> {
        self.nodes.get(name).ok_or_else(|| Trouble::Script(format!("no node {name}")))
    }

    pub(super) fn named_map(&self, name: &str) -> Result<&Map, Trouble> {
        self.maps.get(name).ok_or_else(|| Trouble::Script(format!("no map {name}")))
    }

    pub(super) fn bytes(&self, token: &str) -> Result<Vec<u8>, Trouble> {
        Ok(decode(token, &self.variables)?)
    }

    pub(super) fn text(&self, token: &str) -> Result<String, Trouble> {
        String::from_utf8(self.bytes(token)?).map_err(|_| Trouble::Script(format!("{token} is not UTF-8")))
    }

    pub(super) fn number(&self, token: &str) -> Result<u64, Trouble> {
        self.text(token)?.parse().map_err(|_| Trouble::Script(format!("{token} is not a number")))
    }

    /// An option's name and its decoded value.
    pub(super) fn option<'a>(&self, token: &'a str) -> Result<(&'a str, Vec<u8>), Trouble> {
        let (name, value) = token.split_once('=').ok_or_else(|| Trouble::Script(format!("{token} is not name=value")))?;
        Ok((name, self.bytes(value)?))
    }

    fn decode_all(&self, tokens: &[String]) -> Result<Vec<Vec<u8>>, String> {
        tokens.iter().map(|token| decode(token, &self.variables)).collect()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.listeners.clear();
        self.maps.values().for_each(Map::close);
        self.nodes.values().for_each(Node::close);
        for directory in &self.directories {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// The result of an operation with nothing to say.
pub fn ok() -> Outcome {
    one("ok")
}

pub fn one(token: impl Into<Vec<u8>>) -> Outcome {
    Ok(vec![token.into()])
}

/// A yes or no, or a number.
pub fn shown(value: impl ToString) -> Outcome {
    one(value.to_string())
}

/// A list, which is `none` when empty.
pub fn list(tokens: Vec<Vec<u8>>) -> Outcome {
    match tokens.is_empty() {
        true => one("none"),
        false => Ok(tokens),
    }
}

pub fn or_none(token: Option<impl AsRef<[u8]>>) -> Vec<u8> {
    token.map_or_else(|| b"none".to_vec(), |token| token.as_ref().to_vec())
}
