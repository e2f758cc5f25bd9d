//! `make demo`: a real cluster on this machine, one process for each language, and proof that they end equal.
//!
//! Five processes know one bootstrap address, open the map `services` and load a fifth of the machine's services each. One removes
//! a key, one overwrites a key of another, the bootstrap node is killed while the rest write, a new one joins late. Then all must
//! hold the same, and hold what was written: the demo joins with a node of its own and compares every entry with the file. At last
//! all are killed at once, and come back with what they have on disk.
//! Called as `demo [c] [python] [node] [go]`: the languages that were built. Every step waits for what must come true, and fails when it does not within a limit.

mod cluster;
mod expected;
mod homes;
mod language;
mod member;
mod screen;

use std::process::ExitCode;

use cluster::Cluster;
use expected::Expected;
use language::{Language, RUST};
use screen::Screen;

type Outcome<T = ()> = Result<T, String>;

/// Writes of one process, for the others to measure.
const PINGS: usize = 20;

fn main() -> ExitCode {
    let screen = Screen::new();
    match run(screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            screen.failed(&problem);
            ExitCode::FAILURE
        }
    }
}

fn run(screen: Screen) -> Outcome {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let languages = language::present(&named, screen);
    let mut expected = Expected::read(languages.len())?;
    let mut cluster = Cluster::new(screen);

    load(&mut cluster, &languages, &expected)?;
    change(&mut cluster, &mut expected)?;
    lose_the_bootstrap(&mut cluster, &mut expected)?;
    let late = join_late(&mut cluster, &expected)?;
    let digest = time(&mut cluster, &expected)?;

    cluster.check_entries(&expected, &digest)?;
    cluster.table(late)?;
    crash(&mut cluster, &mut expected)?;
    cluster.end()
}

/// Starts one process of each language, all with the first one's address, and waits until each holds everything.
fn load(cluster: &mut Cluster, languages: &[&'static Language], expected: &Expected) -> Outcome {
    let parts = languages.len();
    cluster.screen.title(&format!("{parts} processes load a part each of {}: {} entries", expected.path, expected.len()));
    for (part, language) in languages.iter().enumerate() {
        cluster.start(language, (part > 0).then_some(0), &expected.path, part, parts)?;
    }
    cluster.wait_for_addresses()?;
    cluster.converge(expected.len())?;
    Ok(())
}

/// One process removes a key, one overwrites a key, both loaded by others. Everyone sees it.
fn change(cluster: &mut Cluster, expected: &mut Expected) -> Outcome {
    cluster.screen.title("One removes a key, one overwrites a key, both written by others");
    let (remover, writer) = (3, 2);
    let gone = expected.loaded_by_another(remover, "telnet/tcp");
    cluster.announce(remover, &format!("remove {gone}"));
    cluster.expect("remove", &gone);
    if cluster.ask(remover, &format!("remove {gone}"))? != "ok true" {
        return Err(format!("{} had no {gone} to remove", cluster.name(remover)));
    }
    expected.remove(&gone);
    cluster.all_see("remove", &gone)?;

    let changed = expected.loaded_by_another(writer, "http/tcp");
    put(cluster, expected, writer, &changed, "8080 www")?;
    cluster.all_see("put", &changed)
}

/// The process that everyone joined through is killed between two writes of everyone else.
fn lose_the_bootstrap(cluster: &mut Cluster, expected: &mut Expected) -> Outcome {
    cluster.screen.title("The bootstrap node is killed; the rest go on writing");
    let survivors = cluster.running().split_off(1);
    let mut written = Vec::new();
    for when in ["before", "after"] {
        for member in &survivors {
            let key = format!("{when}-{}/tcp", cluster.id(*member));
            put(cluster, expected, *member, &key, "7400 demo")?;
            written.push(key);
        }
        if when == "before" {
            cluster.kill(0)?;
        }
    }
    for key in written {
        cluster.all_see("put", &key)?;
    }
    cluster.converge(expected.len())?;
    Ok(())
}

/// A new process joins through one that is not the bootstrap node, loads nothing, and gets everything.
fn join_late(cluster: &mut Cluster, expected: &Expected) -> Outcome<usize> {
    let running = cluster.running();
    let through = running[running.len() - 1];
    cluster.screen.title(&format!("A new process joins late, through {}, and pulls everything", cluster.name(through)));
    let late = cluster.start(&RUST, Some(through), &expected.path, expected.parts, expected.parts)?;
    cluster.converge(expected.len())?;
    Ok(late)
}

/// Each process writes the time again and again; the others take it from the clock when their callback is told. The digest after.
fn time(cluster: &mut Cluster, expected: &Expected) -> Outcome<String> {
    cluster.screen.title("Every process times the writes of the others");
    for member in cluster.running() {
        cluster.announce(member, &format!("puts the time, {PINGS} times"));
        cluster.ask(member, &format!("ping {PINGS}"))?;
    }
    cluster.converge(expected.len())
}

/// Every process is killed at the same time. All come back with what they had on disk, the one that missed half of it too.
fn crash(cluster: &mut Cluster, expected: &mut Expected) -> Outcome {
    cluster.screen.title("All are killed at once, and come back with what they have on disk");
    expected.put("saved/tcp", "7400 demo");
    cluster.save("saved/tcp", "7400 demo")?;
    cluster.crash_and_come_back()?;
    let digest = cluster.converge(expected.len())?;
    cluster.check_entries(expected, &digest)
}

fn put(cluster: &mut Cluster, expected: &mut Expected, member: usize, key: &str, value: &str) -> Outcome {
    cluster.announce(member, &format!("put {key} = {value}"));
    expected.put(key, value);
    cluster.expect("put", key);
    match cluster.ask(member, &format!("put {key} {value}"))?.as_str() {
        "ok" => Ok(()),
        answer => Err(format!("{} could not put {key}: {answer}", cluster.name(member))),
    }
}
