//! A node's wall clock, which may be wrong in every way that wall clocks are.

/// Reads the true time with an error of its own.
#[derive(Clone, Debug, Default)]
pub struct WallClock {
    /// Ahead of the true time by so much.
    offset_ms: i64,
    /// Gains (or loses) so much in a million.
    drift_ppm: i64,
    /// Since when it gains.
    since_ms: u64,
    /// Stands still at this reading.
    frozen_ms: Option<u64>,
}

impl WallClock {
    pub fn new(offset_ms: i64, drift_ppm: i64, now_ms: u64) -> Self {
        Self { offset_ms, drift_ppm, since_ms: now_ms, ..Self::default() }
    }

    /// What it says at that true time.
    pub fn read(&self, now_ms: u64) -> u64 {
        self.frozen_ms.unwrap_or_else(|| self.running(now_ms))
    }

    fn running(&self, now_ms: u64) -> u64 {
        let gained = now_ms.saturating_sub(self.since_ms) as i64 * self.drift_ppm / 1_000_000;
        now_ms.saturating_add_signed(self.offset_ms + gained)
    }

    pub fn jump(&mut self, by_ms: i64) {
        self.offset_ms += by_ms;
    }

    pub fn freeze(&mut self, now_ms: u64) {
        self.frozen_ms = Some(self.frozen_ms.unwrap_or_else(|| self.running(now_ms)));
    }

    pub fn thaw(&mut self) {
        self.frozen_ms = None;
    }

    /// Right from now on.
    pub fn set_right(&mut self) {
        *self = Self::default();
    }
}
