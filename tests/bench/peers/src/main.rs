//! `make bench-peers`: what a user could pick instead of p2pmap, doing the same work in the same run.
//!
//! `QUICK=1` does less, `PEER=redis` measures one (several separated by commas), `JSON=1` prints JSON; `--write FILE` writes the table
//! as Markdown, with the conditions. Other processes are this program again, in a role: `--role ROLE ARGUMENT...`.
//!
//! Where it may, it runs in a network namespace of its own, so that bytes on loopback are its own bytes.

mod contender;
mod idle;
mod member;
mod report;
mod server;
mod work;

use std::process::ExitCode;
use std::time::Instant;

use contender::Contender;
use p2pmap_bench::{Effort, Result, machine};
use report::Column;
use work::{Size, Work};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--role", role, ..] => play(role, &args[2..]),
        [] => bench(None),
        ["--write", path] => bench(Some(path)),
        _ => Err("usage: [QUICK=1] [PEER=name] [JSON=1] p2pmap-bench-peers [--write FILE]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("p2pmap-bench-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(role: &str, args: &[String]) -> Result<()> {
    match role {
        "first" => member::first(args),
        "join" => member::join(args),
        "idle" => idle::idle(args),
        "server" => server::become_server(args),
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
    let size = Size::of(effort);
    let mut conditions = machine::conditions();
    let start = Instant::now();

    let mut columns = measure(&wanted(set("PEER"))?, &size);
    if columns.is_empty() {
        return Err("nothing could be measured".into());
    }
    let contenders: Vec<_> = columns.iter().map(|column| column.contender).collect();
    eprintln!("idle: all at once ...");
    for (column, figure) in columns.iter_mut().zip(idle::measure(&contenders, &size, effort)) {
        column.figures.insert(Work::Idle, figure);
    }
    conditions.push(("load after", machine::load()));
    conditions.push(("the run took", format!("{} s", start.elapsed().as_secs())));
    match set("JSON") {
        Some(_) => println!("{}", report::json(&conditions, &columns, &size)),
        None => print!("{}", report::text(&conditions, &columns, &size)),
    }
    if let Some(path) = write {
        std::fs::write(path, report::markdown(&conditions, &columns, &size, effort))?;
        eprintln!("written to {path}");
    }
    Ok(())
}

/// Those asked for, or all.
fn wanted(keys: Option<String>) -> Result<Vec<&'static Contender>> {
    match keys {
        Some(keys) => keys.split(',').map(contender::named).collect(),
        None => Ok(contender::ALL.iter().collect()),
    }
}

/// What is installed, one after another.
fn measure(contenders: &[&'static Contender], size: &Size) -> Vec<Column> {
    let mut columns = Vec::new();
    for contender in contenders {
        let Some(version) = contender.version() else {
            eprintln!("{}: left out, as it is not installed", contender.name);
            continue;
        };
        let start = Instant::now();
        match work::measure(contender, size) {
            Ok(figures) => columns.push(Column { contender, version, figures }),
            Err(error) => eprintln!("{}: left out: {error}", contender.name),
        }
        eprintln!("{}: {} s (load {})", contender.name, start.elapsed().as_secs(), machine::load());
    }
    columns
}
