//! What happened, in words: kept only for a run that is known to fail.

use super::runs::setting;
use crate::replica::{Origin, Stamp, Timestamp};

/// When every simulated world begins: a time that a clock can go back from, by months.
pub const START_MS: u64 = 1_000_000_000_000;

/// The last lines of a run.
#[derive(Default)]
pub struct Trace {
    on: bool,
    lines: Vec<String>,
}

/// Lines of a trace that are shown, unless TRACE says otherwise.
const SHOWN: u64 = 100;

impl Trace {
    pub fn new(on: bool) -> Self {
        Self { on, lines: Vec::new() }
    }

    pub fn is_on(&self) -> bool {
        self.on
    }

    pub fn say(&mut self, now_ms: u64, line: impl FnOnce() -> String) {
        if self.on {
            self.lines.push(format!("{:>12}  {}", time(now_ms), line()));
        }
    }

    pub fn show(&self) -> String {
        let from = self.lines.len().saturating_sub(setting("TRACE", SHOWN) as usize);
        self.lines[from..].join("\n")
    }
}

/// Milliseconds since the world began, or the days before it.
pub fn time(ms: u64) -> String {
    let since = ms as i64 - START_MS as i64;
    match since.unsigned_abs() {
        0..10_000_000 => format!("{since}"),
        far => format!("{}{}d+{}", if since < 0 { "-" } else { "" }, far / 86_400_000, far % 86_400_000),
    }
}

/// A peer's bytes are its name here.
pub fn author(origin: &Origin) -> String {
    format!("{}#{}", String::from_utf8_lossy(origin.peer().as_bytes()), origin.epoch())
}

pub fn reading(timestamp: Timestamp) -> String {
    match timestamp.0 & 0xFFFF {
        _ if timestamp == Timestamp::ZERO => "nothing".into(),
        0 => time(timestamp.ms()),
        counter => format!("{}.{counter}", time(timestamp.ms())),
    }
}

pub fn stamp(stamp: &Stamp) -> String {
    format!("{}@{}", author(&stamp.origin), reading(stamp.timestamp))
}

pub fn bytes(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=12 => bytes.escape_ascii().to_string(),
        long => format!("{}..({long})", bytes[..6].escape_ascii()),
    }
}
