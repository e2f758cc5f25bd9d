//! Time that processes share, and what a set of samples says.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the monotonic clock: the same in every process of this machine.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Calls `tick` `count` times, `rate` a second, each at its own time: one that is late delays none of the others.
pub fn paced<E>(rate: u64, count: usize, mut tick: impl FnMut(usize) -> Result<(), E>) -> Result<(), E> {
    let start = now_ns();
    for at in 0..count {
        let due = start + at as u64 * 1_000_000_000 / rate;
        std::thread::sleep(Duration::from_nanos(due.saturating_sub(now_ns())));
        tick(at)?;
    }
    Ok(())
}

/// Samples of one thing, in nanoseconds.
#[derive(Clone, Default)]
pub struct Samples(Vec<u64>);

impl Samples {
    pub fn new(mut samples: Vec<u64>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    pub fn and(self, more: Samples) -> Self {
        Self::new([self.0, more.0].concat())
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub fn p99(&self) -> f64 {
        self.quantile(0.99)
    }

    /// 0 when there is no sample.
    pub fn quantile(&self, quantile: f64) -> f64 {
        let at = (self.0.len() as f64 * quantile) as usize;
        self.0.get(at.min(self.0.len().saturating_sub(1))).map_or(0.0, |sample| *sample as f64)
    }
}

impl FromIterator<u64> for Samples {
    fn from_iter<I: IntoIterator<Item = u64>>(samples: I) -> Self {
        Self::new(samples.into_iter().collect())
    }
}
