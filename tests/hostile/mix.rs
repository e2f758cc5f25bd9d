//! Everything at once, at full speed, against a process whose memory and processor time are looked at.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::evil::{Evil, topic};
use super::messages::{Dice, compare, compared, damage, delta, entry, now_ms, page, pull, timestamp};
use super::{TCP, become_equal, converge, honest, pair, until};
use crate::replica::Start;

/// Not a test: the process that is attacked. It opens two nodes, says where one is, and for each line has them converge.
#[test]
#[ignore = "a part of the test below, which starts it"]
fn victim() {
    let [a, b] = pair(TCP);
    println!("\naddr {}", a.node().addrs()[0]);
    for line in std::io::stdin().lines().map_while(Result::ok) {
        converge(&[&a, &b]);
        if line == "equal" {
            become_equal(&[&a, &b]);
        }
        println!("done");
    }
}

struct Victim {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    addr: String,
}

impl Victim {
    fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["hostile::mix::victim", "--exact", "--ignored", "--nocapture"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut victim = Self { child, lines, addr: String::new() };
        victim.addr = victim.line("addr ");
        victim
    }

    fn line(&mut self, start: &str) -> String {
        let said = self.lines.by_ref().map(Result::unwrap).find_map(|line| Some(line.strip_prefix(start)?.to_owned()));
        said.expect("it lives")
    }

    /// Its nodes write, and come to hold what both wrote.
    fn converge(&mut self, how: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{how}").unwrap();
        self.line("done");
    }

    /// Resident memory. Units: MiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// Processor time so far, in clock ticks.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whatever a member may say, sound or not.
fn anything(id: &crate::PeerId, dice: &mut Dice) -> Vec<u8> {
    // From keys of its own, a few: what it writes in earnest is everybody's to keep.
    let key = format!("evil/{}", dice.below(100));
    let at = timestamp(now_ms() + dice.next() % 50);
    let message = match dice.below(8) {
        0 => delta(id, at, key.as_bytes(), &dice.bytes(100)),
        1 => delta(id, timestamp(now_ms() + 3_600_000), key.as_bytes(), b"far ahead"),
        2 => page(vec![entry(id, at, key.as_bytes(), b"value")], Start::default(), None),
        3 => pull(topic()),
        4 => compare(),
        5 => compared(),
        6 => {
            let length = dice.below(2_000);
            dice.bytes(length)
        }
        _ => [&[1, 0][..], &[253, 0, 0, 0, 0, 0, 0, 0, 128]].concat(),
    };
    if dice.below(2) == 0 && !message.is_empty() { damage(message, dice) } else { message }
}

/// Somebody new, who answers anything.
fn come(victim: &Victim) -> Evil {
    let evil = Evil::at(&victim.addr);
    let (id, mut chance) = (evil.id().clone(), Dice::new(6));
    evil.reply(move |_| Some(anything(&id, &mut chance)));
    evil
}

#[test]
fn g10_a_mix_of_everything_at_full_speed_holds_up_nobody_and_fills_no_memory() {
    let seconds = std::env::var("P2PMAP_HOSTILE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let mut victim = Victim::start();
    victim.converge("equal");
    let before = victim.memory();
    let mut evil = come(&victim);
    let (mut dice, end) = (Dice::new(5), Instant::now() + Duration::from_secs(seconds));
    let (mut said, mut rounds, mut out, mut most) = (0_u64, 0_u64, 0, 0);
    while Instant::now() < end {
        if evil.is_out() {
            // Whoever knows the secret can come again as somebody else.
            (evil, out) = (come(&victim), out + 1);
        }
        for number in 0..2_000 {
            evil.gossip(anything(evil.id(), &mut dice));
            if number % 20 == 0 {
                evil.ask(anything(evil.id(), &mut dice));
            }
        }
        said += 2_100;
        evil.flush();
        victim.converge("go on");
        rounds += 1;
        most = most.max(victim.memory());
    }
    println!(
        "{said} messages, put out {out} times, {rounds} rounds of honest writes meanwhile; {before} MiB before, {most} at most"
    );
    // Two nodes, and gossip keeps what was said in the last five seconds.
    assert!(most < before + 256, "{before} MiB before, {most} at most");

    drop(evil);
    victim.converge("equal");
    // It comes to rest: less than a tenth of one processor, as when nothing had happened.
    until("it is idle again", || {
        let (ticks, since) = (victim.ticks(), Instant::now());
        std::thread::sleep(Duration::from_millis(500));
        (victim.ticks() - ticks) * 10 * 10 < since.elapsed().as_millis() as u64
    });
}

/// Somebody who joins while one lies to all is told the truth by the others.
#[test]
fn g10_who_joins_while_one_lies_comes_to_hold_what_the_honest_hold() {
    let [a, b] = pair(TCP);
    let evil = Evil::join(&[&a, &b]);
    let (id, mut chance) = (evil.id().clone(), Dice::new(7));
    evil.reply(move |request| match request.get(1) {
        Some(0) => Some(compared()),
        _ => Some(damage(page(vec![entry(&id, timestamp(1), b"evil", b"")], Start::default(), None), &mut chance)),
    });
    converge(&[&a, &b]);
    let late = honest(&[&a], TCP);
    evil.connect(&late);
    converge(&[&a, &b, &late]);
    evil.reply(|_| None);
    become_equal(&[&a, &b, &late]);
}
