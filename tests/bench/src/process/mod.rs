//! Other processes: this program again, in a role, told what to do line by line.

pub mod node;
pub mod relay;

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Result;

/// A process that ends with this value.
pub struct Peer {
    process: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// What it said when it was ready.
    pub ready: String,
}

impl Peer {
    /// Starts this program in a role; returns when it is ready.
    pub fn start(role: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--role").arg(role).args(args);
        Self::run(command)
    }

    /// The same in a network of its own, in which nothing else runs.
    pub fn start_apart(role: &str, args: &[&str]) -> Result<Self> {
        let mut command = crate::machine::apart();
        command.arg(std::env::current_exe()?).arg("--role").arg(role).args(args);
        Self::run(command)
    }

    fn run(mut command: Command) -> Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(commands), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("a child process without pipes".into());
        };
        let mut peer = Self { process, commands, answers: BufReader::new(answers).lines(), ready: String::new() };
        peer.ready = peer.answer()?;
        Ok(peer)
    }

    /// Tells it to do something, and does not wait.
    pub fn tell(&mut self, command: &str) -> Result<()> {
        Ok(writeln!(self.commands, "{command}")?)
    }

    /// What it says next.
    pub fn answer(&mut self) -> Result<String> {
        let answer = self.answers.next().ok_or("a child process ended early")??;
        match answer.strip_prefix("error ") {
            Some(error) => Err(error.into()),
            None => Ok(answer),
        }
    }

    pub fn ask(&mut self, command: &str) -> Result<String> {
        self.tell(command)?;
        self.answer()
    }

    /// The numbers that it says next.
    pub fn numbers(&mut self) -> Result<Vec<u64>> {
        Ok(self.answer()?.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The other end: says that it is ready, then answers each line of standard input, until it ends.
pub fn serve(ready: &str, mut obey: impl FnMut(&[&str]) -> Result<String>) -> Result<()> {
    say(ready)?;
    for line in std::io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        say(&obey(&words).unwrap_or_else(|error| format!("error {error}")))?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// The numbers as one line.
pub fn line(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
}
