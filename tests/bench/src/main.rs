//! `make bench`: how fast p2pmap is on this machine, each figure beside its floor measured in the same run.
//!
//! `QUICK=1` takes fewer samples (under two minutes), `ROW=7` measures one row, `JSON=1` prints JSON; `--write FILE` writes the table
//! as Markdown, with the conditions. Other processes are this program again, in a role: `--role ROLE ARGUMENT...`.
//!
//! Where it may, it runs in a network namespace of its own, so that bytes on loopback are its own bytes.

mod bare;
mod bare_swarm;
mod durable;
mod events;
mod fifty;
mod gossip;
mod idle;
mod join;
mod languages;
mod memory;
mod node;
mod notify;
mod overwrites;
mod reads;
mod reopen;
mod report;
mod scan;
mod size;
mod spread;
mod tcp;
mod through_c;
mod writes;

use std::process::ExitCode;

// Named here, so that every module finds them at the crate's root.
use p2pmap_bench::{Effort, Result, child, clock, load, machine, table};
use table::Line;

/// What measures the rows of one number.
type Measure = fn(Effort) -> Result<Vec<Line>>;

const ROWS: [(&str, Measure); 16] = [
    ("1", reads::measure),
    ("2", through_c::measure),
    ("3", languages::measure),
    ("4", writes::measure),
    ("5", scan::measure),
    ("6", memory::measure),
    ("7", notify::measure),
    ("8", notify::measure_at_rates),
    ("9", spread::measure),
    ("10", join::measure),
    ("11", idle::measure),
    ("13", durable::measure),
    ("14", reopen::measure),
    ("15", events::measure),
    ("16", fifty::measure),
    ("18", size::measure),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--role", role, ..] => play(role, &args[2..]),
        [] => bench(None),
        ["--write", path] => bench(Some(path)),
        _ => Err("usage: [QUICK=1] [ROW=n] [JSON=1] p2pmap-bench [--write FILE]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("p2pmap-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(role: &str, args: &[String]) -> Result<()> {
    match role {
        "node" => node::node(args),
        "join" => node::join(args),
        "idle" => node::idle(args),
        "memory" => memory::memory(args),
        "open" => size::open(),
        "gossip" => gossip::gossip(args),
        "echo" => tcp::echo(args),
        "load" => tcp::load(args),
        "reopen" => reopen::reopen(args),
        "refill" => reopen::refill(args),
        _ => Err(format!("no such role: {role}").into()),
    }
}

fn bench(write: Option<&str>) -> Result<()> {
    if std::env::var_os(machine::ALONE).is_none() && machine::can_be_apart() {
        let ended = machine::apart().arg(std::env::current_exe()?).args(std::env::args().skip(1)).status()?;
        std::process::exit(ended.code().unwrap_or(1));
    }
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let effort = Effort { quick: set("QUICK").is_some() };
    let wanted = set("ROW");
    let conditions = machine::conditions();
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for (row, measure) in ROWS {
        if wanted.as_deref().is_some_and(|wanted| wanted != row) {
            continue;
        }
        eprintln!("row {row} (load {}) ...", machine::load());
        match measure(effort) {
            Ok(measured) => lines.extend(measured),
            Err(error) => failed.push(format!("row {row}: {error}")),
        }
    }
    match set("JSON") {
        Some(_) => println!("{}", report::json(&conditions, &lines)),
        None => print!("{}", report::text(&conditions, &lines)),
    }
    if let Some(path) = write {
        std::fs::write(path, report::markdown(&conditions, &lines, effort))?;
        eprintln!("written to {path}");
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}
