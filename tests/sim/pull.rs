//! Syncs as the real node runs them, one message at a time: anything may happen between two, and any may be the last.

use super::network::{Session, Stage};
use super::oracle::Writes;
use super::trace;
use super::world::{Kept, World, violated};
use crate::replica::{Comparison, Digest, Puller, Step};
use crate::wire::Topic;
use crate::wire::sync::{self, Digests, Request, Response};

const TOPIC: Topic = Topic([7; 16]);

impl World {
    /// Compares two replicas; the one that asks pulls when they differ.
    pub fn compare(&mut self, to: usize, from: usize) {
        let request = sync::encode_compare(&self.digests(to));
        self.open(to, from, Stage::Compare(request));
    }

    /// Pulls from one side what the other has not seen; or everything.
    pub fn pull(&mut self, to: usize, from: usize, full: bool) {
        self.tally.self_checks += usize::from(full);
        let replica = &self.nodes[to].replica;
        let context = replica.context().clone();
        let puller = if full { Puller::full(context) } else { Puller::new(context).but_for(replica.past_refusals().clone()) };
        let request = sync::encode_pull(TOPIC, puller.request());
        self.open(to, from, Stage::Request(puller, request));
    }

    fn digests(&mut self, at: usize) -> Digests {
        Digests { now_ms: self.read_clock(at), maps: vec![(TOPIC, self.nodes[at].replica.digest())] }
    }

    fn open(&mut self, to: usize, from: usize, stage: Stage<Puller>) {
        let lives = [self.nodes[to].life(), self.nodes[from].life()];
        self.sessions.push(Session { to, from, lives, stage });
    }

    /// A session's next message arrives, if it does. Sessions that are over are gone.
    pub fn advance(&mut self, at: usize) -> Kept {
        let session = self.sessions.swap_remove(at);
        let (to, from) = (session.to, session.from);
        let alive =
            session.lives == [self.nodes[to].life(), self.nodes[from].life()] && self.nodes[to].up && self.nodes[from].up;
        if !alive || !self.links.open_both(to, from) {
            return Ok(());
        }
        let next = match session.stage {
            Stage::Compare(request) => self.answer_compare(to, from, &request)?,
            Stage::Compared(response) => {
                self.answered(to, from, &response)?;
                None
            }
            Stage::Request(puller, request) => self.cut_page(from, puller, &request)?,
            Stage::Page(puller, page, seen) => self.take_page(to, from, puller, &page, &seen)?,
        };
        if let Some(stage) = next {
            self.sessions.push(Session { stage, ..session });
        }
        Ok(())
    }

    /// Both sides of a comparison look for what the other has.
    fn answer_compare(&mut self, to: usize, from: usize, request: &[u8]) -> Kept<Option<Stage<Puller>>> {
        let Ok(Request::Compare(theirs)) = sync::decode_request(request) else {
            return violated("our own messages decode", "a comparison");
        };
        let response = sync::encode_compared(&self.digests(from));
        self.nodes[to].counts.sent_bytes += request.len();
        self.nodes[from].counts.sent_bytes += response.len();
        self.differ(from, to, &theirs.maps[0].1);
        Ok(Some(Stage::Compared(response)))
    }

    fn answered(&mut self, to: usize, from: usize, response: &[u8]) -> Kept {
        let Ok(Response::Compared(theirs)) = sync::decode_response(response) else {
            return violated("our own messages decode", "the answer to a comparison");
        };
        self.differ(to, from, &theirs.maps[0].1);
        Ok(())
    }

    /// A node has learned another's digest.
    fn differ(&mut self, to: usize, from: usize, theirs: &Digest) {
        let comparison = self.nodes[to].replica.digest().compare(theirs);
        if comparison != Comparison::Equal {
            let (name, other) = (self.nodes[to].name(), self.nodes[from].name());
            self.say(|| format!("{name} compares with {other}: {comparison:?}"));
            self.pull(to, from, comparison == Comparison::Suspicious);
        }
    }

