//! On the real disk: processes that are killed, a disk that is full or read-only, a directory that is not ours or is gone.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;
use crate::dice::Dice;

/// What a child process is to do, and where.
const TASK: &str = "P2PMAP_STORE_TASK";
const WHERE: &str = "P2PMAP_STORE_WHERE";

/// A directory of a test's own, removed with it.
struct Temporary(PathBuf);

impl Temporary {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("p2pmap-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file system in memory, of a megabyte, where mounting one is permitted.
struct Mounted(Temporary);

impl Mounted {
    fn new(test: &str) -> Option<Self> {
        let directory = Temporary::new(test);
        let mounted = mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &directory.0);
        if !mounted {
            println!("skipped: mounting a file system is not permitted here, root may");
        }
        mounted.then_some(Self(directory))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.0).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let run = Command::new("mount").args(arguments).arg(at).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

fn os_dir(path: &Path) -> Result<DataDir> {
    DataDir::open(Arc::new(OsDisk), path)
}

/// The rows after so many of a child's commits.
fn written(commits: u64) -> Rows {
    (1..=commits).map(|number| (format!("key {}", number % 50).into_bytes(), number.to_string().into_bytes())).collect()
}

/// This program again, with a task, and what it says.
fn child(task: &str, path: &Path, uid: Option<u32>) -> io::Result<(Child, BufReader<ChildStdout>)> {
    let mut command = Command::new(std::env::current_exe()?);
    let test = module_path!().split_once("::").expect("in a crate").1;
    command.args([&format!("{test}::as_a_child"), "--exact", "--nocapture", "--test-threads=1"]);
    command.env(TASK, task).env(WHERE, path).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(uid) = uid {
        command.uid(uid);
    }
    let mut child = command.spawn()?;
    let told = BufReader::new(child.stdout.take().expect("piped"));
    Ok((child, told))
}

/// What a child says, one line after the other; the test runner says things too, but not these.
fn says(told: &mut impl BufRead) -> impl Iterator<Item = String> {
    told.lines().map_while(io::Result::ok).filter_map(|line| line.strip_prefix("child: ").map(str::to_owned))
}

fn say(what: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "\nchild: {what}").and_then(|()| out.flush()).expect("somebody listens");
}

/// Not a test by itself: what the tests here run as a process of its own.
#[test]
fn as_a_child() {
    let (Ok(task), Some(path)) = (std::env::var(TASK), std::env::var_os(WHERE)) else { return };
    let dir = match os_dir(Path::new(&path)) {
        Ok(dir) => dir,
        Err(error) => return say(&format!("{} {}", error.kind().name(), error.message())),
    };
    say("open");
    match task.as_str() {
        "write" => write_for_ever(&dir),
        // Until the parent lets go.
        _ => drop(io::stdin().read(&mut [0])),
    }
}

fn write_for_ever(dir: &DataDir) {
    let (mut store, ..) = open(dir).expect("a map");
    loop {
        for number in store.last() + 1..store.last() + 4 {
            let (key, value) = (format!("key {}", number % 50), number.to_string());
            store.append([Row::put(key.as_bytes(), value.as_bytes())]).expect("appended");
        }
        say(&store.sync().expect("synced").to_string());
        if store.last() % 40 < 3 {
            let rows = written(store.last());
            compact(&mut store, &rows).expect("compacted");
        }
    }
}

#[test]
fn g7_what_was_synced_survives_kill_9() {
    let place = Temporary::new("kill");
    let mut dice = Dice::new(u64::from(std::process::id()));
    let (mut synced, mut cuts) = (0, 0);
    for round in 0..8 {
        let (mut child, mut told) = child("write", &place.0, None).expect("a child");
        let wanted = 1 + dice.roll(60);
        let numbers = says(&mut told).filter_map(|line| line.parse::<u64>().ok());
        synced = numbers.take(wanted).last().expect("it writes");
        child.kill().expect("killed");
        // It may have gone on until then.
        let rest = says(&mut told).filter_map(|line| line.parse::<u64>().ok()).last();
        synced = rest.unwrap_or(synced);
        child.wait().expect("waited for");

        let (_, recovered, rows) = open(&os_dir(&place.0).expect("free again")).expect("a map");
        assert!(recovered.last >= synced, "round {round}: {synced} was synced, {recovered:?}");
        assert_eq!(rows, written(recovered.last), "round {round}");
        cuts += u64::from(recovered.cut.is_some());
    }
    println!("{synced} commits in 8 rounds, {cuts} tails cut");
}

#[test]
fn of_two_processes_one_gets_the_directory() {
    let place = Temporary::new("race");
    let started: Vec<_> = (0..2).map(|_| child("hold", &place.0, None).expect("a child")).collect();
    let mut said = Vec::new();
    for (mut child, mut told) in started {
        let first = says(&mut told).next().expect("a word");
        said.push((first, child.id()));
        // The one that holds it does so until all have spoken.
        std::mem::forget(child.stdin.take());
    }
    said.sort();
    let [(refused, _), (open, holder)] = &said[..] else { panic!("{said:?}") };
    assert_eq!(open, "open");
    assert!(refused.starts_with("LOCKED ") && refused.contains("is in use by "), "{refused}");
    assert!(refused.contains(&format!("process {holder}:")) || refused.contains("another process"), "{refused}");
    assert!(Command::new("kill").arg(holder.to_string()).status().expect("kill").success());
}

#[test]
fn a_full_disk_refuses_and_keeps_what_was_synced() {
    let Some(place) = Mounted::new("full") else { return };
    let path = &place.0.0;
    let ballast = path.join("ballast");
    std::fs::write(&ballast, vec![1; 200_000]).expect("room");
    let dir = os_dir(&path.join("data")).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    let mut synced = 0_u64;
    let error = loop {
        let number = synced + 1;
        let value = [number as u8; 10_000];
        match store.append([Row::put(&number.to_le_bytes(), &value)]).and_then(|_| store.sync()) {
            Ok(last) => synced = last,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("00000001.log") && error.message().contains("os error 28"), "{error}");
    assert!(error.message().contains("free some space"), "{error}");
    assert!(synced > 10, "{synced}");
    assert_eq!(store.append([Row::put(b"a", b"b")]).expect_err("over"), error);
    drop(store);

    // To read it takes no room.
    let (store, recovered, rows) = open(&dir).expect("still full");
    assert_eq!((recovered.last, recovered.cut, rows.len() as u64), (synced, None, synced));
    drop(store);
    std::fs::remove_file(ballast).expect("removed");
    let (mut store, ..) = open(&dir).expect("not full any more");
    store.append([Row::put(b"a", b"b")]).expect("appended");
    assert_eq!(store.sync().expect("synced"), synced + 1);
}

#[test]
fn a_read_only_disk_is_refused_in_words() {
    let Some(place) = Mounted::new("read-only") else { return };
    drop(open(&os_dir(&place.0.0).expect("a data directory")).expect("a map"));
    assert!(mount(&["-o", "remount,ro"], &place.0.0));
    let error = os_dir(&place.0.0).err().expect("read-only");
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("mount it writable"), "{error}");
}

#[test]
fn a_directory_that_was_removed_takes_no_more_writes() {
    let place = Temporary::new("removed");
    let dir = os_dir(&place.0.join("data")).expect("a data directory");
    let (mut store, ..) = open(&dir).expect("a map");
    std::fs::remove_dir_all(place.0.join("data")).expect("removed");
    store.append([Row::put(b"a", b"1")]).expect("gathered");
    let error = store.sync().expect_err("written to nowhere");
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("somebody removed it"), "{error}");
    assert!(store.rotate().is_err());
    drop(store);
    assert_eq!(open(&dir).err().map(|error| error.kind()), Some(ErrorKind::Storage));
}

