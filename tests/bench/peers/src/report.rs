//! The run as a whole: conditions, the table, and what to know of each contender.

use p2pmap_bench::Effort;
use p2pmap_bench::load::count;
use p2pmap_bench::report::amount;
use serde_json::json;

use crate::contender::Contender;
use crate::work::{Figures, Size, Work};

/// What was measured of one contender.
pub struct Column {
    pub contender: &'static Contender,
    pub version: String,
    pub figures: Figures,
}

type Conditions = [(&'static str, String)];

const NOTES: &str = "\
Keys are 16 bytes, values 100. The client is the same Rust program for all, and talks over loopback; the first process writes, another \
one reads and is told. Single operations are medians, with the 99th percentile after the stroke; joins and loads are medians of up to \
three. One contender is measured after another, so a machine that changes its mind changes it for some. Reads are made by the process \
that joined, in the way that its contender has: p2pmap, chitchat and iroh-docs read their own process's copy, \
the others ask a server. What is called accepted differs: by this process's memory (p2pmap, chitchat, iroh-docs), by a \
server's memory (Redis, NATS), by a disk (etcd), by the outgoing queue (zenoh). Memory is what the process that holds the data grew \
by, and is coarse where a collector or an allocator keeps room. Idle bytes are those of the loopback device of a network namespace of \
each contender's own, TCP and IP headers included, 40 s after everything was equal.";

impl Work {
    /// What the row is called.
    fn what(self, size: &Size) -> String {
        let all = count(size.entries);
        match self {
            Self::Get => "get, one at a time".into(),
            Self::GetAll => "gets a second, as many at a time as it takes".into(),
            Self::Put => "put, one at a time, until accepted".into(),
            Self::Fill => "puts a second, as many at a time as it takes".into(),
            Self::Notify => "put -> callback in another process, 300/s".into(),
            Self::Load => format!("{all} puts until another process holds all"),
            Self::Join => format!("a new process joins and holds {all}"),
            Self::Memory => format!("memory of one of {all} entries"),
            Self::Idle => format!("idle with {all} entries: a minute on the wire"),
        }
    }
}

impl Column {
    fn cell(&self, work: Work) -> String {
        let show = |value| amount(work.unit(), value);
        match self.figures.get(&work) {
            Some(Ok(figure)) => match figure.p99 {
                Some(p99) => format!("{} / {}", show(figure.is), show(p99)),
                None => show(figure.is),
            },
            Some(Err(error)) => format!("none: {error}"),
            None => "-".into(),
        }
    }

    fn json(&self, size: &Size) -> serde_json::Value {
        let line = |(work, figure): (&Work, &p2pmap_bench::Result<_>)| {
            let (is, p99, error) = match figure {
                Ok(crate::work::Figure { is, p99 }) => (Some(*is), *p99, None),
                Err(error) => (None, None, Some(error.to_string())),
            };
            json!({ "what": work.what(size), "unit": work.unit().name(), "is": is, "p99": p99, "error": error })
        };
        let lines: Vec<_> = self.figures.iter().map(line).collect();
        json!({ "name": self.contender.name, "version": self.version, "notes": self.contender.notes, "lines": lines })
    }
}

/// The table: a row for each work, a column for each contender.
fn rows(columns: &[Column], size: &Size) -> Vec<Vec<String>> {
    let row = |head: String, cell: &dyn Fn(&Column) -> String| -> Vec<String> {
        std::iter::once(head).chain(columns.iter().map(cell)).collect()
    };
    let heads = row("what".into(), &|column| format!("{} {}", column.contender.name, column.version));
    let works = Work::ALL.into_iter().map(|work| row(work.what(size), &|column| column.cell(work)));
    std::iter::once(heads).chain(works).collect()
}

pub fn text(conditions: &Conditions, columns: &[Column], size: &Size) -> String {
    let conditions: String = conditions.iter().map(|(what, value)| format!("{what}: {value}\n")).collect();
    let rows = rows(columns, size);
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=columns.len()).map(width).collect();
    let show = |row: &Vec<String>| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    format!("{conditions}\n{}", rows.iter().map(show).collect::<String>())
}

pub fn markdown(conditions: &Conditions, columns: &[Column], size: &Size, effort: Effort) -> String {
    let how = effort.pick("make bench-peers QUICK=1", "make bench-peers");
    let conditions: String = conditions.iter().map(|(what, value)| format!("- {what}: {value}\n")).collect();
    let show = |row: &[String]| format!("| {} |\n", row.join(" | "));
    let rows = rows(columns, size);
    let rule = vec!["---".to_owned(); columns.len() + 1];
    let table: String = std::iter::once(&rows[0]).chain([&rule]).chain(&rows[1..]).map(|row| show(row)).collect();
    let note = |column: &Column| format!("- **{} {}**: {}.\n", column.contender.name, column.version, column.contender.notes);
    let notes: String = columns.iter().map(note).collect();
    format!(
        "# Beside others\n\nWritten by `{how}`, which installs what it can, starts it, and measures all of this again on your machine.\n\n\
         {NOTES}\n\n{conditions}\n{table}\n## How each was run, and what it does more or less\n\n{notes}"
    )
}

pub fn json(conditions: &Conditions, columns: &[Column], size: &Size) -> String {
    let conditions: serde_json::Map<_, _> = conditions.iter().map(|(what, value)| ((*what).into(), json!(value))).collect();
    let columns: Vec<_> = columns.iter().map(|column| column.json(size)).collect();
    format!("{:#}", json!({ "conditions": conditions, "contenders": columns }))
}
