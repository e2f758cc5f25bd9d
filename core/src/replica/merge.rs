//! Who wins, and nothing else.

use super::mutation::{Mutation, mutated};
use super::stamp::Stamp;

/// Last write wins: whether an arriving entry replaces the one held for its key.
///
/// The greater stamp wins, and stamps are totally ordered and unique, so merging is commutative, associative and idempotent.
/// Source: Shapiro et al. 2011, the LWW register.
#[inline]
pub fn wins(arriving: &Stamp, held: &Stamp) -> bool {
    arriving > held || (mutated(Mutation::MergeByArrival) && arriving != held)
}
