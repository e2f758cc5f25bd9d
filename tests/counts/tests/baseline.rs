//! No hot path grows unnoticed: instructions and allocations of each, counted by callgrind, beside those of `baseline.txt`.
//!
//! Counts do not depend on how busy the machine is. They vary by one in a hundred, since hash tables are seeded by chance; and
//! instructions depend on the compiler, so they are compared only where it is the baseline's. Without valgrind nothing is counted,
//! and that is said.
//!
//! `make counts` writes the baseline anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// How far a count may rise.
const MAY_RISE: f64 = 1.10;
/// A count that fell so far has a baseline that notices nothing any more.
const SHOULD_NOT_FALL: f64 = 0.85;
/// Allocations are few: one more in as many times is let be.
const ALLOCATION_SLACK: f64 = 0.05;

const PROGRAM: &str = env!("CARGO_BIN_EXE_p2pmap-counts");
/// What the program calls to do what is to be counted.
const COUNTED: &str = "p2pmap_counts::counted";
const ALLOCATORS: [&str; 6] = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"];

/// What one piece of work takes, done once.
#[derive(Clone, Copy)]
struct Cost {
    instructions: f64,
    allocations: f64,
}

type Costs = BTreeMap<String, Cost>;

#[test]
fn no_hot_path_grows_unnoticed() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: no valgrind (apt-get install valgrind)");
        return;
    }
    let (counted, compiler) = (count(), compiler());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.txt");
    let written = text(&counted, &compiler);
    println!("{written}");
    if env::var_os("P2PMAP_COUNTS").is_some_and(|wish| wish == "write") {
        fs::write(path, written).unwrap();
        return;
    }
    let baseline = fs::read_to_string(path).unwrap();
    let same_compiler = baseline.contains(&compiler);
    if !same_compiler {
        eprintln!("instructions are not compared: the baseline is of another compiler than {compiler}");
    }
    let wrong = compare(&read(&baseline), &counted, same_compiler);
    assert!(wrong.is_empty(), "\n{}\nIf that is meant, write the baseline anew: make counts\n", wrong.join("\n"));
}

/// What has changed, in words.
fn compare(baseline: &Costs, counted: &Costs, same_compiler: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, now) in counted {
        let Some(before) = baseline.get(name) else {
            wrong.push(format!("{name}: not in the baseline"));
            continue;
        };
        let mut compare = |what: &str, before: f64, now: f64, slack: f64| {
            if now > before * MAY_RISE + slack {
                wrong.push(format!("{name}: {now} {what}, and no more than {before} before"));
            } else if now < before * SHOULD_NOT_FALL - slack {
                wrong.push(format!("{name}: only {now} {what}, of {before} before: well done, now hold it"));
            }
        };
        compare("allocations", before.allocations, now.allocations, ALLOCATION_SLACK);
        if same_compiler {
            compare("instructions", before.instructions, now.instructions, 0.0);
        }
    }
    wrong.extend(baseline.keys().filter(|name| !counted.contains_key(*name)).map(|name| format!("{name}: not counted")));
    wrong
}

/// Runs the program under callgrind.
fn count() -> Costs {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("counts-{}", std::process::id()));
    fs::create_dir_all(&place).unwrap();
    let out = place.join("out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["-q", "--tool=callgrind", "--separate-threads=yes", "--compress-strings=no", "--compress-pos=no"]);
    valgrind.args(["--dump-before=", "--dump-after="].map(|option| format!("{option}{COUNTED}")));
    let ran = valgrind.arg(format!("--callgrind-out-file={}", out.display())).arg(PROGRAM).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told = String::from_utf8(ran.stdout).unwrap();
    let cost = |(at, line): (usize, &str)| {
        let (times, name) = line.split_once(' ').unwrap();
        // One profile ends where counting starts, the next one where it ends; each thread has its own, and the first one counts.
        let profile = fs::read_to_string(out.with_extension(format!("{}-01", 2 * at + 2))).unwrap();
        (name.to_owned(), Cost::of(&profile, times.parse().unwrap()))
    };
    let costs: Costs = told.lines().enumerate().map(cost).collect();
    fs::remove_dir_all(place).unwrap();
    assert!(!costs.is_empty(), "nothing was counted");
    costs
}

