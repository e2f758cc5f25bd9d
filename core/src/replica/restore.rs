//! A durable replica comes back from what was saved of it.

use std::collections::HashMap;

use super::context::Seen;
use super::gathered::{Gathered, Task};
use super::ledger::{Head, Known};
use super::table::Content;
use super::{Bug, Context, Origin, Replica, Rules, Stamp, Timestamp, first_revision, mutated};

/// An entry as it comes back.
#[derive(Clone, Copy, Debug)]
pub struct Restored<'a> {
    pub key: &'a [u8],
    pub origin: u32,
    pub timestamp: Timestamp,
    pub place: u32,
    pub value: Option<&'a [u8]>,
    pub expires_at_ms: u64,
    pub proof: &'a [u8],
}

/// A replica that is coming back. Rows come in any order, each key's once; an entry's origin may come after it.
///
/// Entries are gathered, and indexed when all are there.
pub struct Restorer {
    replica: Replica,
    gathered: Gathered,
    /// Where the entries of the origin of that number are gathered.
    origins: HashMap<u32, usize, foldhash::fast::RandomState>,
    /// The newest opening before this one.
    last_epoch: u64,
    now_ms: u64,
}

/// How much later an opening is than the one before, when the clock says that it is earlier: some hours, for more changes than a
/// life has.
const EPOCH_STEP: u64 = 1 << 40;

impl Restorer {
    /// Goes on as that origin, or as a later opening of the same node's.
    pub fn new(origin: Origin, rules: Rules, now_ms: u64) -> Self {
        let mut replica = Replica::new(origin, rules);
        replica.keep();
        Self { replica, gathered: Gathered::default(), origins: HashMap::default(), last_epoch: 0, now_ms }
    }

    pub fn head(&mut self, head: &Head) {
        self.replica.clock.observe(head.clock);
        self.replica.pruned_ms = head.pruned_ms;
        self.last_epoch = head.epoch;
    }

    pub fn origin(&mut self, number: u32, known: Known) {
        let Known { origin, seen, refused, past, forgotten, beaten } = known;
        let replica = &mut self.replica;
        let claim = |context: &mut Context, seen: &Seen| {
            seen.up_to(Timestamp(u64::MAX)).for_each(|(after, last)| context.add(&origin, after, last));
        };
        claim(&mut replica.context, &seen);
        refused.iter().for_each(|refused| claim(&mut replica.past_refusals, refused));
        let forgotten = if mutated(Bug::ForgottenNotRestored) { Timestamp::ZERO } else { forgotten };
        let vectors = [(&mut replica.past, past), (&mut replica.forgotten, forgotten), (&mut replica.beaten, beaten)];
        for (vector, newest) in vectors.into_iter().filter(|(_, newest)| *newest > Timestamp::ZERO) {
            vector.insert(origin.clone(), newest);
        }
        replica.table.ledger.iter_mut().for_each(|ledger| ledger.renumber(&origin, number));
        self.origins.insert(number, self.gathered.place_of(origin));
    }

    /// Whether it could be taken: its origin is known.
    pub fn entry(&mut self, entry: &Restored<'_>) -> bool {
        let Some(&place) = self.origins.get(&entry.origin) else { return false };
        let origin = self.gathered.origin_at(place);
        let hidden = self.replica.presence.as_mut().is_some_and(|presence| {
            presence.met(origin.peer(), false);
            !presence.is_here(origin.peer())
        });
        let stamp = Stamp { timestamp: entry.timestamp, origin: origin.clone() };
        let &Restored { key, value, expires_at_ms, proof, .. } = entry;
        let content = Content { key, value, expires_at_ms, place: entry.place, proof, hidden };
        self.replica.table.gather(&mut self.gathered, place, &content, stamp, self.now_ms);
        true
    }

    /// All has come back. What its own writes depend on is told anew: their origin is a new one.
    ///
    /// `both` runs two tasks, in turn or at once: nothing depends on it but how long this takes.
    pub fn finish(mut self, both: impl FnOnce(Task<'_>, Task<'_>)) -> Replica {
        self.replica.table.fill(std::mem::take(&mut self.gathered), both);
        let replica = &mut self.replica;
        if replica.origin.epoch() <= self.last_epoch && !mutated(Bug::EpochNotRaised) {
            let origin = Origin::new(replica.origin.peer().clone(), self.last_epoch.saturating_add(EPOCH_STEP));
            replica.presence.iter_mut().for_each(|presence| presence.rename(origin.clone()));
            replica.origin = origin;
        }
        // A pull that another life of this replica served must not go on as if nothing had changed or been forgotten since.
        replica.forgotten_revision = replica.table.go_on_from(first_revision(&replica.origin));
        let last = replica.clock.last();
        if !mutated(Bug::PastNotTold) {
            replica.past_news = replica.past.keys().map(|origin| (origin.clone(), last)).collect();
        }
        self.replica
    }
}
