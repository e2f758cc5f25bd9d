//! Sync by context: one replica pulls from another what its own context does not cover, in pages.
//!
//! A pull runs in rounds. The first carries every entry that the pulling side's *base* does not cover, page by page; its first
//! page brings the serving side's context and revision of that moment. Entries move while a round is under way, so a round of
//! several pages is followed by another one, which carries what changed meanwhile: what has a later revision and is not
//! covered by base and that context together. (Neither is enough alone: a replica may hold entries that it does not cover
//! itself, and the revision has no index.) The last round fits in one page, cut in one piece with its context: that
//! context, and only that one, is joined. The serving side keeps nothing between two pages, and a pull that breaks off joins
//! nothing.

use std::mem;

use super::clock::Timestamp;
use super::context::Context;
use super::digest::Digest;
use super::entry::{Record, Slot};
use super::stamp::{Origin, Stamp};

/// Where a round goes on: after this origin's timestamp.
pub type Cursor = (Origin, Timestamp);

/// What the pulling side asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Not the entries that this covers.
    pub base: Context,
    /// Nor those up to this revision of the serving side.
    pub since: u64,
    /// Nor those up to here: the round is under way.
    pub cursor: Option<Cursor>,
}

/// The serving side when a round began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub context: Context,
    pub revision: u64,
}

/// What a page says beside its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageEnd {
    /// On the round's first page only.
    pub start: Option<Start>,
    /// Where the round goes on, if it does.
    pub cursor: Option<Cursor>,
    /// The serving side's `past`: on a round's only page.
    pub past: Vec<(Origin, Timestamp)>,
    /// The serving side's digest: on a round's only page.
    pub digest: Option<Digest>,
}

/// A page as it leaves.
pub struct Page {
    pub entries: Vec<(Slot, Record)>,
    pub end: PageEnd,
}

/// The pulling side of one sync.
pub struct Puller {
    request: Request,
    round: Option<Start>,
    refused: Vec<Stamp>,
    rounds: usize,
}

/// Rounds of one pull. Each carries what changed during the one before, so a pull that needs more is being led on.
const MAX_ROUNDS: usize = 256;

/// What to do after a page.
pub enum Step {
    /// Ask again.
    More,
    /// Join this: the pull is complete.
    Join(Join),
    /// The page does not fit its request: drop the pull.
    Malformed,
}

/// What a complete pull brings beside its entries.
pub struct Join {
    pub context: Context,
    /// Never to be claimed: they were not merged.
    pub refused: Vec<Stamp>,
    pub past: Vec<(Origin, Timestamp)>,
    /// The serving side's digest of that moment.
    pub digest: Digest,
}

impl Puller {
    /// Starts from what this side covers, or from nothing for a full sync.
    pub fn new(base: Context) -> Self {
        Self { request: Request { base, since: 0, cursor: None }, round: None, refused: Vec::new(), rounds: 0 }
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Takes a page whose entries have been merged, but for the refused ones.
    pub fn page(&mut self, end: PageEnd, refused: impl IntoIterator<Item = Stamp>) -> Step {
        self.refused.extend(refused);
        let first = self.request.cursor.is_none();
        if first != end.start.is_some() || end.cursor.as_ref().is_some_and(|next| Some(next) <= self.request.cursor.as_ref()) {
            return Step::Malformed;
        }
        match (end.start, end.cursor) {
            (Some(Start { context, .. }), None) => {
                let Some(digest) = end.digest else { return Step::Malformed };
                return Step::Join(Join { context, refused: mem::take(&mut self.refused), past: end.past, digest });
            }
            (start, Some(cursor)) => {
                self.round = start.or(self.round.take());
                self.request.cursor = Some(cursor);
            }
            (None, None) => {
                let Some(start) = self.round.take() else { return Step::Malformed };
                self.request.base.join(&start.context);
                self.request.since = start.revision;
                self.request.cursor = None;
                self.rounds += 1;
                if self.rounds == MAX_ROUNDS {
                    return Step::Malformed;
                }
            }
        }
        Step::More
    }
}
