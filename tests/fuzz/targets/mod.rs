//! What is fuzzed: functions of any bytes that may refuse them, and never panic, hang or break what they promise.
//!
//! Compiled into the core, as most of what they call is private. `tests/fuzz/run.sh` looks for inputs with a fuzzer, and every test
//! run repeats those of `tests/fuzz/corpora`.

mod decode;
mod feed;
mod options;
mod sync;

pub(crate) use feed::Feed;

pub type Target = fn(&[u8]);

/// Each with the name of its corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("decode", decode::decode),
    ("sync", sync::sync),
    ("greeting", crate::net::greeting),
    ("recovery", crate::store::recovery),
    ("options", options::options),
];

#[cfg(test)]
#[test]
fn g10_the_inputs_of_every_corpus_break_nothing() {
    for (name, target) in TARGETS {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpora").join(name);
        let inputs = std::fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
        let mut count = 0;
        for input in inputs {
            let path = input.expect("an input").path();
            let bytes = std::fs::read(&path).expect("a file");
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            assert!(outcome.is_ok(), "{} breaks {name}", path.display());
            count += 1;
        }
        assert!(count > 0, "{name} has no inputs");
    }
}
