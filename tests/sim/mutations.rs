//! Planted bugs: a simulation that does not find them would not find others.

use super::SEEDS;
use super::runs::{run_seeds, setting};
use crate::replica::Mutation;

/// Every rule that can be broken, as `core/src/replica/mutation.rs` lists them.
const BUGS: [Mutation; 26] = [
    Mutation::MergeByArrival,
    Mutation::JoinAtFirstPage,
    Mutation::LastPageBeforeContext,
    Mutation::GapIgnored,
    Mutation::ConflateAcrossDeltas,
    Mutation::TakeBackForgotten,
    Mutation::ForgetUnclosed,
    Mutation::ForgetWaiting,
    Mutation::RefusedCovered,
    Mutation::ExpireByArrival,
    Mutation::TwoStamps,
    Mutation::NoFullSync,
    Mutation::NoDrop,
    Mutation::ForgottenNotTaken,
    Mutation::PastNotSent,
    Mutation::ObserveAhead,
    Mutation::ClockGoesBack,
    Mutation::NoSelfCheck,
    Mutation::RestartIgnored,
    Mutation::ContextSavedFirst,
    Mutation::OriginNotNoted,
    Mutation::ForgottenStaysSaved,
    Mutation::ForgottenNotRestored,
    Mutation::EpochNotRaised,
    Mutation::PastNotTold,
    Mutation::LeavesUnsaved,
];

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for bug in BUGS {
        match run_seeds(setting("SEED_BASE", 0), SEEDS, Some(bug)) {
            Ok(_) => missed.push(bug),
            Err(failure) => println!("{bug:?} is found by seed {}: {}", failure.seed, failure.what),
        }
    }
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}
