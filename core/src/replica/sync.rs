//! Sync by context: one replica pulls from another what its own context does not cover, in pages.
//!
//! A pull runs in rounds. The first carries every entry that the pulling side's *base* does not cover, page by page; its first
//! page brings the serving side's context and revision of that moment. Entries move while a round is under way, so a round of
//! several pages is followed by another one, which carries what changed meanwhile: what has a later revision and is not
//! covered by base and that context together. (Neither is enough alone: a replica may hold entries that it does not cover
//! itself, and the revision has no index.) The last round fits in one page, cut in one piece with its context: that
//! context, and only that one, is joined. The serving side keeps nothing between two pages, and a pull that breaks off joins
//! nothing.

use std::collections::HashMap;
use std::mem;

use xxhash_rust::xxh3::xxh3_128;

use super::clock::Timestamp;
use super::context::Context;
use super::delta::Incoming;
use super::digest::Digest;
use super::entry::{Record, Slot};
use super::mutation::{Mutation, mutated};
use super::presence::Sign;
use super::receive::Unclaimed;
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    pub context: Context,
    pub revision: u64,
    pub forgotten: Forgotten,
}

/// What a replica has forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The newest stamp of each origin.
    pub newest: Vec<(Origin, Timestamp)>,
    /// The newest stamp that beat a value of each origin.
    pub beaten: Vec<(Origin, Timestamp)>,
    /// The newest revision.
    pub revision: u64,
    /// Origins without entries, and with nothing newer than this, are not known there any more.
    pub pruned_ms: u64,
}

/// What a page says beside its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// On the round's first page only.
    pub start: Option<Start>,
    /// Where the round goes on, if it does.
    pub cursor: Option<Cursor>,
    /// The serving side's `past`: on a round's only page.
    pub past: Vec<(Origin, Timestamp)>,
    /// The serving side's digest: on a round's only page.
    pub digest: Option<Digest>,
    /// When the authors of a presence map were last heard: on a round's only page.
    pub signs: Vec<Sign>,
}

/// A page as it leaves.
pub struct Page {
    pub entries: Vec<(Slot, Record)>,
    pub end: PageEnd,
}

/// The pulling side of one sync.
pub struct Puller {
    /// What this side covered when the pull began.
    own: Context,
    /// What it had refused.
    refusals: Context,
    request: Request,
    /// Under way: the round's first page.
    round: Option<Start>,
    /// The serving side's revision when the pull began.
    first_revision: Option<u64>,
    full: Option<Full>,
    unclaimed: Vec<Unclaimed>,
    rounds: usize,
    mends: bool,
}

/// What a full pull has brought that is not over: every key, as its hash, and its newest stamp.
#[derive(Default)]
pub struct Full {
    keys: HashMap<u128, Stamp, foldhash::fast::RandomState>,
    mends: bool,
}

impl Full {
    /// Whether that entry, which the other side has seen, was removed there: it holds neither that one nor a newer one. When it
    /// may be the one that is damaged, it must not hold the key at all, and have forgotten something newer.
    pub fn tells_removed(&self, key: &[u8], stamp: &Stamp, forgotten: &Forgotten) -> bool {
        let held = self.keys.get(&xxh3_128(key));
        match self.mends {
            true => held.is_none() && forgotten.newest.iter().any(|(_, newest)| *newest >= stamp.timestamp),
            false => held.is_none_or(|held| held < stamp),
        }
    }

    fn add(&mut self, entries: &[Incoming<'_>]) {
        // A tombstone that was merged has ended what was older here. What expires has its own time here.
        for entry in entries.iter().filter(|entry| entry.value.is_some() || entry.expires_at_ms > 0) {
            let held = self.keys.entry(xxh3_128(entry.key)).or_insert_with(|| entry.stamp.clone());
            if entry.stamp > *held {
                *held = entry.stamp.clone();
            }
        }
    }
}

/// Rounds of one pull. Each carries what changed during the one before, so a pull that needs more is being led on.
const MAX_ROUNDS: usize = 256;

/// What to do after a page.
pub enum Step {
    /// Ask again.
    More,
    /// Join this: the pull is complete.
    Join(Box<Join>),
    /// The page does not fit its request: drop the pull.
    Malformed,
}

/// What a complete pull brings beside its entries.
pub struct Join {
    pub context: Context,
    /// Never to be claimed: they were not merged.
    pub unclaimed: Vec<Unclaimed>,
    pub past: Vec<(Origin, Timestamp)>,
    /// The serving side's digest of that moment.
    pub digest: Digest,
    pub signs: Vec<Sign>,
    pub forgotten: Forgotten,
    /// After a full pull.
    pub full: Option<Full>,
}

impl Puller {
    /// Pulls what this side does not cover.
    pub fn new(own: Context) -> Self {
        let request = Request { base: own.clone(), since: 0, cursor: None };
        Self {
            own,
            refusals: Context::default(),
            request,
            round: None,
            first_revision: None,
            full: None,
            unclaimed: Vec::new(),
            rounds: 0,
            mends: false,
        }
    }

