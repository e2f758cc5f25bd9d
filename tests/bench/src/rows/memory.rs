//! Row 6: memory that a million entries take, and whether overwriting them takes more; beside Redis, where it is installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use p2pmap::Config;

use crate::load::{self, ENTRY_BYTES, Random, key, value};
use crate::machine::resident_bytes;
use crate::process::{Peer, line, serve};
use crate::report::{Figures, Floor, Line, Unit};
use crate::{Effort, Result};

/// Commands that are sent before their answers are read.
const PIPELINE: usize = 1_000;

pub fn measure(effort: Effort) -> Result<Figures> {
    let (entries, overwrites) = effort.pick((100_000, 1_000_000), (1_000_000, 10_000_000));
    let ours = Peer::start("memory", &[&entries.to_string(), &overwrites.to_string()])?;
    let figures: Vec<f64> = ours.ready.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [filled, overwritten] = figures[..] else { return Err("no figures".into()) };
    let redis = Redis::start()?.map(|mut redis| redis.fill(entries)).transpose()?;
    let floor = |is: Option<f64>| match is {
        Some(bytes) => Floor { what: "Redis".into(), is: bytes / entries as f64, p99: None },
        None => Floor { what: "keys and values".into(), is: ENTRY_BYTES as f64, p99: None },
    };
    let count = load::count(entries);
    let line = |what: String, bytes: f64, floor: Floor, goal: &str| Line {
        row: 6,
        what,
        unit: Unit::Bytes,
        ours: bytes / entries as f64,
        p99: None,
        floor: Some(floor),
        samples: "1".into(),
        goal: goal.into(),
    };
    let before = Floor { what: "before".into(), is: filled / entries as f64, p99: None };
    Ok(vec![
        line(format!("memory of one of {count} entries, all indexes"), filled, floor(redis), "<= Redis"),
        line(format!("the same after {} overwrites", load::count(overwrites)), overwritten, before, "no growth"),
    ]
    .into())
}

/// `memory ENTRIES OVERWRITES`: says how much memory a map with so many entries takes, and how much after so many overwrites.
pub fn memory(args: &[String]) -> Result<()> {
    let [entries, overwrites] = args else { return Err("memory ENTRIES OVERWRITES".into()) };
    let (entries, overwrites): (usize, usize) = (entries.parse()?, overwrites.parse()?);
    let map = p2pmap::open("bench", Config::new())?;
    let before = resident_bytes()?;
    for number in 0..entries {
        map.put(key(number), value(number as u64, 0))?;
    }
    let filled = resident_bytes()?.saturating_sub(before);
    let mut random = Random(7);
    for round in 0..overwrites {
        map.put(key(random.below(entries)), value(round as u64, 1))?;
    }
    let overwritten = resident_bytes()?.saturating_sub(before);
    serve(&line([filled, overwritten]), |_| Ok(String::new()))
}

/// A Redis that keeps nothing on disk, and ends with this.
pub struct Redis {
    process: Child,
    socket: BufReader<UnixStream>,
}

impl Redis {
    /// `None` where it is not installed.
    pub fn start() -> Result<Option<Self>> {
        let path = std::env::temp_dir().join(format!("p2pmap-bench-{}.sock", std::process::id()));
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&path);
        let mut process = match command.stdout(Stdio::null()).spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            started => started?,
        };
        for _ in 0..1_000 {
            if let Ok(socket) = UnixStream::connect(&path) {
                std::fs::remove_file(&path)?;
                return Ok(Some(Self { process, socket: BufReader::new(socket) }));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        process.kill()?;
        Err("Redis does not answer".into())
    }

    /// Sets that many entries; how many bytes its memory has grown by.
    pub fn fill(&mut self, entries: usize) -> Result<f64> {
        let before = self.resident_bytes()?;
        for numbers in (0..entries).collect::<Vec<_>>().chunks(PIPELINE) {
            let commands: Vec<u8> = numbers.iter().flat_map(|number| set(&key(*number), &value(*number as u64, 0))).collect();
            self.socket.get_mut().write_all(&commands)?;
            for _ in numbers {
                let mut answer = String::new();
                self.socket.read_line(&mut answer)?;
                if answer != "+OK\r\n" {
                    return Err(format!("Redis says {answer}").into());
                }
            }
        }
        Ok(self.resident_bytes()? - before)
    }

    fn resident_bytes(&mut self) -> Result<f64> {
        self.socket.get_mut().write_all(b"INFO memory\r\n")?;
        let mut head = String::new();
        self.socket.read_line(&mut head)?;
        let mut body = vec![0; head.trim_start_matches('$').trim().parse::<usize>()? + 2];
        self.socket.read_exact(&mut body)?;
        let body = String::from_utf8(body)?;
        let bytes = body.lines().find_map(|line| line.strip_prefix("used_memory_rss:")).ok_or("Redis does not say")?;
        Ok(bytes.trim().parse()?)
    }
}

fn set(key: &[u8], value: &[u8]) -> Vec<u8> {
    let head = format!("*3\r\n$3\r\nSET\r\n${}\r\n", key.len());
    [head.as_bytes(), key, format!("\r\n${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat()
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
