//! How much a peer may ask: a bucket of tokens that time fills. Who takes more goes unanswered; who goes on is put out for a while.
//!
//! Only requests are charged: nobody else can have sent them. What is gossiped was passed on unread by whoever it came from.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libp2p::PeerId as Id;

use super::task::Task;
use crate::limits::{MAX_KNOWN_MEMBERS, REQUESTS_AT_ONCE, REQUESTS_PER_SECOND};

const REQUEST: u32 = 1;
/// On top, for one that cannot be read, which no honest peer sends, and for one that comes although nothing is answered.
const OFFENCE: u32 = 200;
/// Who is put out may come back after so long.
pub(super) const REST: Duration = Duration::from_secs(60);

/// What each peer has left.
#[derive(Default)]
pub(super) struct Throttle {
    buckets: HashMap<Id, Bucket>,
}

struct Bucket {
    /// Below zero for a peer that goes on although nothing is answered.
    tokens: f64,
    at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    Fine,
    TooMuch,
    Flood,
}

impl Throttle {
    fn charge(&mut self, peer: Id, cost: u32, now: Instant) -> Load {
        if self.buckets.len() >= MAX_KNOWN_MEMBERS {
            self.buckets.retain(|_, bucket| bucket.fill(now) < f64::from(REQUESTS_AT_ONCE));
        }
        let full = || Bucket { tokens: f64::from(REQUESTS_AT_ONCE), at: now };
        let bucket = self.buckets.entry(peer).or_insert_with(full);
        let filled = bucket.fill(now);
        let offence = if filled < f64::from(cost) { OFFENCE } else { 0 };
        bucket.tokens = filled - f64::from(cost + offence);
        bucket.at = now;
        match bucket.tokens {
            tokens if tokens >= 0.0 => Load::Fine,
            tokens if tokens > -f64::from(REQUESTS_AT_ONCE) => Load::TooMuch,
            _ => {
                // After its rest it starts anew.
                self.buckets.remove(&peer);
                Load::Flood
            }
        }
    }
}

impl Bucket {
    fn fill(&self, now: Instant) -> f64 {
        let filled = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(REQUESTS_PER_SECOND);
        (self.tokens + filled).min(f64::from(REQUESTS_AT_ONCE))
    }
}

impl Task {
    /// Whether a request of that peer is served.
    pub(super) fn may_ask(&mut self, peer: Id) -> bool {
        self.charge(peer, REQUEST)
    }

    /// It has sent what cannot be read.
    pub(super) fn is_malformed(&mut self, peer: Id) {
        self.charge(peer, OFFENCE);
    }

    fn charge(&mut self, peer: Id, cost: u32) -> bool {
        let now = Instant::now();
        match self.throttle.charge(peer, cost, now) {
            Load::Fine => return true,
            Load::TooMuch => self.shared.reject(),
            Load::Flood => {
                tracing::warn!(%peer, "a peer asks far too much, and is put out for {} s", REST.as_secs());
                self.shared.let_rest(peer, now + REST);
                self.expel(peer);
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge_many(throttle: &mut Throttle, peer: Id, count: u32, now: Instant) -> Load {
        (0..count).map(|_| throttle.charge(peer, REQUEST, now)).last().expect("at least one")
    }

    #[test]
    fn g10_who_asks_too_much_goes_unanswered_until_time_has_filled_its_bucket() {
        let (mut throttle, peer, now) = (Throttle::default(), Id::random(), Instant::now());
        assert_eq!(charge_many(&mut throttle, peer, REQUESTS_AT_ONCE, now), Load::Fine);
        assert_eq!(charge_many(&mut throttle, peer, 1, now), Load::TooMuch);
        assert_eq!(charge_many(&mut throttle, Id::random(), 1, now), Load::Fine, "others do not notice");
        let later = now + Duration::from_millis(100);
        assert_eq!(charge_many(&mut throttle, peer, REQUESTS_PER_SECOND / 10 - OFFENCE - 1, later), Load::Fine);
        assert_eq!(charge_many(&mut throttle, peer, 2, later), Load::TooMuch);
    }

    #[test]
    fn g10_who_goes_on_is_put_out_and_starts_anew() {
        let (mut throttle, peer, now) = (Throttle::default(), Id::random(), Instant::now());
        let offences = REQUESTS_AT_ONCE / (OFFENCE + REQUEST);
        assert_eq!(charge_many(&mut throttle, peer, REQUESTS_AT_ONCE + offences, now), Load::TooMuch);
        assert_eq!(charge_many(&mut throttle, peer, 1, now), Load::Flood);
        assert_eq!(charge_many(&mut throttle, peer, 1, now), Load::Fine);
    }

    #[test]
    fn nobody_is_kept_that_asks_little() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for second in 0..3 {
            for _ in 0..MAX_KNOWN_MEMBERS {
                throttle.charge(Id::random(), REQUEST, now + Duration::from_secs(second));
            }
        }
        assert!(throttle.buckets.len() <= MAX_KNOWN_MEMBERS);
    }
}
