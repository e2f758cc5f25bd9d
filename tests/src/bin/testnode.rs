//! A node in a process of its own, told what to do on standard input: one command a line, one line of answer.
//!
//! `testnode MAP [OPTION=VALUE]...` opens a node and a map, and says `ready ID ADDR...`. It ends at `quit` or when its input ends, so
//! that none outlives the test that started it.

use std::io::{BufRead, Write};
use std::time::Duration;

use p2pmap::{Config, Error, ErrorKind, Map, MapOptions, Node};

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let map = args.next().unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let (node, map) = match open(&map, args) {
        Ok(opened) => opened,
        Err(error) => return writeln!(out, "{}", refused(&error)),
    };
    writeln!(out, "ready {} {}", node.id(), node.addrs().join(" "))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let answer = obey(&node, &map, &words).unwrap_or_else(|error| refused(&error));
        writeln!(out, "{answer}")?;
        if words == ["quit"] {
            break;
        }
    }
    Ok(())
}

fn open(map: &str, options: impl Iterator<Item = String>) -> Result<(Node, Map), Error> {
    let mut config = Config::new();
    for option in options {
        let (name, value) = option.split_once('=').unwrap_or((&option, ""));
        config.set(name, value)?;
    }
    let node = Node::open(config)?;
    let map = node.map(map, MapOptions::new())?;
    Ok((node, map))
}

fn obey(node: &Node, map: &Map, words: &[&str]) -> Result<String, Error> {
    match words {
        ["put", key, value] => map.put(key, value).map(|_| "ok".into()),
        ["putmany", prefix, count] => put_many(map, prefix, count),
        ["get", key] => {
            let value = map.get(key)?;
            Ok(value.map_or("none".into(), |value| String::from_utf8_lossy(&value).into_owned()))
        }
        ["remove", key] => map.remove(key).map(|removed| removed.to_string()),
        ["status"] => {
            let status = map.status()?;
            Ok(format!("{} {}", status.live, status.digest))
        }
        ["counters"] => {
            let status = map.status()?;
            Ok(format!("gaps {} syncs {} rejected {}", status.gaps, status.syncs, node.status()?.rejected_messages))
        }
        ["peers"] => {
            let ids: Vec<String> = node.peers()?.iter().map(|peer| peer.id.to_string()).collect();
            Ok(if ids.is_empty() { "none".into() } else { ids.join(" ") })
        }
        ["connect", addr] => node.connect(addr, Duration::from_secs(5)).map(|peer| peer.to_string()),
        ["quit"] => {
            node.close();
            Ok("ok".into())
        }
        _ => Err(Error::new(ErrorKind::InvalidArgument, format!("unknown command {}", words.join(" ")))),
    }
}

fn put_many(map: &Map, prefix: &str, count: &str) -> Result<String, Error> {
    let count: u32 = count.parse().map_err(|_| Error::new(ErrorKind::InvalidArgument, "putmany takes a count"))?;
    for index in 0..count {
        map.put(format!("{prefix}{index:06}"), format!("value of {prefix}{index}"))?;
    }
    Ok("ok".into())
}

fn refused(error: &Error) -> String {
    format!("error {} {}", error.kind().name(), error.message())
}
