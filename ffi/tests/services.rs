//! The example `services.c`: three processes share a file of services, and end with the same entries.

mod toolchain;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use toolchain::{crate_path, directory, program};

const SERVICES: &str = "# A comment, and an empty line.\n\nhttp  80/tcp  www # WorldWideWeb\ndomain\t53/udp\ndomain\t53/tcp\nssh 22/tcp\n\
                        kerberos 88/tcp kerberos5 krb5\ntelnet 23/tcp\n";
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that was given commands and answers with lines.
struct Process {
    child: Child,
    commands: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    fn start(program: &Path, name: &str, bootstrap: &str, file: &Path, part: usize) -> Self {
        let mut command = Command::new(program);
        command.args([name, bootstrap]).arg(file).args([part.to_string(), "3".to_owned()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (commands, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (told, lines) = sync_channel(10_000);
        std::thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(told.send(line))));
        Self { child, commands, lines }
    }

    /// The next line that starts so, without its start.
    fn line(&self, start: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no line `{start}...`"));
            if let Some(rest) = line.strip_prefix(start) {
                return rest.to_owned();
            }
        }
    }

    fn say(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }

    /// The values of a report: entries, digest, events, latency.
    fn report(&mut self) -> Vec<String> {
        self.say("report");
        self.line("report ").split(' ').map(|word| word.split_once('=').unwrap().1.to_owned()).collect()
    }

    fn quit(mut self) {
        self.say("quit");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until all report this many entries under one digest.
fn await_equal(processes: &mut [Process], entries: &str) {
    let limit = Instant::now() + PATIENCE;
    loop {
        let reports: Vec<Vec<String>> = processes.iter_mut().map(Process::report).collect();
        if reports.iter().all(|report| report[0] == entries && report[1] == reports[0][1]) {
            return;
        }
        assert!(Instant::now() < limit, "{reports:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn three_processes_share_the_services() {
    let Some(program) = program("services", &[crate_path("examples/services.c")]) else { return };
    let file = directory("services_file").join("services");
    fs::write(&file, SERVICES).unwrap();
    let first = Process::start(&program, "one", "", &file, 0);
    let addr = first.line("addr ");
    let second = Process::start(&program, "two", &addr, &file, 1);
    let third = Process::start(&program, "three", &addr, &file, 2);
    let mut all = [first, second, third];
    await_equal(&mut all, "6");

    all[0].say("put http/tcp 8080 www");
    all[0].line("ok");
    all[1].line("event put http/tcp remote ");
    all[2].say("remove ssh/tcp");
    all[2].line("ok true");
    all[2].say("remove ssh/tcp");
    all[2].line("ok false");
    await_equal(&mut all, "5");

    all[0].say("ping 20");
    all[0].line("ok");
    await_equal(&mut all, "5");
    let report = all[1].report();
    assert!(report[3].parse::<i64>().is_ok_and(|latency_us| latency_us > 0), "{report:?}");
    all[1].say("sing");
    all[1].line("error unknown command");
    all.into_iter().for_each(Process::quit);
}
