//! Planted bugs: each breaks one rule of this folder, so that the simulation can show that it would notice.
//!
//! Outside tests [`mutated`] is `false` when this compiles.

/// The rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// What arrives last wins.
    MergeByArrival,
    /// A pull joins the other side's context with its first page.
    JoinAtFirstPage,
    /// The last page of many is cut before the context that is sent with it.
    LastPageBeforeContext,
    /// A delta is taken for all there was before it.
    GapIgnored,
    /// A key that is written again leaves the place in the outbox that it had.
    ConflateAcrossDeltas,
    /// An entry that is covered and absent is taken.
    TakeBackForgotten,
    /// Tombstones are forgotten although something that their authors saw may be missing.
    ForgetUnclosed,
    /// Tombstones are forgotten although they wait in the outbox.
    ForgetWaiting,
    /// What is refused counts as seen.
    RefusedCovered,
    /// A time to live starts when the entry arrives.
    ExpireByArrival,
    /// What is told has another stamp than what is held.
    TwoStamps,
    /// A pull never asks for everything.
    NoFullSync,
    /// A full pull drops nothing.
    NoDrop,
    /// A full pull does not take over what the other side has forgotten.
    ForgottenNotTaken,
    /// Deltas do not say what their author depends on.
    PastNotSent,
    /// Entries from the far future are taken.
    ObserveAhead,
    /// The clock follows the wall clock back.
    ClockGoesBack,
    /// Equal contexts with different fingerprints are let be.
    NoSelfCheck,
    /// What the other side forgets during a pull is let be.
    RestartIgnored,
    /// What is known of an origin is saved, and then, by itself, what is held of it.
    ContextSavedFirst,
    /// What a delta brought is not noted, to be saved.
    OriginNotNoted,
    /// An entry that is forgotten stays on disk.
    ForgottenStaysSaved,
    /// What was forgotten is not known any more after a restart.
    ForgottenNotRestored,
    /// An opening with a clock that was set back takes the epoch that the clock says.
    EpochNotRaised,
    /// What one life wrote depends on nothing that an earlier one had seen.
    PastNotTold,
    /// What a node tells need not be on its disk.
    #[cfg(test)]
    LeavesUnsaved,
}

#[cfg(test)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Mutation>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in everything that runs on this thread, or mends it.
#[cfg(test)]
pub fn set(mutation: Option<Mutation>) {
    PLANTED.set(mutation);
}

/// Whether that bug is planted.
#[cfg(test)]
pub fn mutated(mutation: Mutation) -> bool {
    PLANTED.get() == Some(mutation)
}

/// Whether that bug is planted: never.
#[cfg(not(test))]
#[inline(always)]
pub const fn mutated(_: Mutation) -> bool {
    false
}