impl Cost {
    /// Of work that was done so many times, and took what a profile of callgrind's says.
    fn of(profile: &str, times: f64) -> Self {
        let (mut instructions, mut allocations) = (0.0, 0.0);
        let mut allocates = false;
        for line in profile.lines() {
            if let Some(total) = line.strip_prefix("totals: ") {
                instructions = total.parse().unwrap();
            } else if let Some(called) = line.strip_prefix("cfn=") {
                allocates = ALLOCATORS.contains(&called);
            } else if let Some(calls) = line.strip_prefix("calls=").filter(|_| allocates) {
                allocations += calls.split(' ').next().unwrap().parse::<f64>().unwrap();
            }
        }
        assert!(instructions > 0.0, "a profile without totals");
        let hundredths = (allocations / times * 100.0).round();
        Self { instructions: (instructions / times).round(), allocations: hundredths / 100.0 }
    }
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    format!("{} for {}", String::from_utf8(version).unwrap().trim(), env::consts::ARCH)
}

fn text(costs: &Costs, compiler: &str) -> String {
    let mut text = format!(
        "# What each takes, done once: keys of 16 bytes, values of 100, 10,000 entries or more.\n\
         # Written by `make counts`, with {compiler}.\n\
         #\n\
         # instructions  allocations  what\n"
    );
    for (name, Cost { instructions, allocations }) in costs {
        writeln!(text, "{instructions:14} {allocations:12.2}  {name}").unwrap();
    }
    text
}

fn read(baseline: &str) -> Costs {
    let cost = |line: &str| {
        let (instructions, rest) = line.trim_start().split_once(' ')?;
        let (allocations, name) = rest.trim_start().split_once(' ')?;
        let cost = Cost { instructions: instructions.parse().ok()?, allocations: allocations.parse().ok()? };
        Some((name.trim_start().to_owned(), cost))
    };
    baseline.lines().filter(|line| !line.starts_with('#')).filter_map(cost).collect()
}

#[test]
fn what_grows_or_shrinks_is_told() {
    let costs = |instructions, allocations| Costs::from([("put".to_owned(), Cost { instructions, allocations })]);
    let wrong = |instructions, allocations| compare(&costs(1000.0, 1.0), &costs(instructions, allocations), true).len();
    assert_eq!(wrong(1000.0, 1.0), 0);
    assert_eq!(wrong(1090.0, 1.04), 0, "little");
    assert_eq!(wrong(1110.0, 1.0), 1);
    assert_eq!(wrong(1000.0, 2.0), 1);
    assert_eq!(wrong(800.0, 0.0), 2, "a baseline that is out of date");
    assert_eq!(compare(&costs(1000.0, 1.0), &costs(2000.0, 1.0), false), [""; 0], "another compiler");
    assert_eq!(compare(&costs(1.0, 1.0), &Costs::new(), true).len(), 1, "no longer counted");
    assert_eq!(compare(&Costs::new(), &costs(1.0, 1.0), true).len(), 1, "never counted before");
    assert_eq!(compare(&read(&text(&costs(7.0, 0.5), "rustc")), &costs(7.0, 0.5), true), [""; 0], "what is written is read");
}

#[test]
fn allocations_are_read_off_a_profile() {
    let profile =
        "totals: 5000\nfn=put\ncfn=malloc\ncalls=3 1\n1 90\ncfn=free\ncalls=7 1\n1 70\nfn=grow\ncfn=realloc\ncalls=2 1\n1 60\n";
    let cost = Cost::of(profile, 10.0);
    assert_eq!((cost.instructions, cost.allocations), (500.0, 0.5));
}