#[test]
fn a_directory_that_may_not_be_read_is_refused_in_words() {
    let place = Temporary::new("denied");
    let path = place.0.join("data");
    drop(os_dir(&path).expect("a data directory"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("it is ours");
    // Root may read everything, so for root somebody else tries.
    let is_root = std::fs::read_dir(&path).is_ok();
    let Ok((mut child, mut told)) = child("hold", &path, is_root.then_some(65_534)) else {
        return println!("skipped: nobody else may run this program");
    };
    let said = says(&mut told).next().expect("a word");
    child.wait().expect("it ends");
    assert!(said.starts_with("STORAGE ") && said.contains("let this user read and write there"), "{said}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("it is ours");
}

#[test]
fn what_is_made_is_for_its_owner_alone() {
    let place = Temporary::new("modes");
    let path = place.0.join("a/b/data");
    let dir = os_dir(&path).expect("made with those above it");
    drop(open(&dir).expect("a map"));
    assert_eq!(identity(&dir, || Ok([5; 32])), Ok([5; 32]));
    assert_eq!(identity(&dir, || panic!("there is one")), Ok([5; 32]));
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    for (name, expected) in [("", 0o700), ("identity", 0o600), ("map-flags", 0o700), ("map-flags/00000001.log", 0o600)] {
        assert_eq!(mode(&path.join(name)), expected, "{name}");
    }
    std::fs::set_permissions(path.join("identity"), std::fs::Permissions::from_mode(0o640)).expect("it is ours");
    assert_eq!(identity(&dir, || panic!("there is one")).expect_err("seen").kind(), ErrorKind::InvalidConfig);
}
