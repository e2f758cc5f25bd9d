//! Stories: what must come of the situations that replicated maps are known to get wrong.
//!
//! Each file in `tests/sim/scenarios` is one, a line a step, told on the nodes, wires and syncs of the simulation. After every step
//! every claim of the simulation is checked as well. `STORY=name` plays only those with that in their name. (*The original*, in their
//! comments, is the Erlang library `barrel_p2p_map` 0.1.0, which inspired this one.)
//!
//! ```text
//! # A comment, up to the end of the line.
//! nodes a b c tombstone_ttl_ms=1s     these are there, with those rules: map options, delta_bytes, page_bytes; durability
//! d joins
//!
//! a puts k v                          a value; x*100 is a hundred x; with ttl=5s it expires
//! a removes k                         `a removes k in vain`: it is not there to be removed
//! a applies k=v j=-                   a batch: a value, a removal
//! a fills 1000                        values for k0 to k999
//! a overwrites k 5000                 values 1 to 5000, each told by itself; or `untold`
//! a empties                           removes all that it shows
//!
//! a tells                             all that waits leaves; neighbours pass it on to theirs, who miss nothing
//! a tells b c                         only these receive it; `nobody`: it is lost
//! a tells later                       it is under way until `late`
//! a tells b cut short                 b receives every beginning of it but all
//! late                                what was under way arrives
//! replay                              every message ever sent arrives again, at everyone
//! a receives junk                     bytes that are no message
//! a receives from x k stamped +1h     a message by an unknown x; also `infinity`, `last`, `nothing`
//! a receives from x k depending on last
//! a receives its own k                a message that claims to be a's
//!
//! sync                                all who can reach each other, until nothing differs
//! sync a b                            these two
//! settle                              everyone tells what waits, too
//! a pulls b 3                         three pages, and nothing more until `a goes on`
//! cut a | b c                         between those sides; `cut a -> b`: what a sends to b
//! heal
//!
//! wait 5s                             ms, s, m, h, d; time is told to every node that runs
//! a clock +1h                         it jumps; also `freezes`, `runs` (again) and `right`
//! a stops                             as by a debugger, until `a continues`
//! a restarts                          killed, and opened again by the same peer
//! a saves                             what an `async` node has not yet saved
//! a crashes                           it loses power; `is killed`: its process ends; until `a comes back` with what is on its disk
//! a leaves                            says goodbye and is gone
//! a refuses b*                        values that begin so; `over 10`: longer ones; `nothing`
//! mark                                moved, events, saw and traffic count from here
//!
//! expect a,b k = v                    what these show; `all`: all that run
//! expect a k gone                     `removed` or `unknown` (forgotten); also `hidden`, `there`
//! expect a saw k put(v) remove(v)     what the subscriber was told, in order; `nothing`
//! expect a tombstones <= 3            see METRICS in scenario/expect.rs; `moved`: entries made anew
//! expect traffic < 500                bytes sent by all; also pulls, full_pulls, self_checks
//! expect equal                        digests of all that run, or of those named; `differ`
//! ```

mod expect;
mod script;
mod steps;
mod story;

use std::fs;
use std::path::PathBuf;

use story::Story;

use crate::replica::{Mutation, plant};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/sim/scenarios");

/// Plays a story. Errors: where it does not go as it says, and how it came to that.
fn play(file: &str, text: &str) -> Result<(), String> {
    let mut story = Story::new();
    let mut expectations = 0;
    for line in script::lines(text) {
        let told = format!("{file}:{}: {}", line.number, line.text);
        story.world.say(|| format!("| {}", line.text));
        story.step(&line.words).map_err(|what| format!("{told}\n  {what}\n\nwhat happened:\n{}\n", story.tell()))?;
        expectations += usize::from(line.words[0] == "expect");
    }
    if expectations == 0 { Err(format!("{file}: it expects nothing")) } else { Ok(()) }
}

