//! The stories in `scenarios/`, one for each way in which a map of this kind has failed its users.

use super::story::play;

macro_rules! scenarios {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let story = include_str!(concat!("scenarios/", stringify!($name), ".txt"));
            play(story).unwrap_or_else(|what| panic!("tests/sim/scenarios/{}.txt, {what}", stringify!($name)));
        }
    )*};
}

scenarios! {
    a_batch_is_seen_whole
    a_clock_that_goes_back_over_a_restart
    a_map_of_tombstones_is_not_empty
    a_partition_longer_than_the_horizon
    a_removal_outlives_a_partition
    a_slow_author_beats_nobody
    a_stamp_from_the_far_future
    a_time_to_live_ends_everywhere
    a_validator_that_differs
    an_acknowledged_write_is_read_back
    changed_neighbours_are_not_dead
    equal_maps_say_little
    malformed_messages_are_dropped
    one_change_is_one_change
    overwrites_leave_nothing_behind
}
