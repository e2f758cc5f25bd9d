//! `make bench`: how fast p2pmap is on this machine, each figure beside its floor measured in the same run.
//!
//! `QUICK=1` takes fewer samples (under two minutes), `ROW=7` measures one row (`ROW=sizes`: how cost grows with size), `JSON=1`
//! prints JSON; `--write FILE` writes the table as Markdown, with the conditions and with plots. Other processes are this program
//! again, in a role: `--role ROLE ARGUMENT...`.
//!
//! Where it may, it runs in a network namespace of its own, so that bytes on loopback are its own bytes.
//!
//! The map of the house: `rows` measures, `floors` is what it is measured against, `process` starts other processes and is what
//! they do, `report` tells; `load`, `clock` and `machine` are what all of them stand on.

pub mod clock;
mod floors;
pub mod load;
pub mod machine;
pub mod process;
pub mod report;
mod rows;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use report::Figures;
use rows::{ROWS, Row};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub quick: bool,
}

impl Effort {
    /// The first when there is little time.
    pub fn pick<T>(self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// What the program does.
pub fn run() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--role", role, ..] => play(role, &args[2..]),
        [] => bench(None),
        ["--write", path] => bench(Some(Path::new(path))),
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
        "node" => process::node::node(args),
        "join" => process::node::join(args),
        "idle" => process::node::idle(args),
        "memory" => rows::memory::memory(args),
        "sized" => rows::sizes::sized(args),
        "reconcile" => rows::reconcile::reconcile(args),
        "open" => rows::size::open(),
        "gossip" => floors::gossip::gossip(args),
        "echo" => floors::tcp::echo(args),
        "load" => floors::tcp::load(args),
        "reopen" => rows::reopen::reopen(args),
        "refill" => rows::reopen::refill(args),
        _ => Err(format!("no such role: {role}").into()),
    }
}

fn bench(write: Option<&Path>) -> Result<()> {
    if std::env::var_os(machine::ALONE).is_none() && machine::can_be_apart() {
        let ended = machine::apart().arg(std::env::current_exe()?).args(std::env::args().skip(1)).status()?;
        std::process::exit(ended.code().unwrap_or(1));
    }
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let effort = Effort { quick: set("QUICK").is_some() };
    let wanted = set("ROW");
    let rows: Vec<&Row> = ROWS.iter().filter(|row| wanted.as_deref().is_none_or(|wanted| wanted == row.name)).collect();
    if rows.is_empty() {
        return Err("there is no such row".into());
    }
    let conditions = machine::conditions();
    let (figures, failed) = measure(&rows, effort);
    match set("JSON") {
        Some(_) => println!("{}", report::json(&conditions, &rows, &figures)),
        None => print!("{}", report::text(&conditions, &figures)),
    }
    if let Some(path) = write {
        report::write(path, &conditions, &rows, &figures, effort)?;
        eprintln!("written to {}", path.display());
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
}

/// Measures those rows; their figures in that order, and what failed.
fn measure(rows: &[&Row], effort: Effort) -> (Figures, Vec<String>) {
    let start = Instant::now();
    let one = |row: &Row| {
        eprintln!("row {} (load {}) ...", row.name, machine::load());
        let start = Instant::now();
        let measured = (row.measure)(effort).map_err(|error| format!("row {}: {error}", row.name));
        eprintln!("row {} took {:.1} s", row.name, start.elapsed().as_secs_f64());
        measured
    };
    let (mut figures, mut failed) = (Figures::default(), Vec::new());
    std::thread::scope(|scope| {
        let beside: Vec<_> = rows.iter().map(|row| row.beside.then(|| scope.spawn(|| one(row)))).collect();
        let measured: Vec<_> = rows.iter().map(|row| (!row.beside).then(|| one(row))).collect();
        for (beside, measured) in beside.into_iter().zip(measured) {
            let joined = beside.map(|beside| beside.join().unwrap_or_else(|_| Err("a row panicked".into())));
            match joined.or(measured) {
                Some(Ok(more)) => figures.add(more),
                Some(Err(error)) => failed.push(error),
                None => {}
            }
        }
    });
    eprintln!("all of it took {:.1} s", start.elapsed().as_secs_f64());
    (figures, failed)
}
