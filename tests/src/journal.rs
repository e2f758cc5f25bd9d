//! What a process wrote and saw, as text that outlives it.
//!
//! A [`Journal`] is written beside the map: what is to be written before, and the stamp once the write was acknowledged. So
//! after a kill at most one write is in doubt.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::str::FromStr;

use p2pmap::Stamp;

/// One write: a value, or nothing for a removal. As text: stamp, key, and value or `-`, none of which holds a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub stamp: Stamp,
    pub key: String,
    pub value: Option<String>,
    /// For a removal, where it is known: the write that it removed, and so the greatest for its key that its author had seen.
    pub removed: Option<Stamp>,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.stamp, self.key, self.value.as_deref().unwrap_or(NOTHING))
    }
}

impl FromStr for Written {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let parse = || {
            let mut words = line.split(' ');
            let (stamp, key, value) = (parse_stamp(words.next()?)?, words.next()?, words.next()?);
            Some(Self { stamp, key: key.into(), value: value_of(value), removed: None })
        };
        parse().ok_or_else(|| format!("not a write: {line}"))
    }
}

const NOTHING: &str = "-";

fn value_of(word: &str) -> Option<String> {
    (word != NOTHING).then(|| word.into())
}

/// A stamp from its text, `<timestamp>-<epoch>-<author>`.
pub fn parse_stamp(text: &str) -> Option<Stamp> {
    let mut parts = text.splitn(3, '-');
    let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
    let (timestamp, epoch) = (number()?, number()?);
    Some(Stamp::new(timestamp, epoch, parts.next()?.parse().ok()?))
}

/// The file that a process writes.
pub struct Journal(File);

impl Journal {
    pub fn create(path: &Path) -> io::Result<Self> {
        File::create(path).map(Self)
    }

    /// This is to be written.
    pub fn intend(&mut self, key: &str, value: Option<&str>) -> io::Result<()> {
        self.line(&format!("? {key} {}\n", value.unwrap_or(NOTHING)))
    }

    /// It was, with that stamp, and if it is a removal, of that write. `None`: there was nothing to remove.
    pub fn done(&mut self, stamp: Option<&Stamp>, removed: Option<&Stamp>) -> io::Result<()> {
        let word = |stamp: Option<&Stamp>| stamp.map_or("none".into(), Stamp::to_string);
        self.line(&format!("! {} {}\n", word(stamp), word(removed)))
    }

    /// In one piece, so that a kill does not tear it.
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.0.write_all(line.as_bytes())
    }
}

/// What a journal tells: the acknowledged writes in order, and the one that was begun and not acknowledged.
#[derive(Debug, Default)]
pub struct Told {
    pub written: Vec<Written>,
    pub in_doubt: Option<(String, Option<String>)>,
}

impl Told {
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut told = Self::default();
        for line in std::fs::read_to_string(path)?.lines() {
            let torn = || io::Error::new(io::ErrorKind::InvalidData, format!("{}: {line}", path.display()));
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["?", key, value] => told.in_doubt = Some((key.into(), value_of(value))),
                ["!", stamp, removed] => {
                    let (key, value) = told.in_doubt.take().ok_or_else(torn)?;
                    if stamp != "none" {
                        let stamp = parse_stamp(stamp).ok_or_else(torn)?;
                        told.written.push(Written { stamp, key, value, removed: parse_stamp(removed) });
                    }
                }
                _ => return Err(torn()),
            }
        }
        Ok(told)
    }
}
