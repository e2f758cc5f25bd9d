//! A map as text, and back: a backup that restores into any cluster.
//!
//! One entry a line, in key order, each a JSON object:
//!
//! ```text
//! {"key":"db/1","value":"10.0.0.7:5432","stamp":"...","author":"...","expires_at_ms":1767225600000}
//! {"key_base64":"/w==","value_base64":"AP8=","stamp":"...","author":"..."}
//! ```
//!
//! What is not UTF-8 is in base64. Stamp and author tell people who wrote it when; loading makes new writes.

use std::io::{self, BufRead, Read, Seek, Write};
use std::path::Path;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::clock::now_ms;
use super::map::Map;
use super::scan::ScanOptions;
use super::state::MapState;
use super::view::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{MAX_KEY_BYTES, MAX_TTL_MS, MAX_VALUE_BYTES};
use crate::store;

/// A batch that is loaded ends where it has so many keys, or so many bytes.
const BATCH_ENTRIES: usize = 1024;
const BATCH_BYTES: usize = 256 * 1024;
/// The longest line: JSON takes six characters for a byte at most.
const MAX_LINE_BYTES: usize = 6 * (MAX_KEY_BYTES + MAX_VALUE_BYTES) + 1024;
/// What a line is called where it has no file.
const NO_FILE: &str = "the dump";

impl Map {
    /// Writes every entry in the view to a file, as lines of JSON in key order; returns how many. [`load`](Self::load) reads it.
    ///
    /// The file is there whole or not at all: it takes the place of an older one when it is complete and on disk. Only its owner
    /// may read it. Like a scan it sees each key once, and may or may not see what is written meanwhile.
    /// Shape: one object a line, of `key`, or `key_base64` where it is not UTF-8; `value` or `value_base64`; `stamp`; `author`; and
    /// `expires_at_ms` if it expires.
    /// Errors: `Storage`, and a file that was there before is as it was, or, where only its directory could not be synced, replaced by
    /// the whole new one. Cost: blocks on the disk; memory for some entries.
    pub fn dump(&self, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref();
        let scan = self.scan(ScanOptions::default())?;
        let write = || -> io::Result<u64> {
            let mut draft = store::Draft::create(path)?;
            let count = write_lines(scan, &mut draft)?;
            draft.finish()?;
            Ok(count)
        };
        write().map_err(|error| failed("write", &path.display().to_string(), &error))
    }

    /// The same, to anything that can be written to. It is flushed.
    pub fn dump_to(&self, mut out: impl Write) -> Result<u64> {
        let scan = self.scan(ScanOptions::default())?;
        write_lines(scan, &mut out).map_err(|error| failed("write", NO_FILE, &error))
    }

    /// Writes every entry of such a file into this map; returns how many. They are new writes, which win over what is here and in
    /// the cluster. An entry's expiry is kept: one whose time is over is left out, and one without any never expires.
    ///
    /// The file is read twice: all of it is checked before anything is written.
    /// Errors: `InvalidArgument` for a line that is no entry, `TooLarge`, `InvalidValue`: each names the line, and nothing changed.
    /// `Storage`. While it writes also `Full` and `Closed`: the lines before are loaded, and it may be loaded again.
    /// Cost: blocks on the disk; memory for a batch.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let unreadable = |error| failed("read", &name, &error);
        let state = self.open_state()?;
        let mut file = store::open_text(path).map_err(unreadable)?;
        Lines::new(&mut file, &name).each(|line| line.check(state))?;
        file.rewind().map_err(unreadable)?;
        self.load_lines(Lines::new(file, &name), |_| Ok(()))
    }

    /// The same, from anything that can be read, once: a line that is refused ends it, and those before are loaded.
    pub fn load_from(&self, input: impl BufRead) -> Result<u64> {
        let state = self.open_state()?;
        self.load_lines(Lines::new(input, NO_FILE), |line| line.check(state))
    }

    fn load_lines(&self, lines: Lines<'_, impl BufRead>, check: impl Fn(&Line) -> Result<()>) -> Result<u64> {
        let (name, mut batch, mut loaded) = (lines.name, Batch::new(), 0);
        let apply = |batch: &mut Batch, loaded: &mut u64| -> Result<()> {
            let outcome = self.apply(batch).map(|_| *loaded += batch.len() as u64);
            batch.clear();
            outcome
        };
        let mut bytes = 0;
        let read = lines.each(|line| {
            check(line)?;
            bytes += line.key.len() + line.value.len();
            batch.put_until(&line.key, &line.value, line.expires_at_ms);
            if batch.len() >= BATCH_ENTRIES || bytes >= BATCH_BYTES {
                apply(&mut batch, &mut loaded)?;
                bytes = 0;
            }
            Ok(())
        });
        let rest = apply(&mut batch, &mut loaded);
        read.and(rest).map(|()| loaded).map_err(|error| {
            let message = format!("{}; {loaded} entries of {name} were loaded", error.message());
            Error::new(error.kind(), message)
        })
    }
}

