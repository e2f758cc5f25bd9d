//! The causal context against a set of numbers.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::{Context, Origin, Stamp, Timestamp};
use crate::peer::PeerId;

const TOP: u64 = 40;

fn origin(name: u8) -> Origin {
    Origin::new(PeerId::from_bytes(&[name]).unwrap(), 0)
}

fn stamp(name: u8, timestamp: u64) -> Stamp {
    Stamp { timestamp: Timestamp(timestamp), origin: origin(name) }
}

#[derive(Clone, Debug)]
enum Op {
    Add(u8, u64, u64),
    Remove(u8, u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..3u8, 0..TOP, 0..TOP).prop_map(|(name, a, b)| Op::Add(name, a.min(b), a.max(b))),
        1 => (0..3u8, 1..TOP).prop_map(|(name, at)| Op::Remove(name, at)),
    ]
}

/// The context, and the same as a set of (origin, timestamp).
fn both(ops: &[Op]) -> (Context, BTreeSet<(u8, u64)>) {
    let (mut context, mut set) = (Context::default(), BTreeSet::new());
    for op in ops {
        match *op {
            Op::Add(name, after, last) => {
                context.add(&origin(name), Timestamp(after), Timestamp(last));
                set.extend((after + 1..=last).map(|at| (name, at)));
            }
            Op::Remove(name, at) => {
                context.remove(&stamp(name, at));
                set.remove(&(name, at));
            }
        }
    }
    (context, set)
}

fn covered(context: &Context) -> BTreeSet<(u8, u64)> {
    let all = (0..3u8).flat_map(|name| (1..=TOP).map(move |at| (name, at)));
    all.filter(|&(name, at)| context.covers(&stamp(name, at))).collect()
}

proptest! {
    #[test]
    fn a_context_covers_what_was_claimed_and_nothing_else(ops in prop::collection::vec(op(), 0..30)) {
        let (context, set) = both(&ops);
        prop_assert_eq!(covered(&context), set);
    }

    #[test]
    fn a_join_covers_what_either_covers(a in prop::collection::vec(op(), 0..20), b in prop::collection::vec(op(), 0..20)) {
        let ((mut context, mut set), (other, more)) = (both(&a), both(&b));
        context.join(&other);
        set.extend(more);
        prop_assert_eq!(covered(&context), set);
    }

    #[test]
    fn equal_claims_are_equal_contexts_and_equal_hashes(ops in prop::collection::vec(op(), 0..20)) {
        let (context, set) = both(&ops);
        let mut rebuilt = Context::default();
        for &(name, at) in set.iter().rev() {
            rebuilt.add(&origin(name), Timestamp(at - 1), Timestamp(at));
        }
        prop_assert_eq!(&rebuilt, &context);
        prop_assert_eq!(rebuilt.hash(), context.hash());
    }

    #[test]
    fn the_gap_free_timestamp_is_where_the_first_gap_begins(ops in prop::collection::vec(op(), 0..20)) {
        let (context, set) = both(&ops);
        for name in 0..3u8 {
            let upto = (1..).take_while(|&at| set.contains(&(name, at))).last().unwrap_or(0);
            prop_assert_eq!(context.upto(&origin(name)), Timestamp(upto));
            prop_assert_eq!(context.has_gap(&origin(name)), set.iter().any(|&(n, at)| n == name && at > upto));
        }
    }
}
