//! The hybrid logical clock. It never reads a clock: the wall time comes in as an argument.

use super::mutation::{Mutation, mutated};

/// Reading of a hybrid logical clock.
///
/// Shape: 48-bit wall milliseconds, then a 16-bit counter; one u64, so u64 order is clock order.
/// Units: milliseconds since the Unix epoch; the counter counts readings within one millisecond.
/// Source: Kulkarni et al. 2014, the HLC algorithm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Before every reading.
    pub const ZERO: Self = Self(0);

    /// The first reading of that millisecond.
    pub const fn from_ms(ms: u64) -> Self {
        Self(if ms >> 48 == 0 { ms << 16 } else { u64::MAX })
    }

    pub const fn ms(self) -> u64 {
        self.0 >> 16
    }

    /// The reading just below, for ranges that exclude their start.
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A clock that never goes back and never repeats itself, whatever the wall clock does.
#[derive(Clone, Debug, Default)]
pub struct Hlc {
    last: Timestamp,
}

impl Hlc {
    /// A new reading, greater than every reading and every observed timestamp before. A counter that overflows carries into
    /// the milliseconds.
    pub fn tick(&mut self, now_ms: u64) -> Timestamp {
        if mutated(Mutation::ClockGoesBack) && self.last.ms() > now_ms {
            self.last = Timestamp::from_ms(now_ms);
        }
        self.last = self.last.next().max(Timestamp::from_ms(now_ms));
        self.last
    }

    /// The last reading, or the greatest timestamp taken in.
    pub fn last(&self) -> Timestamp {
        self.last
    }

    /// Takes in an accepted remote timestamp: later readings are greater than it.
    pub fn observe(&mut self, remote: Timestamp) {
        self.last = self.last.max(remote);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_goes_back_still_ticks_forward() {
        let mut clock = Hlc::default();
        let first = clock.tick(1_000);
        let second = clock.tick(10);
        assert!(second > first);
        assert_eq!(second.ms(), 1_000);
    }

    #[test]
    fn a_reading_follows_what_was_observed() {
        let mut clock = Hlc::default();
        clock.tick(5);
        clock.observe(Timestamp::from_ms(70));
        assert!(clock.tick(6) > Timestamp::from_ms(70));
    }

    #[test]
    fn the_counter_carries_into_the_milliseconds() {
        let mut clock = Hlc::default();
        for _ in 0..=u16::MAX as u32 + 1 {
            clock.tick(7);
        }
        assert_eq!(clock.tick(7).ms(), 8);
    }
}
