//! What is compared, and what each is asked to do.

mod chitchat;
mod copy;
#[cfg(feature = "etcd")]
mod etcd;
mod iroh_docs;
mod nats;
mod ours;
mod redis;
mod zenoh;

use std::ops::Range;

use p2pmap_bench::Result;
use p2pmap_bench::load::Key;

/// One of those compared.
pub struct Contender {
    /// For people.
    pub name: &'static str,
    /// In `PEER=`, and for the processes.
    pub key: &'static str,
    /// Where it comes from: a program, or a crate of this one's lock file.
    pub is: Kind,
    pub open: fn(Setting) -> Result<Box<dyn Member>>,
    /// How it was run, and where it does more or less than p2pmap.
    pub notes: &'static str,
}

pub enum Kind {
    /// A program that has to be installed, and the arguments that make it say its version.
    Program(&'static str, &'static [&'static str]),
    Crate(&'static str),
}

/// How a process takes part.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// What the first process said of itself; `None` for the first.
    pub join: Option<&'a str>,
    /// Whether it is to be measured doing nothing.
    pub idle: bool,
}

/// Called with the number that each new value says.
pub type Saw = Box<dyn FnMut(u64) + Send>;

/// One process's part: the node itself, or a client of its servers.
///
/// The first process of a contender writes. The others have what they need in order to read, each in the way that is closest
/// to a copy of its own: a node, a replica, a client that watches.
pub trait Member {
    /// What another process needs in order to join.
    fn address(&self) -> Result<String>;

    /// The process that holds the data.
    fn holder(&self) -> u32 {
        std::process::id()
    }

    /// Puts one entry, whose value says a number; returns when it is accepted.
    fn put(&mut self, number: usize, said: u64) -> Result<()>;

    /// Puts one entry so that those who watch are told its value.
    fn tell(&mut self, number: usize, said: u64) -> Result<()> {
        self.put(number, said)
    }

    /// Puts entries in the fastest way that there is; returns when all are accepted.
    fn put_all(&mut self, mut numbers: Range<usize>) -> Result<()> {
        numbers.try_for_each(|number| self.put(number, number as u64))
    }

    /// Reads one entry; how many bytes its value has.
    fn get(&mut self, key: &Key) -> Result<usize>;

    /// Reads entries in the fastest way that there is; how many bytes their values have.
    fn get_all(&mut self, keys: &[Key]) -> Result<usize> {
        keys.iter().map(|key| self.get(key)).sum()
    }

    /// How many entries this process, or the server beside it, has a copy of.
    fn held(&mut self) -> Result<usize>;

    /// From now on, tells what new values say.
    fn watch(&mut self, saw: Saw) -> Result<()>;
}

pub const ALL: &[Contender] = &[
    ours::CONTENDER,
    redis::CONTENDER,
    #[cfg(feature = "etcd")]
    etcd::CONTENDER,
    nats::CONTENDER,
    chitchat::CONTENDER,
    iroh_docs::CONTENDER,
    zenoh::CONTENDER,
];

/// The contender of that key.
pub fn named(key: &str) -> Result<&'static Contender> {
    ALL.iter().find(|contender| contender.key == key).ok_or_else(|| format!("nothing is called {key}").into())
}

impl Contender {
    /// Its version; `None` where it is not installed.
    pub fn version(&self) -> Option<String> {
        match self.is {
            Kind::Program(program, args) => {
                let said = std::process::Command::new(program).args(args).output().ok()?.stdout;
                let said = String::from_utf8_lossy(&said).lines().next()?.to_owned();
                // The first word with a dot in it, whatever is said around it.
                let word = said.split_whitespace().find(|word| word.contains('.'))?;
                Some(word.trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned())
            }
            Kind::Crate(name) => locked(name),
        }
    }
}

/// The version of a crate in this program's lock file.
fn locked(name: &str) -> Option<String> {
    let mut lines = include_str!("../../Cargo.lock").lines();
    lines.find(|line| line.strip_prefix("name = ").is_some_and(|found| found.trim_matches('"') == name))?;
    Some(lines.next()?.strip_prefix("version = ")?.trim_matches('"').to_owned())
}

/// A runtime for a client that does one thing at a time: nothing wakes another thread.
fn single_runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// A runtime for what goes on by itself.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// A key as text.
fn text(key: &Key) -> &str {
    // Keys are digits.
    std::str::from_utf8(key).unwrap_or_default()
}
