//! What programs that measure share: other processes, a clock, the load, the machine, figures for people.

pub mod child;
pub mod clock;
pub mod load;
pub mod machine;
pub mod table;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub quick: bool,
}

impl Effort {
    /// The first when there is little time.
    pub fn pick<T>(self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }
}
