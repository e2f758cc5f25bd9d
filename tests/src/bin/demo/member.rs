//! One process of the cluster, and the pipes to it.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::SyncSender;

use crate::Outcome;
use crate::language::Language;

/// What a process wrote: a line, or its end.
pub struct Said {
    pub member: usize,
    pub what: What,
}

pub enum What {
    Line(String),
    Complaint(String),
    Ended,
}

/// A process. It ends when its standard input does, so none outlives the demo, however that ends.
pub struct Member {
    pub name: String,
    pub language: &'static Language,
    child: Child,
    stdin: ChildStdin,
    pub addrs: Vec<String>,
    pub answers: VecDeque<String>,
    /// Changes that its callback was told, as `kind key`, and while it loaded whom it saw: `first by name`.
    pub seen: HashSet<String>,
    pub running: bool,
    /// It has said its last.
    pub ended: bool,
    /// The last thing it wrote on standard error.
    pub complaint: String,
}

/// The answer to `report`.
#[derive(Clone)]
pub struct Report {
    pub entries: usize,
    pub digest: String,
    pub events: String,
    pub latency_us: Option<f64>,
}

impl Member {
    /// Starts a process with these arguments, that keeps its map in this directory; what it says goes to `said` under this number.
    pub fn start(
        name: String,
        language: &'static Language,
        args: &[String],
        home: &Path,
        number: usize,
        said: &SyncSender<Said>,
    ) -> Outcome<Self> {
        let mut command = language.command();
        let is_ours = |name: &OsString| name.to_string_lossy().starts_with("P2PMAP_");
        for name in std::env::vars_os().map(|(name, _)| name).filter(is_ours) {
            command.env_remove(name);
        }
        command.env("P2PMAP_DATA_DIR", home).env("P2PMAP_DURABILITY", "async").env("P2PMAP_FSYNC_INTERVAL_MS", "50");
        command.args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{name} does not start: {error}"))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(format!("{name} has no pipes"));
        };
        let (lines, complaints) = (said.clone(), said.clone());
        std::thread::spawn(move || {
            listen(stdout, number, &lines, What::Line);
            // Failing means that the demo is over.
            let _ = lines.send(Said { member: number, what: What::Ended });
        });
        std::thread::spawn(move || listen(stderr, number, &complaints, What::Complaint));
        Ok(Self {
            name,
            language,
            child,
            stdin,
            addrs: Vec::new(),
            answers: VecDeque::new(),
            seen: HashSet::new(),
            running: true,
            ended: false,
            complaint: String::new(),
        })
    }

    pub fn tell(&mut self, command: &str) -> Outcome {
        writeln!(self.stdin, "{command}").map_err(|error| format!("{} does not take `{command}`: {error}", self.name))
    }

    /// The peer id, as its addresses end.
    pub fn id(&self) -> Option<&str> {
        self.addrs.first()?.rsplit('/').next()
    }

    /// Ends it as a crash would: no goodbye.
    pub fn kill(&mut self) -> Outcome {
        self.running = false;
        self.child.kill().map_err(|error| format!("{} cannot be killed: {error}", self.name))
    }

    /// How the process ended, if it did.
    pub fn status(&mut self) -> Option<bool> {
        self.child.try_wait().ok()?.map(|status| status.success())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // Failing means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Report {
    /// From `report entries=<n> digest=<hex> events=<n> latency_us=<median or ->`.
    pub fn parse(answer: &str) -> Option<Self> {
        let mut words = answer.strip_prefix("report ")?.split(' ');
        let mut field = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
        Some(Self {
            entries: field("entries")?.parse().ok()?,
            digest: field("digest")?,
            events: field("events")?,
            latency_us: field("latency_us")?.parse().ok(),
        })
    }
}

fn listen(pipe: impl Read, member: usize, said: &SyncSender<Said>, what: fn(String) -> What) {
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        if said.send(Said { member, what: what(line) }).is_err() {
            return;
        }
    }
}
