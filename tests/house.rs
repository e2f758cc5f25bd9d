//! The rules of the house, kept by reading the sources.
//!
//! Each rule is a function from a source to the places that break it; it stands beside small planted sources that break
//! it and must be found out. The tests here hold the rules against everything in the repository.

#[path = "house/boundaries.rs"]
mod boundaries;
#[path = "house/caution.rs"]
mod caution;
#[path = "house/imports.rs"]
mod imports;
#[path = "house/scanner.rs"]
mod scanner;
#[path = "house/size.rs"]
mod size;
#[path = "house/source.rs"]
mod source;
#[path = "house/words.rs"]
mod words;

use source::{Breach, Source, sources};

/// Holds one rule against every source of the repository.
fn kept_by_all(rule: impl Fn(&Source) -> Vec<Breach>) {
    let sources = sources();
    assert!(sources.len() > 20, "only {} sources found: looking in the wrong place", sources.len());
    let breaches: Vec<String> = sources.iter().flat_map(rule).map(|breach| breach.to_string()).collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn modules_import_only_what_they_may() {
    let root = Source::read("core/src/lib.rs");
    let names = imports::Names::of(&root);
    kept_by_all(|source| imports::check(source, &names));
}

#[test]
fn libraries_stay_behind_their_walls() {
    kept_by_all(boundaries::check);
}

#[test]
fn unsafe_stays_where_it_belongs_and_says_why_it_is_sound() {
    kept_by_all(caution::unsafe_code);
}

#[test]
fn nothing_panics_without_an_invariant() {
    kept_by_all(caution::panics);
}

#[test]
fn no_channel_is_unbounded() {
    kept_by_all(caution::unbounded_channels);
}

#[test]
fn every_allow_has_a_reason() {
    kept_by_all(caution::allows);
}

#[test]
fn files_and_functions_are_small() {
    kept_by_all(size::files);
    kept_by_all(size::functions);
}

#[test]
fn files_are_named_for_things() {
    kept_by_all(words::file_names);
}

#[test]
fn nothing_speaks_of_how_it_was_made() {
    kept_by_all(words::traces);
}
