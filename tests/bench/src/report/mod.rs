//! The run as a whole: conditions, the table, the plots.

mod draw;
mod plot;
mod table;

use std::path::Path;

pub use plot::{Axis, Curve, Plot, Scale, percentiles};
use serde_json::json;
pub use table::{Floor, Line, Unit, amount};

use crate::rows::Row;
use crate::{Effort, Result};

type Conditions = [(&'static str, String)];

/// What the measuring of a row has come to.
#[derive(Default)]
pub struct Figures {
    pub lines: Vec<Line>,
    pub plots: Vec<Plot>,
}

impl From<Vec<Line>> for Figures {
    fn from(lines: Vec<Line>) -> Self {
        Self { lines, plots: Vec::new() }
    }
}

impl Figures {
    pub fn add(&mut self, more: Self) {
        self.lines.extend(more.lines);
        self.plots.extend(more.plots);
    }
}

const NOTES: &str = "\
Keys are 16 bytes, values 100. Every floor is the least that the same work can take, measured in the same run by the same program, so \
the ratio says more than the time: machines differ. Times are medians. Processes are separate, and talk over loopback, through TCP \
with Noise and Yamux. An idle machine wakes slowly: the round trip of plain TCP at the same rate says how slowly this one did. \
\"Bare gossipsub\" is rust-libp2p's gossipsub on a current-thread runtime, unsigned, with messages as large as ours; with \"a thread \
at each end\" its messages also come from, and go to, a thread other than the network's, as those of a map do. Bytes on the wire \
are those of the loopback device of a network namespace in which nothing else runs, TCP and IP headers included.";

pub fn text(conditions: &Conditions, figures: &Figures) -> String {
    let conditions: String = conditions.iter().map(|(what, value)| format!("{what}: {value}\n")).collect();
    format!("{conditions}\n{}", table::text(&figures.lines))
}

/// Writes the report as Markdown, and its plots into a folder beside it that has its name.
pub fn write(path: &Path, conditions: &Conditions, rows: &[&Row], figures: &Figures, effort: Effort) -> Result<()> {
    let (folder, name) = (path.with_extension(""), path.file_stem().unwrap_or_default().to_string_lossy());
    std::fs::create_dir_all(&folder)?;
    let mut pictures = String::new();
    for plot in &figures.plots {
        draw::draw(plot, &folder.join(plot.name).with_extension("svg"))?;
        pictures += &format!("![{}]({name}/{}.svg)\n\n", plot.title, plot.name);
    }
    Ok(std::fs::write(path, markdown(conditions, rows, figures, &pictures, effort))?)
}

fn markdown(conditions: &Conditions, rows: &[&Row], figures: &Figures, pictures: &str, effort: Effort) -> String {
    let how = effort.pick("make bench QUICK=1", "make bench");
    let conditions: String = conditions.iter().map(|(what, value)| format!("- {what}: {value}\n")).collect();
    let row = |row: &&Row| format!("| {} | {} |\n", row.name, row.conditions);
    let rows: String = rows.iter().map(row).collect();
    format!(
        "# Benchmarks\n\nWritten by `{how}`, which measures all of this again on your machine.\n\n{NOTES}\n\n{conditions}\n{}\n\
        ## Pictures\n\nCurves of p2pmap are drawn through, those of floors are broken.\n\n{pictures}\
        ## Conditions of each row\n\n| row | conditions |\n| --- | --- |\n{rows}",
        table::markdown(&figures.lines)
    )
}

pub fn json(conditions: &Conditions, rows: &[&Row], figures: &Figures) -> String {
    let conditions: serde_json::Map<_, _> = conditions.iter().map(|(what, value)| ((*what).into(), json!(value))).collect();
    let rows: serde_json::Map<_, _> = rows.iter().map(|row| (row.name.into(), json!(row.conditions))).collect();
    let lines: Vec<_> = figures.lines.iter().map(Line::json).collect();
    let plots: Vec<_> = figures.plots.iter().map(Plot::json).collect();
    format!("{:#}", json!({ "conditions": conditions, "rows": rows, "lines": lines, "plots": plots }))
}