fn write_lines(entries: impl Iterator<Item = Entry>, out: &mut impl Write) -> io::Result<u64> {
    let mut count = 0;
    for entry in entries {
        serde_json::to_writer(&mut *out, &Written::from(&entry))?;
        out.write_all(b"\n")?;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}

/// A line as it stands in the file.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<u64>,
}

impl From<&Entry> for Written {
    fn from(entry: &Entry) -> Self {
        let ((key, key_base64), (value, value_base64)) = (text_or_base64(entry.key()), text_or_base64(entry.value()));
        let (stamp, author) = (Some(entry.stamp().to_string()), Some(entry.author().to_string()));
        Self { key, key_base64, value, value_base64, stamp, author, expires_at_ms: entry.expires_at_ms() }
    }
}

fn text_or_base64(bytes: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(BASE64.encode(bytes))),
    }
}

/// An entry that was read.
struct Line {
    key: Vec<u8>,
    value: Vec<u8>,
    expires_at_ms: Option<u64>,
}

impl Line {
    /// Errors: what is wrong with it, without its content.
    fn parse(line: &[u8]) -> std::result::Result<Self, String> {
        // An array would do for the fields in their order.
        if !line.trim_ascii_start().starts_with(b"{") {
            return Err("no JSON object".to_owned());
        }
        let written: Written = serde_json::from_slice(line).map_err(|error| {
            let what = if error.is_data() { "a field that no entry has, or of another type" } else { "no JSON object" };
            format!("{what}, at column {}", error.column())
        })?;
        Ok(Self {
            key: bytes("key", written.key, written.key_base64)?,
            value: bytes("value", written.value, written.value_base64)?,
            expires_at_ms: written.expires_at_ms,
        })
    }

    /// Whether the map would take it.
    fn check(&self, state: &MapState) -> Result<()> {
        if self.expires_at_ms.is_some_and(|at| at > now_ms() + MAX_TTL_MS) {
            return Err(Error::new(ErrorKind::InvalidArgument, "`expires_at_ms` is more than 100 years ahead"));
        }
        state.check_write(&self.key, Some(&self.value))
    }
}

fn bytes(name: &str, text: Option<String>, base64: Option<String>) -> std::result::Result<Vec<u8>, String> {
    match (text, base64) {
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(base64)) => BASE64
            .decode(base64.as_bytes())
            .map_err(|error| format!("`{name}_base64` is not base64, at character {}", error.position)),
        _ => Err(format!("it has to have one of `{name}` and `{name}_base64`")),
    }
}

/// The lines of a dump. Empty ones are skipped.
struct Lines<'a, R> {
    input: R,
    name: &'a str,
}

impl<'a, R: BufRead> Lines<'a, R> {
    fn new(input: R, name: &'a str) -> Self {
        Self { input, name }
    }

    /// Takes every entry whose time is not over. Errors: those of `take`, and its own; each names the line.
    fn each(mut self, mut take: impl FnMut(&Line) -> Result<()>) -> Result<()> {
        let (mut line, mut number) = (Vec::new(), 0u64);
        loop {
            line.clear();
            number += 1;
            let mut bounded = (&mut self.input).take(MAX_LINE_BYTES as u64 + 1);
            if bounded.read_until(b'\n', &mut line).map_err(|error| failed("read", self.name, &error))? == 0 {
                return Ok(());
            }
            let refused = |kind, what: &str| Error::new(kind, format!("line {number} of {}: {what}", self.name));
            if line.len() > MAX_LINE_BYTES {
                return Err(refused(ErrorKind::TooLarge, "longer than any entry can be"));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let entry = Line::parse(&line).map_err(|what| refused(ErrorKind::InvalidArgument, &what))?;
            if entry.expires_at_ms.is_none_or(|at| at > now_ms()) {
                take(&entry).map_err(|error| refused(error.kind(), error.message()))?;
            }
        }
    }
}

fn failed(tried: &str, name: &str, error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Storage,
        format!("cannot {tried} {name}: {error}: look at the path, at who may use it, and at the room on the disk"),
    )
}
