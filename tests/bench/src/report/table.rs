//! What was measured, as one table: for people, as Markdown, as JSON.

use serde_json::json;

#[derive(Clone, Copy, PartialEq)]
pub enum Unit {
    Nanoseconds,
    /// Operations a second.
    Rate,
    Bytes,
    Count,
}

/// One figure beside its floor.
pub struct Line {
    pub row: u8,
    pub what: String,
    pub unit: Unit,
    pub ours: f64,
    pub p99: Option<f64>,
    pub floor: Option<Floor>,
    pub samples: String,
    pub goal: String,
}

/// The least that the same work can take, measured in the same run.
pub struct Floor {
    pub what: String,
    pub is: f64,
    pub p99: Option<f64>,
}

const HEADS: [&str; 9] = ["row", "what", "p2pmap", "floor", "ratio", "p99", "floor's p99", "samples", "goal"];

impl Line {
    fn ratio(&self) -> Option<f64> {
        self.floor.as_ref().filter(|floor| floor.is > 0.0).map(|floor| self.ours / floor.is)
    }

    fn cells(&self) -> [String; 9] {
        let show = |value: Option<f64>| value.map_or("-".into(), |value| amount(self.unit, value));
        let floor = self.floor.as_ref();
        [
            self.row.to_string(),
            self.what.clone(),
            amount(self.unit, self.ours),
            floor.map_or("-".into(), |floor| format!("{} {}", amount(self.unit, floor.is), floor.what)),
            self.ratio().map_or("-".into(), |ratio| format!("{ratio:.2}")),
            show(self.p99),
            show(floor.and_then(|floor| floor.p99)),
            self.samples.clone(),
            self.goal.clone(),
        ]
    }

    pub fn json(&self) -> serde_json::Value {
        let floor = self.floor.as_ref();
        json!({
            "row": self.row, "what": self.what, "unit": self.unit.name(), "p2pmap": self.ours, "p99": self.p99,
            "floor": floor.map(|floor| floor.is), "floor_what": floor.map(|floor| &floor.what),
            "floor_p99": floor.and_then(|floor| floor.p99), "ratio": self.ratio(), "samples": self.samples, "goal": self.goal,
        })
    }
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Rate => "1/s",
            Self::Bytes => "bytes",
            Self::Count => "",
        }
    }
}

/// A figure with a unit of fitting size.
pub fn amount(unit: Unit, value: f64) -> String {
    let scaled = |step: f64, names: &[&str]| {
        let (mut value, mut at) = (value, 0);
        while value >= step && at + 1 < names.len() {
            (value, at) = (value / step, at + 1);
        }
        let digits = if value >= 100.0 || at == 0 && value.fract() == 0.0 { 0 } else { 2 - usize::from(value >= 10.0) };
        format!("{value:.digits$} {}", names[at]).trim_end().to_owned()
    };
    match unit {
        Unit::Nanoseconds => scaled(1000.0, &["ns", "us", "ms", "s"]),
        Unit::Rate => scaled(1000.0, &["/s", "k/s", "M/s"]),
        Unit::Bytes => scaled(1000.0, &["B", "kB", "MB", "GB"]),
        Unit::Count => scaled(1000.0, &["", "k", "M"]),
    }
}

/// The lines as a table with aligned columns.
pub fn text(lines: &[Line]) -> String {
    let rows: Vec<_> = std::iter::once(HEADS.map(String::from)).chain(lines.iter().map(Line::cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let show = |row: &[String; 9]| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(show).collect()
}

/// The lines as a Markdown table.
pub fn markdown(lines: &[Line]) -> String {
    let show = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<String> = HEADS.iter().map(|_| "---".to_owned()).collect();
    let mut table = show(&HEADS.map(String::from)) + &show(&rule);
    lines.iter().for_each(|line| table += &show(&line.cells()));
    table
}
