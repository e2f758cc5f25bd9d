//! What processes say to each other when nothing happens.

use std::time::Duration;

use p2pmap_bench::machine::{can_be_apart, wire_bytes};
use p2pmap_bench::process::{Peer, line, serve};
use p2pmap_bench::{Effort, Result};

use crate::contender::Contender;
use crate::work::{Figure, Size};

/// All contenders at once, each on a wire of its own, for so long.
pub fn measure(contenders: &[&'static Contender], size: &Size, effort: Effort) -> Vec<Result<Figure>> {
    if !can_be_apart() {
        return contenders.iter().map(|_| Err("that takes a network namespace, which cannot be made here".into())).collect();
    }
    let (settle, seconds): (u64, u64) = effort.pick((10, 20), (40, 60));
    let entries = size.entries;
    let start = |contender: &&'static Contender| {
        let contender = *contender;
        std::thread::spawn(move || -> Result<Figure> {
            let args = [contender.key, &entries.to_string(), &settle.to_string(), &seconds.to_string()];
            let pair = Peer::start_apart("idle", &args)?;
            Ok(Figure { is: pair.ready.parse::<f64>()? * 60.0 / seconds as f64, p99: None })
        })
    };
    let measuring: Vec<_> = contenders.iter().map(start).collect();
    measuring.into_iter().map(|one| one.join().map_err(|_| "a measuring thread panicked")?).collect()
}

/// `idle CONTENDER ENTRIES SETTLE SECONDS`: two processes that hold the same and do nothing for so long; says how many bytes were
/// exchanged meanwhile.
pub fn idle(args: &[String]) -> Result<()> {
    let [contender, entries, settle, seconds] = args else { return Err("idle CONTENDER ENTRIES SETTLE SECONDS".into()) };
    let mut writer = Peer::start("first", &[contender, "idle"])?;
    writer.ask(&format!("fill 0 {entries}"))?;
    let _reader = Peer::start("join", &[contender, &writer.ready, entries, "idle"])?;
    std::thread::sleep(Duration::from_secs(settle.parse()?));
    let before = wire_bytes().ok_or("the wire is shared")?;
    std::thread::sleep(Duration::from_secs(seconds.parse()?));
    let after = wire_bytes().ok_or("the wire is shared")?;
    serve(&line([after - before]), |_| Ok("idle".into()))
}
