//! The run as a whole: conditions, then the table.

use serde_json::json;

use crate::Effort;
use crate::table::{self, Line};

type Conditions = [(&'static str, String)];

const NOTES: &str = "\
Keys are 16 bytes, values 100. Every floor is the least that the same work can take, measured in the same run by the same program, so \
the ratio says more than the time: machines differ. Times are medians. Processes are separate, and talk over loopback, through TCP \
with Noise and Yamux. An idle machine wakes slowly: the round trip of plain TCP at the same rate says how slowly this one did. \
\"Bare gossipsub\" is rust-libp2p's gossipsub on a current-thread runtime, unsigned, with messages as large as ours; with \"a thread \
at each end\" its messages also come from, and go to, a thread other than the network's, as those of a map do. Bytes on the wire \
are those of the loopback device of a network namespace in which nothing else runs, TCP and IP headers included. What sync costs an idle pair is the difference to another pair, \
    which compares once a day, and what heartbeats tell of the maps. A map is opened again by a process of its own, which starts a node first: \
with few entries that is most of it (row 18). Other languages read beside two floors, each named: the fastest native call of a \
few that makes 100 bytes and looks nothing up, which no `get` can reach, and the language's own map. Loops of the language are in all of \
these figures. Events wait for a callback that is held up at its first call, while 100 k keys change, and are counted from when it is let go; \
its floors are a locked queue of copies (Rust, C), and calls of the same function by native code, for which nothing has to be made.";

pub fn text(conditions: &Conditions, lines: &[Line]) -> String {
    let conditions: String = conditions.iter().map(|(what, value)| format!("{what}: {value}\n")).collect();
    format!("{conditions}\n{}", table::text(lines))
}

pub fn markdown(conditions: &Conditions, lines: &[Line], effort: Effort) -> String {
    let how = effort.pick("make bench QUICK=1", "make bench");
    let conditions: String = conditions.iter().map(|(what, value)| format!("- {what}: {value}\n")).collect();
    format!(
        "# Benchmarks\n\nWritten by `{how}`, which measures all of this again on your machine.\n\n{NOTES}\n\n{conditions}\n{}",
        table::markdown(lines)
    )
}

pub fn json(conditions: &Conditions, lines: &[Line]) -> String {
    let conditions: serde_json::Map<_, _> = conditions.iter().map(|(what, value)| ((*what).into(), json!(value))).collect();
    let lines: Vec<_> = lines.iter().map(Line::json).collect();
    format!("{:#}", json!({ "conditions": conditions, "lines": lines }))
}