    /// Pulls everything, because one of two that have seen the same is damaged.
    pub fn full(own: Context) -> Self {
        let mut puller = Self { mends: true, ..Self::new(own) };
        puller.start_over();
        puller
    }

    /// What was refused here is not missed: that it is not covered asks for no full pull, for as long as the other side holds it.
    pub fn but_for(mut self, refusals: Context) -> Self {
        self.refusals = refusals;
        self
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Whether what it brings may mend what is held here: newer entries are taken although they were seen before.
    pub fn mends(&self) -> bool {
        self.mends
    }

    /// Takes a page whose entries have been merged, but for those in `unclaimed`. One after which its round goes on may be merged
    /// afterwards: what to ask for next does not depend on it.
    pub fn page(&mut self, entries: &[Incoming<'_>], end: PageEnd, unclaimed: Vec<Unclaimed>) -> Step {
        self.leave_unclaimed(unclaimed);
        let first = self.request.cursor.is_none();
        let fits = first == end.start.is_some() || mutated(Mutation::LastPageBeforeContext);
        if !fits || end.cursor.as_ref().is_some_and(|next| Some(next) <= self.request.cursor.as_ref()) {
            return Step::Malformed;
        }
        self.full.iter_mut().for_each(|full| full.add(entries));
        if let Some(start) = &end.start
            && !self.goes_on(start, entries, end.cursor.is_none())
        {
            return self.next_round();
        }
        match (end.start, end.cursor) {
            (Some(start), cursor) if cursor.is_none() || mutated(Mutation::JoinAtFirstPage) => Step::Join(Box::new(Join {
                context: start.context,
                unclaimed: mem::take(&mut self.unclaimed),
                past: end.past,
                digest: match end.digest {
                    Some(digest) => digest,
                    None if mutated(Mutation::JoinAtFirstPage) => Digest([0; 32]),
                    None => return Step::Malformed,
                },
                signs: end.signs,
                forgotten: start.forgotten,
                full: self.full.take(),
            })),
            (start, Some(cursor)) => {
                self.round = start.or(self.round.take());
                self.request.cursor = Some(cursor);
                Step::More
            }
            (_, None) => {
                let Some(start) = self.round.take() else { return Step::Malformed };
                self.request.base.join(&start.context);
                self.request.since = start.revision;
                self.request.cursor = None;
                self.next_round()
            }
        }
    }

    /// Those of an earlier page that were not merged.
    pub fn leave_unclaimed(&mut self, unclaimed: Vec<Unclaimed>) {
        self.unclaimed.extend(unclaimed);
    }

    fn next_round(&mut self) -> Step {
        self.rounds += 1;
        if self.rounds == MAX_ROUNDS { Step::Malformed } else { Step::More }
    }

    /// Whether the pull can go on as it began, given what the serving side has forgotten; otherwise it starts over.
    fn goes_on(&mut self, start: &Start, entries: &[Incoming<'_>], is_last: bool) -> bool {
        let first_revision = *self.first_revision.get_or_insert(start.revision);
        if start.forgotten.revision > first_revision && !mutated(Mutation::RestartIgnored) {
            self.start_over();
            return false;
        }
        if self.full.is_some() || mutated(Mutation::NoFullSync) || !self.misses_forgotten(start, is_last) {
            return true;
        }
        if self.rounds == 0 && self.request.base.len() == 0 {
            // Everything it is already.
            self.full.insert(Full::default()).add(entries);
            return true;
        }
        self.start_over();
        false
    }

    /// Whether the serving side has forgotten what may be missing here. What was refused here is known to be held there still when
    /// the pull has brought it, and believed to be before.
    fn misses_forgotten(&self, start: &Start, is_last: bool) -> bool {
        let mut known = self.own.clone();
        if is_last {
            let refused = self.unclaimed.iter().filter(|unclaimed| !unclaimed.aside).map(|unclaimed| &unclaimed.stamp);
            refused.for_each(|stamp| known.add(&stamp.origin, stamp.timestamp.before(), stamp.timestamp));
        } else {
            known.join(&self.refusals);
        }
        start.forgotten.newest.iter().any(|(origin, newest)| {
            let Some(theirs) = start.context.of(origin) else { return false };
            let own = known.of(origin);
            theirs.up_to(*newest).any(|(after, last)| !own.is_some_and(|own| own.covers_range(after, last)))
        })
    }

    fn start_over(&mut self) {
        self.full = Some(Full { mends: self.mends, ..Full::default() });
        self.request = Request { base: Context::default(), since: 0, cursor: None };
        self.round = None;
        self.first_revision = None;
    }
}
