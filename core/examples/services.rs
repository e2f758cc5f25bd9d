//! One of several processes, each in its own language, that share the map `services`: a small service registry.
//!
//!     services <name> <bootstrap address or ""> <services file> <part> <parts>
//!
//! Then it takes commands on standard input, and answers each with one line.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use p2pmap::{Config, Event, EventKind, Map, MapOptions, Node, SubscribeOptions};

/// What the callback has seen.
#[derive(Default)]
struct Seen {
    events: u64,
    latencies_us: Vec<u64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, bootstrap, file, part, parts] = &args[..] else {
        return Err("usage: services <name> <bootstrap address or \"\"> <services file> <part> <parts>".into());
    };
    let mut config = Config::new();
    config.set_env()?.set("bootstrap", bootstrap)?;
    let node = Node::open(config)?;
    for addr in node.addrs() {
        println!("addr {addr}");
    }

    let services = node.map("services", MapOptions::new())?;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let callback = Arc::clone(&seen);
    let everything = SubscribeOptions { snapshot: true, ..SubscribeOptions::default() };
    let _changes = services.subscribe(everything, move |events| {
        let mut seen = callback.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().for_each(|event| seen.note(event));
    })?;
    load(&services, &std::fs::read_to_string(file)?, part.parse()?, parts.parse()?)?;

    for line in std::io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match words[..] {
            ["put", key, value] => {
                services.put(key, value)?;
                println!("ok");
            }
            ["remove", key] => println!("ok {}", services.remove(key)?),
            ["ping", count] => {
                ping(&services, name, count.parse()?)?;
                println!("ok");
            }
            ["report"] => {
                let status = services.status()?;
                println!("report entries={} digest={} {}", status.live, status.digest, seen.lock().unwrap().summary());
            }
            ["quit"] => break,
            _ => println!("error unknown command"),
        }
    }
    node.close();
    Ok(())
}

impl Seen {
    /// Prints every change but the pings, which say how long a write took to get here.
    fn note(&mut self, event: &Event) {
        if event.kind() == EventKind::Synced {
            return;
        }
        let key = String::from_utf8_lossy(event.key());
        if !key.starts_with("~ping/") {
            let whose = if event.is_local() { "local" } else { "remote" };
            let author = event.author().map(|author| author.to_string()).unwrap_or_default();
            self.events += 1;
            println!("event {} {key} {whose} {author}", event.kind().name());
        } else if event.kind() == EventKind::Put && !event.is_local() {
            let sent = event.value().and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
            self.latencies_us.extend(sent.map(|sent| now_us().saturating_sub(sent)));
        }
    }

    fn summary(&mut self) -> String {
        self.latencies_us.sort_unstable();
        let median = self.latencies_us.get(self.latencies_us.len() / 2).map_or("-".into(), u64::to_string);
        format!("events={} latency_us={median}", self.events)
    }
}

/// Writes this process's part: `http 80/tcp www # World Wide Web` is the entry `http/tcp` -> `80 www`.
fn load(services: &Map, text: &str, part: usize, parts: usize) -> p2pmap::Result<()> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty());
    for (_, line) in lines.enumerate().filter(|(index, _)| index % parts == part) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [service, port, aliases @ ..] = &words[..]
            && let Some((port, protocol)) = port.split_once('/')
        {
            services.put(format!("{service}/{protocol}"), [&[port], aliases].concat().join(" "))?;
        }
    }
    Ok(())
}

/// Puts the time `count` times, for the others to measure how long it takes to reach them.
fn ping(services: &Map, name: &str, count: u32) -> p2pmap::Result<()> {
    let key = format!("~ping/{name}");
    for _ in 0..count {
        services.put(&key, now_us().to_string())?;
        std::thread::sleep(Duration::from_millis(5));
    }
    services.remove(&key)?;
    Ok(())
}

/// The wall clock, in microseconds since the Unix epoch.
fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}
