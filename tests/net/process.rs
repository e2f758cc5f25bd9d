//! A node in a process of its own, and the pipe to it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

const MAP: &str = "services";
/// How long a node may take to answer; only a hang takes that long.
const ANSWER: Duration = Duration::from_secs(60);

/// Where a process runs.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    Loopback,
    /// A network namespace, by name.
    Namespace(&'a str),
    /// Loopback, as another user.
    User(u32),
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("an address").port()
}

/// A running `testnode`. Dropping it kills it.
pub struct TestNode {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
    pub id: String,
    pub addrs: Vec<String>,
}

impl TestNode {
    /// Starts a node with these options (`name=value`) and waits until it listens.
    pub fn start(place: Place, options: &[&str]) -> Self {
        Self::launch(place, options).ready().unwrap_or_else(|refused| panic!("it does not start: {refused}"))
    }

    /// Starts a node that may refuse: `ready` says whether it did.
    pub fn launch(place: Place, options: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_testnode");
        let mut command = match place {
            Place::Loopback => Command::new(program),
            // `ip netns exec` becomes the program, so that killing it kills the node.
            Place::Namespace(name) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name, program]);
                command
            }
            Place::User(id) => {
                let mut command = Command::new(program);
                command.uid(id).current_dir("/");
                command
            }
        };
        command.arg(MAP).args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("testnode starts");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, answers) = sync_channel(1);
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));

        Self { child, stdin, answers, id: String::new(), addrs: Vec::new() }
    }

    /// The node, once it listens, or the error that it ended with.
    pub fn ready(mut self) -> Result<Self, String> {
        let said = self.answer("start");
        let Some(ready) = said.strip_prefix("ready ") else { return Err(said) };
        let mut words = ready.split(' ').map(str::to_string);
        self.id = words.next().expect("an id");
        self.addrs = words.collect();
        Ok(self)
    }

    /// A node on loopback that knows another.
    pub fn joining(other: &TestNode) -> Self {
        Self::start(Place::Loopback, &[&other.as_bootstrap()])
    }

    /// The option that lets another node join through this one.
    pub fn as_bootstrap(&self) -> String {
        format!("bootstrap={}", self.addrs[0])
    }

    /// Sends a command and waits for its answer; an error is one, too.
    pub fn ask(&mut self, command: &str) -> String {
        writeln!(self.stdin, "{command}").expect("the node reads its commands");
        self.answer(command)
    }

    /// Sends a command that must not fail.
    pub fn tell(&mut self, command: &str) -> String {
        let answer = self.ask(command);
        assert!(!answer.starts_with("error "), "{command}: {answer}");
        answer
    }

    /// Entries in the view, and the digest.
    pub fn status(&mut self) -> (usize, String) {
        let status = self.tell("status");
        let (live, digest) = status.split_once(' ').expect("two words");
        (live.parse().expect("a number"), digest.into())
    }

    /// One of the counters, or the number of events of one kind.
    pub fn counter(&mut self, name: &str) -> u64 {
        let counters = self.tell("counters");
        let words: Vec<&str> = counters.split(' ').collect();
        let found = words.chunks_exact(2).find(|pair| pair[0] == name);
        found.map_or(0, |pair| pair[1].parse().expect("a number"))
    }

    /// Each connected peer with the remote address of its connection: the same address, the same connection.
    pub fn links(&mut self) -> BTreeSet<String> {
        self.tell("links").split(' ').map(str::to_string).collect()
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn peers(&mut self) -> Vec<String> {
        match self.tell("peers").as_str() {
            "none" => Vec::new(),
            ids => ids.split(' ').map(str::to_string).collect(),
        }
    }

    /// Stops the process as a debugger would: it keeps its connections and does nothing.
    pub fn freeze(&mut self) {
        self.signal("STOP");
    }

    pub fn thaw(&mut self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name} works");
    }

    /// Ends the process at once, as a crash would: no goodbye.
    pub fn kill(mut self) {
        self.end();
    }

    fn answer(&mut self, command: &str) -> String {
        match self.answers.recv_timeout(ANSWER) {
            Ok(answer) => answer,
            Err(error) => panic!("node {}: no answer to `{command}`: {error}", self.id),
        }
    }

    fn end(&mut self) {
        // Failing means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.end();
    }
}
