//! The running processes: what they are told, what they say, and what must come true.

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use p2pmap::{Config, Map, MapOptions, Node, ScanOptions, SubscribeOptions};

use crate::Outcome;
use crate::expected::Expected;
use crate::homes::Homes;
use crate::language::Language;
use crate::member::{Member, Report, Said, What};
use crate::screen::Screen;

/// How long a step may take. Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait for the next event before the processes are asked again.
const PAUSE: Duration = Duration::from_millis(10);
/// The key under which each process writes what the others time.
const PING: &str = "~ping/";
/// Digits of a digest that are shown.
const SHOWN: usize = 16;

pub struct Cluster {
    members: Vec<Member>,
    /// Where each keeps its map; gone with the demo.
    homes: Homes,
    said: Receiver<Said>,
    sender: SyncSender<Said>,
    pub screen: Screen,
    /// When the present step has failed.
    deadline: Instant,
    /// The changes that the demo asked for, as `kind key`: each is shown. Of the rest only the first one by each author is.
    asked: HashSet<String>,
    /// What comes from a disk is no news.
    quiet: bool,
}

impl Cluster {
    pub fn new(screen: Screen) -> Self {
        let (sender, said) = sync_channel(1024);
        Self {
            members: Vec::new(),
            homes: Homes::new(),
            said,
            sender,
            screen,
            deadline: Instant::now() + PATIENCE,
            asked: HashSet::new(),
            quiet: false,
        }
    }

    /// Starts a process that joins through another; its number.
    pub fn start(
        &mut self,
        language: &'static Language,
        through: Option<usize>,
        file: &str,
        part: usize,
        parts: usize,
    ) -> Outcome<usize> {
        let number = self.members.len();
        let same = self.members.iter().filter(|member| member.language.name == language.name).count();
        let name = if same == 0 { language.name.to_owned() } else { format!("{} {}", language.name, same + 1) };
        let bootstrap = through.map_or(Ok(String::new()), |through| self.address(through))?;
        let args = [id(&name), bootstrap, file.to_owned(), part.to_string(), parts.to_string()];
        let member = Member::start(name, language, &args, &self.homes.of(number), number, &self.sender)?;
        self.members.push(member);
        let joins = through
            .map_or("starts: the bootstrap node".into(), |through| format!("starts, joins through {}", self.name(through)));
        self.announce(number, &joins);
        Ok(number)
    }

    pub fn name(&self, member: usize) -> &str {
        &self.members[member].name
    }

    /// Its name as a word of keys.
    pub fn id(&self, member: usize) -> String {
        id(self.name(member))
    }

    pub fn running(&self) -> Vec<usize> {
        (0..self.members.len()).filter(|member| self.members[*member].running).collect()
    }

    pub fn announce(&self, member: usize, what: &str) {
        let member = &self.members[member];
        self.screen.line(&member.name, member.language, what);
    }

    /// Where a process listens, once it does.
    fn address(&mut self, member: usize) -> Outcome<String> {
        self.begin();
        while self.members[member].addrs.is_empty() {
            self.hear(&format!("{} does not say where it listens", self.members[member].name))?;
        }
        Ok(self.members[member].addrs[0].clone())
    }

    pub fn wait_for_addresses(&mut self) -> Outcome {
        (0..self.members.len()).try_for_each(|member| self.address(member).map(drop))
    }

    /// Sends a command and waits for its answer.
    pub fn ask(&mut self, member: usize, command: &str) -> Outcome<String> {
        self.begin();
        self.members[member].tell(command)?;
        self.answer(member, command)
    }

    fn answer(&mut self, member: usize, command: &str) -> Outcome<String> {
        loop {
            if let Some(answer) = self.members[member].answers.pop_front() {
                return Ok(answer);
            }
            self.hear(&format!("{} does not answer `{command}`", self.members[member].name))?;
        }
    }

    /// A change is about to be made: [`all_see`](Self::all_see) waits for it, even if the same one was seen before.
    pub fn expect(&mut self, kind: &str, key: &str) {
        let change = format!("{kind} {key}");
        for member in &mut self.members {
            member.seen.remove(&change);
        }
        self.asked.insert(change);
    }

