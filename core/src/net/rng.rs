//! Random choices that a seed repeats: jitter, whom to sync with, whom to dial.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood 2014). Not for secrets.
pub(super) struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    /// One of `items`, all equally likely.
    pub fn pick<T>(&mut self, items: impl IntoIterator<Item = T>) -> Option<T> {
        let mut picked = None;
        for (n, item) in items.into_iter().enumerate() {
            if self.below(n + 1) == 0 {
                picked = Some(item);
            }
        }
        picked
    }

    /// `around` give or take a quarter.
    pub fn jitter(&mut self, around: Duration) -> Duration {
        around.mul_f64(0.75 + 0.5 * (self.next() >> 11) as f64 / (1u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_quarter() {
        let mut rng = Rng::new(7);
        for _ in 0..1000 {
            let jittered = rng.jitter(Duration::from_millis(1000));
            assert!((750..=1250).contains(&jittered.as_millis()));
        }
    }

    #[test]
    fn every_item_is_picked_at_times() {
        let mut rng = Rng::new(7);
        let mut seen = [0; 4];
        for _ in 0..400 {
            seen[rng.pick(0..4).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&times| times > 50), "{seen:?}");
        assert_eq!(rng.pick(0..0), None);
    }
}
