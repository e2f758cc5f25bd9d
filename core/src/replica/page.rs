//! Serving a pull: pages of what the other side does not cover.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::batch::same_batch;
use super::sync::{Forgotten, Page, PageEnd, Request, Start};
use super::{Bug, Context, Origin, Record, Replica, Slot, Timestamp, mutated};
use crate::limits::MAX_PAGE_ENTRIES;

impl Replica {
    /// One page, of about that size, of what that request's base does not cover; a batch is never split. Cost: what the page
    /// holds, not what the map holds.
    pub fn page(&self, request: &Request, target_bytes: usize) -> Page {
        let first = request.cursor.is_none();
        let mut page = Page { entries: Vec::new(), end: PageEnd::default() };
        if first {
            page.end.start = Some(self.start());
        }
        let mut bytes = 0;
        for (slot, record) in self.lacking(request) {
            let full = bytes >= target_bytes || page.entries.len() >= MAX_PAGE_ENTRIES / 2;
            if let Some((_, last)) = page.entries.last()
                && full
                && !same_batch(last, &record)
            {
                page.end.cursor = Some((last.stamp().origin.clone(), last.stamp().timestamp));
                return page;
            }
            bytes += slot.key().len() + record.bytes().len() + record.proof().len() + 16;
            page.entries.push((slot.clone(), record));
        }
        if mutated(Bug::LastPageBeforeContext) && !first {
            page.end.start = Some(self.start());
        }
        if page.end.start.is_some() {
            page.end.past = self.past.iter().map(|(origin, timestamp)| (origin.clone(), *timestamp)).collect();
            page.end.digest = Some(self.digest());
            page.end.signs = self.presence.as_ref().map(|presence| presence.signs()).unwrap_or_default();
        }
        page
    }

    fn start(&self) -> Start {
        let listed = |vector: &BTreeMap<Origin, Timestamp>, known: &dyn Fn(&Origin) -> bool| {
            let listed = vector.iter().filter(|(origin, _)| known(origin));
            listed.map(|(origin, timestamp)| (origin.clone(), *timestamp)).collect()
        };
        Start {
            context: self.context.clone(),
            revision: self.table.revision(),
            forgotten: Forgotten {
                newest: listed(&self.forgotten, &|_| true),
                // Only of origins that a page names anyway, so that it does not name too many.
                beaten: listed(&self.beaten, &|origin| self.past.contains_key(origin)),
                revision: self.forgotten_revision,
                pruned_ms: self.pruned_ms,
            },
        }
    }

    /// What that request asks for, from its cursor on.
    fn lacking<'a>(&'a self, request: &'a Request) -> impl Iterator<Item = (&'a Slot, Record)> {
        let from = request.cursor.as_ref();
        let first_origin = from.map_or(Bound::Unbounded, |(origin, _)| Bound::Included(origin));
        self.table.by_origin().range::<Origin, _>((first_origin, Bound::Unbounded)).flat_map(move |(origin, stamps)| {
            let seen = request.base.of(origin);
            let covered = seen.map_or(Timestamp::ZERO, |seen| seen.upto);
            let after = from.filter(|(at, _)| at == origin).map_or(covered, |(_, timestamp)| covered.max(*timestamp));
            let lacking = stamps.after(after).filter(move |(timestamp, _)| !seen.is_some_and(|seen| seen.covers(*timestamp)));
            lacking.map(|(_, slot)| (slot, slot.record())).filter(|(_, record)| record.revision() > request.since)
        })
    }

    /// How many entries here that context does not cover. Cost: as many.
    pub fn count_lacking(&self, context: &Context) -> u64 {
        let origins = self.table.by_origin().iter().map(|(origin, stamps)| match context.of(origin) {
            None => stamps.len(),
            Some(seen) => stamps.after(seen.upto).filter(|(timestamp, _)| !seen.covers(*timestamp)).count(),
        });
        origins.sum::<usize>() as u64
    }
}
