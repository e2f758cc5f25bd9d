//! Reading one segment of a log: where its good part ends, and whether what follows was lost or never finished.

use std::ops::Range;
use std::path::PathBuf;

use super::disk::Disk;
use super::frame::{self, Found, HEAD_BYTES};
use super::header::{Header, Kind};
use super::log::Position;
use super::reader::Reader;
use super::rows::{self, Row};
use crate::error::Result;

/// A segment, replayed to its end or to the first frame that is not good.
pub struct Segment {
    pub reader: Reader,
    pub header: Header,
    /// After the last whole commit.
    pub at: Position,
    pub damage: Option<Damage>,
    /// Where the commits' rows are.
    commits: Vec<Range<usize>>,
    /// After the last good frame: of a commit, perhaps, that goes on.
    ahead: Position,
    /// Where the rows of that commit are.
    parts: Vec<Range<usize>>,
}

/// What stands behind the last good frame, if not zeros to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    pub what: &'static str,
    /// A later frame says that the commit that should be here was on disk. So it is no torn tail: it was lost.
    pub was_durable: bool,
}

impl Segment {
    /// Reads a segment to its end, or to the first frame that is not good.
    ///
    /// Limits: holds the file.
    /// Errors: `Corrupted` and `Unsupported` for the header, which was whole before the file had its name.
    pub fn read(disk: &dyn Disk, path: PathBuf) -> Result<Self> {
        let mut reader = Reader::open_whole(disk, path)?;
        let (header, end, link) = Header::read(&mut reader, Kind::Log)?;
        let at = Position { last: header.base, link, end };
        let mut segment = Self { reader, header, at, damage: None, commits: Vec::new(), ahead: at, parts: Vec::new() };
        while segment.step()? {}
        Ok(segment)
    }

    /// Every row of every good commit, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.commits.iter().flat_map(|commit| rows::decode(&self.reader.held()[commit.clone()]).flatten())
    }

    /// Takes the next frame; says whether there was one.
    fn step(&mut self) -> Result<bool> {
        let (head, link, bytes, next) = match frame::read(&mut self.reader, self.header.id, self.ahead.end, self.ahead.link)? {
            Found::Frame { head, link, bytes, next } => (head, link, bytes, next),
            Found::End => return self.check_end(),
            Found::Damage(what) => return self.judge(what),
        };
        // A commit has rows and the next number, in every frame of it; a mark has none, and repeats the last.
        let is_commit = !bytes.is_empty();
        let number = self.at.last + u64::from(is_commit);
        let is_mark_within = !is_commit && (head.says.goes_on || !self.parts.is_empty());
        if head.says.number != number || is_mark_within || rows::decode(bytes).any(|row| row.is_err()) {
            return self.judge("a frame is not one that was written");
        }
        if is_commit {
            let start = self.ahead.end as usize + HEAD_BYTES;
            self.parts.push(start..start + bytes.len());
        }
        self.ahead = Position { link, end: next, ..self.at };
        if !head.says.goes_on {
            self.commits.append(&mut self.parts);
            self.ahead.last = number;
            self.at = self.ahead;
        }
        Ok(true)
    }

    /// After the last frame there are zeros, up to a length that only whole extents have: so no cut goes unseen.
    fn check_end(&mut self) -> Result<bool> {
        if !self.parts.is_empty() {
            return self.judge("its last commit is not whole");
        }
        if !self.reader.is_zero_from(self.at.end)? {
            return self.judge("there is something after its end");
        }
        if !self.reader.len().is_multiple_of(u64::from(self.header.extent)) {
            return self.judge("it ends early");
        }
        Ok(false)
    }

    /// Looks for a later frame that knew the missing commit to be on disk.
    fn judge(&mut self, what: &'static str) -> Result<bool> {
        let missing = self.at.last + 1;
        let mut was_durable = false;
        let mut at = self.at.end;
        while let Some(bytes) = self.reader.bytes(at, HEAD_BYTES)? {
            if let Some((head, _)) = frame::head(bytes, self.header.id) {
                was_durable |= (missing..=head.says.number).contains(&head.says.durable);
            }
            at += 8;
        }
        self.damage = Some(Damage { what, was_durable });
        Ok(false)
    }
}
