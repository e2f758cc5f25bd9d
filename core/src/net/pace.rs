//! When to compare with a random peer. Pure: time comes in.
//!
//! Gossip loses a message now and then, and the last one of its origin leaves no gap behind that would tell. So after *news*
//! (something sent, received or pulled) peers are compared with once it has been quiet for [`QUIET`], then ever less
//! often, up to the interval of anti-entropy. While news keeps coming, comparing waits no longer than [`RESTLESS`].
//!
//! Heartbeats tell whether a peer holds the same. When the last one did, comparing would tell no more than how clocks differ,
//! and most of the time it is left out.

use std::time::{Duration, Instant};

use super::rng::Rng;

const QUIET: Duration = Duration::from_secs(1);
const RESTLESS: Duration = Duration::from_secs(5);
/// So many comparisons in a row are left out at most.
const SKIPS: u32 = 9;

pub(super) struct Pace {
    /// The interval when nothing happens.
    longest: Duration,
    /// The interval after the next comparison.
    wait: Duration,
    due: Instant,
    /// The first news since the last comparison.
    news: Option<Instant>,
    /// The last news.
    newest: Option<Instant>,
    /// Comparisons left out in a row.
    skipped: u32,
}

impl Pace {
    pub fn new(longest: Duration, now: Instant, rng: &mut Rng) -> Self {
        Self { longest, wait: longest, due: now + rng.jitter(longest), news: None, newest: None, skipped: 0 }
    }

    /// Something was sent, received or pulled.
    pub fn news(&mut self, now: Instant) {
        let first = *self.news.get_or_insert(now);
        self.newest = Some(now);
        self.wait = QUIET.min(self.longest);
        self.due = (now + self.wait).min(first + RESTLESS);
    }

    /// Whether to compare now; then the next time is further off.
    pub fn is_due(&mut self, now: Instant, rng: &mut Rng) -> bool {
        if now < self.due {
            return false;
        }
        self.news = None;
        self.wait = (self.wait * 2).min(self.longest);
        self.due = now + rng.jitter(self.wait);
        true
    }

    /// Whether the comparison that is due may be left out with a peer that told at that time that it holds the same: since
    /// then nothing has happened, and it is not longer ago than the interval.
    pub fn may_skip(&mut self, equal: Option<Instant>, now: Instant) -> bool {
        let is_known = equal
            .is_some_and(|at| self.newest.is_none_or(|news| news < at) && now.saturating_duration_since(at) <= self.longest);
        let skips = is_known && self.skipped < SKIPS;
        self.skipped = if skips { self.skipped + 1 } else { 0 };
        skips
    }

    pub fn next_due(&self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    fn pace() -> (Pace, Instant, Rng) {
        let (now, mut rng) = (Instant::now(), Rng::new(1));
        (Pace::new(LONGEST, now, &mut rng), now, rng)
    }

    #[test]
    fn without_news_it_is_the_interval_of_anti_entropy() {
        let (mut pace, start, mut rng) = pace();
        for _ in 0..10 {
            let before = pace.next_due();
            assert!(pace.is_due(before, &mut rng));
            let wait = pace.next_due() - before;
            assert!(LONGEST.mul_f64(0.75) <= wait && wait <= LONGEST.mul_f64(1.25), "{wait:?}");
        }
        assert!(!pace.is_due(start, &mut rng));
    }

    #[test]
    fn after_news_it_is_soon_and_then_ever_less_often() {
        let (mut pace, now, mut rng) = pace();
        pace.news(now);
        assert_eq!(pace.next_due(), now + QUIET);
        let mut waits = Vec::new();
        for _ in 0..6 {
            let at = pace.next_due();
            assert!(pace.is_due(at, &mut rng));
            waits.push(pace.next_due() - at);
        }
        assert!(waits[0] < 3 * QUIET && waits[0] < waits[2] && waits[2] < waits[4], "{waits:?}");
        assert!(waits[5] >= LONGEST.mul_f64(0.75), "{waits:?}");
    }

    #[test]
    fn news_that_keeps_coming_does_not_put_it_off_for_ever() {
        let (mut pace, start, mut rng) = pace();
        let mut now = start;
        while !pace.is_due(now, &mut rng) {
            pace.news(now);
            now += QUIET / 10;
        }
        assert!(now - start <= RESTLESS + QUIET, "{:?}", now - start);
    }

    #[test]
    fn with_who_has_told_that_it_is_equal_it_is_mostly_left_out() {
        let (mut pace, now, _) = pace();
        let later = now + LONGEST;
        assert!(!pace.may_skip(None, later));
        assert_eq!((0..100).filter(|_| pace.may_skip(Some(now), later)).count(), 90);
        assert!(!pace.may_skip(Some(now), later + QUIET), "too long ago");
        pace.news(now + QUIET);
        assert!(!pace.may_skip(Some(now + QUIET), later), "not since the news");
        assert!(pace.may_skip(Some(now + 2 * QUIET), later));
    }

    #[test]
    fn a_shorter_interval_stays_as_it_is() {
        let (now, mut rng) = (Instant::now(), Rng::new(1));
        let mut pace = Pace::new(QUIET / 10, now, &mut rng);
        pace.news(now);
        assert_eq!(pace.next_due(), now + QUIET / 10);
    }
}