    /// Waits until the callback of every running process was told a change.
    pub fn all_see(&mut self, kind: &str, key: &str) -> Outcome {
        self.begin();
        let change = format!("{kind} {key}");
        while let Some(blind) = self.running().into_iter().find(|member| !self.members[*member].seen.contains(&change)) {
            self.hear(&format!("{} does not see {change}", self.members[blind].name))?;
        }
        Ok(())
    }

    /// Waits until all running processes hold that many entries, and the same ones; their digest.
    pub fn converge(&mut self, entries: usize) -> Outcome<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let reports = self.reports()?;
            let digest = reports[0].1.digest.clone();
            if reports.iter().all(|(_, report)| report.entries == entries && report.digest == digest) {
                self.screen.good(&format!("{} processes hold {entries} entries, digest {}", reports.len(), short(&digest)));
                return Ok(digest);
            }
            if Instant::now() > end {
                let held = |(member, report): &(usize, Report)| {
                    format!("{} {} {}", self.name(*member), report.entries, short(&report.digest))
                };
                let held: Vec<String> = reports.iter().map(held).collect();
                return Err(format!("not equal: {entries} entries expected, held: {}", held.join(", ")));
            }
            // The next event, or a moment without one.
            if let Ok(said) = self.said.recv_timeout(PAUSE) {
                self.take(said)?;
            }
        }
    }

    fn reports(&mut self) -> Outcome<Vec<(usize, Report)>> {
        let running = self.running();
        let report = |member: usize| {
            let answer = self.ask(member, "report")?;
            let report = Report::parse(&answer).ok_or_else(|| format!("{} reports `{answer}`", self.name(member)))?;
            Ok((member, report))
        };
        running.into_iter().map(report).collect()
    }

    pub fn kill(&mut self, member: usize) -> Outcome {
        self.announce(member, "killed (SIGKILL)");
        self.members[member].kill()
    }

    /// Joins with a node of its own, and compares every entry with what must be there.
    pub fn check_entries(&mut self, expected: &Expected, digest: &str) -> Outcome {
        let (node, map) = self.join()?;
        let changes = map.watch(SubscribeOptions::default()).map_err(told)?;
        let end = Instant::now() + PATIENCE;
        while map.status().map_err(told)?.digest.to_string() != digest {
            if Instant::now() > end {
                return Err("the demo's own node does not get the digest of the others".into());
            }
            changes.recv(256, Some(PAUSE));
        }
        expected.compare(&held(&map).map_err(told)?)?;
        node.close();
        self.screen.good(&format!(
            "{} entries compared with {} and the changes made: as written",
            expected.len(),
            expected.path
        ));
        Ok(())
    }

    /// Waits until every running process has everything on its disk: a node of the demo's own writes last, and asks them.
    pub fn save(&mut self, key: &str, value: &str) -> Outcome {
        let (node, map) = self.join()?;
        let stamp = map.put(key, value).map_err(told)?;
        let holders = map.wait_replicated(&stamp, self.running().len(), PATIENCE).map_err(told)?;
        node.close();
        self.screen.good(&format!("{} processes have all of it on disk", holders.len()));
        Ok(())
    }

    /// Kills every process that runs, and starts all that ever ran again, each with the directory that it had.
    pub fn crash_and_come_back(&mut self) -> Outcome {
        for member in self.running() {
            self.kill(member)?;
        }
        self.quiet = true;
        self.begin();
        while let Some(member) = self.members.iter().find(|member| !member.ended) {
            self.hear(&format!("{} does not end", member.name))?;
        }
        for number in 0..self.members.len() {
            let bootstrap = if number == 0 { String::new() } else { self.address(0)? };
            let Member { name, language, .. } = &self.members[number];
            // Nothing to load: what it has is on its disk.
            let args = [id(name), bootstrap, "/dev/null".to_owned(), "0".to_owned(), "1".to_owned()];
            let member = Member::start(name.clone(), language, &args, &self.homes.of(number), number, &self.sender)?;
            self.members[number] = member;
            self.announce(number, "starts again, with what it has on disk");
        }
        self.wait_for_addresses()
    }

    /// A node of the demo's own.
    fn join(&self) -> Outcome<(Node, Map)> {
        let through = self.running()[0];
        let mut config = Config::new();
        config.set("bootstrap", &self.members[through].addrs[0]).map_err(told)?;
        let node = Node::open(config).map_err(told)?;
        let map = node.map("services", MapOptions::new()).map_err(told)?;
        Ok((node, map))
    }

    /// One row for each process.
    pub fn table(&mut self, late: usize) -> Outcome {
        let reports: BTreeMap<usize, Report> = self.reports()?.into_iter().collect();
        self.screen.title(&format!(
            "{:<10} {:>8}  {:<SHOWN$} {:>7}  put -> callback, median",
            "language", "entries", "digest", "events"
        ));
        for (number, member) in self.members.iter().enumerate() {
            let row = match reports.get(&number) {
                None => format!("{:<10} {:>8}  killed", member.name, "-"),
                Some(report) => {
                    let latency = report.latency_us.map_or("-".into(), |us| format!("{:.2} ms", us / 1000.0));
                    let note = if number == late { "  (joined late)" } else { "" };
                    let Report { entries, events, .. } = report;
                    format!("{:<10} {entries:>8}  {} {events:>7}  {latency}{note}", member.name, short(&report.digest))
                }
            };
            self.screen.row(&row, Some(member.language));
        }
        Ok(())
    }

    /// Asks every process to end, and waits until each has done so without an error.
    pub fn end(mut self) -> Outcome {
        let running = self.running();
        for member in &running {
            self.members[*member].running = false;
            self.members[*member].tell("quit")?;
        }
        let end = Instant::now() + PATIENCE;
        for member in running {
            loop {
                match self.members[member].status() {
                    Some(true) => break,
                    Some(false) => {
                        return Err(format!("{} ended with an error: {}", self.name(member), self.members[member].complaint));
                    }
                    None if Instant::now() > end => return Err(format!("{} does not end", self.name(member))),
                    None => drop(self.said.recv_timeout(PAUSE)),
                }
            }
        }
        self.screen.passed("All equal, and equal to what was written");
        Ok(())
    }

    fn begin(&mut self) {
        self.deadline = Instant::now() + PATIENCE;
    }

    /// Takes the next thing that a process says. Fails with the problem when none does until the step's end.
    fn hear(&mut self, problem: &str) -> Outcome {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let said = self.said.recv_timeout(left).map_err(|_| problem.to_owned())?;
        self.take(said)
    }

    fn take(&mut self, Said { member, what }: Said) -> Outcome {
        match what {
            What::Line(line) => self.line(member, line),
            What::Complaint(line) => {
                self.announce(member, &line);
                self.members[member].complaint = line;
            }
            What::Ended if self.members[member].running => {
                return Err(format!("{} ended by itself: {}", self.name(member), self.members[member].complaint));
            }
            What::Ended => self.members[member].ended = true,
        }
        Ok(())
    }

    fn line(&mut self, member: usize, line: String) {
        if let Some(addr) = line.strip_prefix("addr ") {
            self.members[member].addrs.push(addr.to_owned());
            return;
        }
        let Some(event) = line.strip_prefix("event ") else {
            self.members[member].answers.push_back(line);
            return;
        };
        let [kind, key, place, author, ..] = event.split(' ').collect::<Vec<_>>()[..] else { return };
        if key.starts_with(PING) || !self.members[member].running {
            return;
        }
        let change = format!("{kind} {key}");
        if place == "remote" && !self.quiet {
            self.show(member, &change, author);
        }
        self.members[member].seen.insert(change);
    }

    /// Says who saw what by whom.
    fn show(&mut self, member: usize, change: &str, author: &str) {
        let author =
            self.members.iter().find(|other| other.id() == Some(author)).map_or(author, |other| &other.name).to_owned();
        if self.asked.contains(change) {
            self.announce(member, &format!("sees {change} by {author}"));
        } else if self.members[member].seen.insert(format!("first by {author}")) {
            self.announce(member, &format!("sees {change} by {author}, the first of many"));
        }
    }
}

fn told(error: p2pmap::Error) -> String {
    format!("the demo's own node: {error}")
}

fn held(map: &Map) -> p2pmap::Result<BTreeMap<String, String>> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(map.scan(ScanOptions::default())?.map(|entry| (text(entry.key()), text(entry.value()))).collect())
}

fn id(name: &str) -> String {
    name.to_lowercase().replace([' ', '.'], "-")
}

fn short(digest: &str) -> &str {
    digest.get(..SHOWN).unwrap_or(digest)
}