    fn cut_page(&mut self, from: usize, puller: Puller, request: &[u8]) -> Kept<Option<Stage<Puller>>> {
        let Ok(Request::Pull(_, request)) = sync::decode_request(request) else {
            return violated("our own messages decode", "a pull");
        };
        let node = &mut self.nodes[from];
        let page = sync::encode_page(&node.replica.page(&request, self.plan.page_bytes));
        let seen = node.seen.clone();
        if !self.may_leave(from) {
            return Ok(None);
        }
        self.nodes[from].counts.sent_bytes += page.len();
        Ok(Some(Stage::Page(puller, page, seen)))
    }

    fn take_page(
        &mut self,
        to: usize,
        from: usize,
        mut puller: Puller,
        page: &[u8],
        seen: &Writes,
    ) -> Kept<Option<Stage<Puller>>> {
        let Ok(Response::Page(entries, end)) = sync::decode_response(page) else {
            return violated("our own messages decode", "a page");
        };
        let now_ms = self.read_clock(to);
        let refused = self.nodes[to].refused(&entries);
        let news = self.news(to, &entries);
        let mut changes = Vec::new();
        let unclaimed = self.nodes[to].replica.merge_entries(&entries, &refused, puller.mends(), now_ms, &mut changes);
        self.learn(to, &entries, &news, now_ms)?;
        let (name, other, count) = (self.nodes[to].name(), self.nodes[from].name(), entries.len());
        let step = puller.page(&entries, end, unclaimed);
        let next = match &step {
            Step::More => {
                self.say(|| format!("{name} takes a page of {count} from {other}"));
                let request = sync::encode_pull(TOPIC, puller.request());
                self.nodes[to].counts.sent_bytes += request.len();
                Some(Stage::Request(puller, request))
            }
            Step::Join(join) => {
                let merged = changes.len();
                self.nodes[to].replica.join(join, now_ms, &mut changes);
                self.tally.pulls += 1;
                self.tally.full_pulls += usize::from(join.full.is_some());
                self.tally.dropped += changes.len() - merged;
                // What was set aside may have beaten what was not: then nothing is joined.
                if !join.unclaimed.iter().any(|unclaimed| unclaimed.aside) {
                    self.nodes[to].seen.extend(seen);
                }
                let full = if join.full.is_some() { " everything" } else { "" };
                self.say(|| format!("{name} takes the last page of {count} from {other} and joins{full}"));
                None
            }
            Step::Malformed => return violated("a pull that is served ends", format!("{name} from {other}")),
        };
        self.took(to, &changes)?;
        Ok(next)
    }

    /// A whole pull, at once. Whether anything differed.
    pub fn sync_now(&mut self, to: usize, from: usize) -> Kept<bool> {
        let before = std::mem::take(&mut self.sessions);
        let differed = self.nodes[to].replica.digest() != self.nodes[from].replica.digest();
        self.compare(to, from);
        while !self.sessions.is_empty() {
            self.advance(self.sessions.len() - 1)?;
            self.check()?;
        }
        self.sessions = before;
        Ok(differed)
    }

    /// How a node's state reads.
    pub fn portrait(&self, at: usize) -> String {
        let node = &self.nodes[at];
        let mut lines = vec![format!("{}{}", node.name(), if node.up { "" } else { " (down)" })];
        for (origin, seen) in node.replica.context().origins() {
            let ranges: Vec<_> =
                seen.ranges.iter().map(|(a, l)| format!("({}, {}]", trace::reading(*a), trace::reading(*l))).collect();
            lines.push(format!("  seen {} to {} {}", trace::author(origin), trace::reading(seen.upto), ranges.join(" ")));
        }
        for (key, _) in self.oracle.keys() {
            if let Some(record) = node.replica.index().record(key) {
                let value = record.value().map_or("removed".into(), trace::bytes);
                let hidden = if record.is_hidden() { " (hidden)" } else { "" };
                let expires = record.expires_at_ms().map(|at| format!(" until {}", trace::time(at))).unwrap_or_default();
                lines.push(format!("  {} = {value}{hidden}{expires}, {}", trace::bytes(key), trace::stamp(record.stamp())));
            }
        }
        lines.join("\n")
    }
}