#[test]
fn every_story_ends_as_it_says() {
    let entries = fs::read_dir(FOLDER).expect("the stories are there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 20, "only {} stories", files.len());
    let only = std::env::var("STORY").unwrap_or_default();
    let mut failures = Vec::new();
    for path in &files {
        let name = format!("tests/sim/scenarios/{}", path.file_name().unwrap_or_default().to_string_lossy());
        let text = fs::read_to_string(path).expect("text");
        if name.contains(&only) {
            failures.extend(play(&name, &text).err());
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

/// Planted bugs, and a story for each that does not end as it says with it.
const NOTICED: [(Mutation, &str); 22] = [
    (Mutation::MergeByArrival, "a_late_copy_of_a_forgotten_removal"),
    (Mutation::JoinAtFirstPage, "a_new_node_gets_all_and_nothing_that_is_gone"),
    (Mutation::LastPageBeforeContext, "what_changes_during_a_pull"),
    (Mutation::GapIgnored, "a_node_that_hears_one_way"),
    (Mutation::ConflateAcrossDeltas, "a_stamp_is_minted_once"),
    (Mutation::TakeBackForgotten, "a_partition_longer_than_the_horizon"),
    (Mutation::ForgetUnclosed, "an_author_that_died_with_a_gap"),
    (Mutation::ForgetWaiting, "a_removal_that_waits_to_be_told"),
    (Mutation::RefusedCovered, "a_validator_that_differs"),
    (Mutation::ExpireByArrival, "expiry_with_a_slow_clock"),
    (Mutation::TwoStamps, "a_node_reads_its_own_write"),
    (Mutation::NoFullSync, "a_partition_longer_than_the_horizon"),
    (Mutation::NoDrop, "a_node_away_for_a_month"),
    (Mutation::ForgottenNotTaken, "a_removal_that_only_hearsay_knows_of"),
    (Mutation::PastNotSent, "an_author_that_died_with_a_gap"),
    (Mutation::ObserveAhead, "a_clock_that_is_ahead"),
    (Mutation::ClockGoesBack, "the_clock_goes_back_over_a_restart"),
    (Mutation::NoSelfCheck, "an_honest_tie"),
    (Mutation::RestartIgnored, "what_is_removed_and_forgotten_during_a_pull"),
    (Mutation::ForgottenStaysSaved, "what_was_forgotten_before_a_crash"),
    (Mutation::ForgottenNotRestored, "what_was_forgotten_before_a_crash"),
    (Mutation::EpochNotRaised, "a_clock_set_back_before_a_crash"),
];

#[test]
fn stories_notice_planted_bugs() {
    let mut unnoticed = Vec::new();
    for (bug, name) in NOTICED {
        let text = fs::read_to_string(format!("{FOLDER}/{name}.txt")).expect("the story is there");
        plant(Some(bug));
        let played = play(name, &text);
        plant(None);
        match played {
            Ok(()) => unnoticed.push((bug, name)),
            Err(failure) => println!("{bug:?}: {}", failure.lines().take(2).collect::<Vec<_>>().join(":")),
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

/// A beginning for stories that go wrong.
const BEGINNING: &str = "nodes a b\na puts k v\na tells\n";

#[test]
fn what_is_not_so_is_found_out() {
    for wrong in [
        "a k = w",
        "a j = v",
        "b k gone",
        "b k hidden",
        "b k nowhere",
        "differ",
        "a live = 2",
        "b live > 1",
        "all entries < 1",
        "b saw k put(v) remove(v)",
        "b saw k nothing",
        "traffic < 1",
        "traffic ~ 1",
        "laughter = 1",
        "z k = v",
        "self_checks = 1",
    ] {
        let failure = play("story.txt", &format!("{BEGINNING}expect {wrong}\n")).expect_err(wrong);
        assert!(failure.starts_with(&format!("story.txt:4: expect {wrong}\n")), "{failure}");
        assert!(failure.contains("a#1 writes k = v"), "it tells what happened: {failure}");
    }
}

#[test]
fn what_says_nothing_is_found_out() {
    for nonsense in
        ["a sings", "c puts k v", "a puts k", "a puts k v for=ever", "wait long", "wait 5y", "rest", "a removes j", "a joins"]
    {
        let failure = play("story.txt", &format!("{BEGINNING}{nonsense}\nexpect equal\n")).expect_err(nonsense);
        assert!(failure.starts_with(&format!("story.txt:4: {nonsense}\n")), "{failure}");
    }
    assert_eq!(play("story.txt", BEGINNING), Err("story.txt: it expects nothing".into()));
}

#[test]
fn what_is_so_is_so() {
    let story =
        "expect equal\nexpect all k = v\nexpect b saw k put(v)\nexpect b tombstones = 0\nexpect traffic > 0 # all of it\n";
    assert_eq!(play("story.txt", &format!("{BEGINNING}{story}")), Ok(()));
}
