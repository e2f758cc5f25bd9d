//! Maps that are kept on disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::*;
use crate::Node;

/// A directory of its own, gone when this is.
pub struct Dir(PathBuf);

impl Dir {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("p2pmap-node-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn config(dir: &Dir, durability: &str) -> Config {
    let mut config = Config::new();
    config.set("data_dir", dir.path().to_str().unwrap()).unwrap().set("durability", durability).unwrap();
    config
}

fn kept(dir: &Dir, durability: &str) -> Map {
    open("test", config(dir, durability)).expect("a map opens")
}

#[test]
fn g7_what_was_written_is_there_when_the_map_is_opened_again() {
    for durability in ["sync", "async"] {
        let dir = Dir::new();
        let map = kept(&dir, durability);
        let id = map.node().id().clone();
        let first = map.put("a", "1").unwrap();
        map.put("b", "2").unwrap();
        map.remove("b").unwrap();
        map.put_ttl("c", "3", Some(Duration::from_secs(3600))).unwrap();
        let digest = map.status().unwrap().digest;
        map.close();

        let map = kept(&dir, durability);
        assert_eq!(*map.node().id(), id, "the identity is kept");
        assert_eq!(map.entry("a").unwrap().unwrap().stamp(), first);
        assert_eq!(keys(&map, ScanOptions::default()), ["a", "c"]);
        let status = map.status().unwrap();
        assert_eq!((status.live, status.tombstones, status.digest), (2, 1, digest));
        assert!(map.put("a", "4").unwrap() > first);
        map.destroy().unwrap();
        assert!(kept(&dir, durability).is_empty().unwrap(), "destroyed");
    }
}

#[test]
fn g7_many_entries_come_back_also_those_written_again_and_those_removed() {
    let dir = Dir::new();
    let map = kept(&dir, "async");
    for round in 0..3 {
        for key in (round..20_000).step_by(round + 1) {
            map.put(format!("{key:08}"), format!("{round}")).unwrap();
        }
        map.flush().unwrap();
    }
    for key in (0..20_000).step_by(5) {
        map.remove(format!("{key:08}")).unwrap();
    }
    let (digest, entries) = (map.status().unwrap().digest, map.len().unwrap());
    map.close();
    for _ in 0..2 {
        let map = kept(&dir, "async");
        assert_eq!((map.status().unwrap().digest, map.len().unwrap()), (digest, entries));
        assert_eq!(map.get("00000001").unwrap().as_deref(), Some(&b"1"[..]));
        assert!(map.get("00000005").unwrap().is_none(), "removed");
        let keys = keys(&map, ScanOptions::default());
        assert!(keys.len() == entries && keys.is_sorted());
        map.close();
    }
}

#[test]
fn g7_a_sync_write_that_returned_is_on_disk_before_the_map_closes() {
    let dir = Dir::new();
    let map = kept(&dir, "sync");
    for key in 0..100 {
        map.put(key.to_string(), "v").unwrap();
    }
    let copy = Dir::new();
    copy_tree(dir.path(), copy.path());
    let twin = kept(&copy, "sync");
    assert_eq!(twin.len().unwrap(), 100);
    assert_eq!(twin.node().id(), map.node().id());
}

pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn concurrent_writers_share_the_disk() {
    let dir = Dir::new();
    let map = kept(&dir, "sync");
    std::thread::scope(|scope| {
        for writer in 0..16 {
            let map = &map;
            scope.spawn(move || {
                for key in 0..50 {
                    map.put(format!("{writer} {key}"), "v").unwrap();
                }
            });
        }
    });
    map.close();
    assert_eq!(kept(&dir, "sync").len().unwrap(), 800);
}

#[test]
fn deferred_writes_are_on_disk_after_a_flush_and_are_read_at_once() {
    let (dir, copy) = (Dir::new(), Dir::new());
    let map = kept(&dir, "sync");
    let deferred = map.deferred();
    for key in 0..100 {
        deferred.put(key.to_string(), "v").unwrap();
    }
    deferred.remove("99").unwrap();
    assert_eq!(map.len().unwrap(), 99, "read at once");
    deferred.flush().unwrap();
    copy_tree(dir.path(), copy.path());
    assert_eq!(kept(&copy, "sync").len().unwrap(), 99);
    std::fs::remove_dir_all(dir.path()).unwrap();
    deferred.put("lost", "v").unwrap();
    assert_eq!(deferred.flush().unwrap_err().kind(), ErrorKind::Storage);
    super::map().flush().unwrap();
}

#[test]
fn a_long_log_is_replaced_by_a_snapshot() {
    let dir = Dir::new();
    let map = kept(&dir, "async");
    let value = vec![7; 10_000];
    for at in 0..3_000 {
        map.put((at % 10).to_string(), &value).unwrap();
    }
    // The thread compacts after it has saved: what closes waits for it.
    map.close();
    let map = kept(&dir, "async");
    assert_eq!(map.len().unwrap(), 10);
    let bytes: u64 = walk(dir.path()).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes < 12_000_000, "{bytes} bytes for 30 MB of writes to 100 kB");
}

#[test]
fn a_map_that_nobody_but_its_writers_wakes_is_compacted_too() {
    let dir = Dir::new();
    let map = kept(&dir, "sync");
    let value = vec![7; 100_000];
    for at in 0..60 {
        map.put((at % 10).to_string(), &value).unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while map.status().unwrap().log_bytes > 3_000_000 {
        assert!(Instant::now() < deadline, "6 MB of log beside 1 MB of rows");
        std::thread::yield_now();
    }
    map.close();
    assert_eq!(kept(&dir, "sync").len().unwrap(), 10);
}

#[test]
fn status_tells_of_the_disk_and_what_ended_its_use() {
    let dir = Dir::new();
    let map = kept(&dir, "sync");
    map.put("a", "1").unwrap();
    let status = map.status().unwrap();
    assert_eq!((status.durability.name(), status.storage_error, status.cut_bytes), ("sync", None, 0));
    assert!(status.log_bytes > 0);
    std::fs::remove_dir_all(dir.path()).unwrap();
    assert_eq!(map.put("b", "2").unwrap_err().kind(), ErrorKind::Storage);
    let why = map.status().unwrap().storage_error.expect("the disk is gone");
    assert!(why.contains(dir.path().to_str().unwrap()), "{why}");
    assert_eq!(map.get("a").unwrap().as_deref(), Some(&b"1"[..]), "reads go on");

    let status = super::map().status().unwrap();
    assert_eq!((status.durability.name(), status.storage_error, status.log_bytes), ("none", None, 0));
}

#[test]
fn status_tells_what_was_cut_off_a_torn_log() {
    let (dir, copy) = (Dir::new(), Dir::new());
    let map = kept(&dir, "sync");
    map.put("a", "1").unwrap();
    map.put("b", "2").unwrap();
    copy_tree(dir.path(), copy.path());
    let log = walk(copy.path()).into_iter().find(|path| path.extension().is_some_and(|end| end == "log")).unwrap();
    let bytes = std::fs::read(&log).unwrap();
    let end = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    std::fs::write(&log, &bytes[..end - 1]).unwrap();
    let torn = kept(&copy, "sync");
    assert!(torn.status().unwrap().cut_bytes > 0);
    assert!(torn.contains("a").unwrap() && !torn.contains("b").unwrap());
}

fn walk(path: &Path) -> Vec<PathBuf> {
    let entries: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.into_iter().flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_durable_map_needs_a_directory_and_a_directory_has_one_process() {
    let mut config = Config::new();
    config.set("durability", "sync").unwrap();
    let error = open("test", config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.to_string().contains("data_dir"), "{error}");

    let dir = Dir::new();
    let _node = Node::open(self::config(&dir, "sync")).unwrap();
    let error = Node::open(self::config(&dir, "sync")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
}

#[test]
fn a_map_kept_with_presence_is_opened_with_presence() {
    let dir = Dir::new();
    let mut config = config(&dir, "sync");
    config.set("presence", "true").unwrap();
    let map = open("test", config.clone()).unwrap();
    map.put("me", "here").unwrap();
    map.close();
    let error = open("test", self::config(&dir, "sync")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.to_string().contains("presence"), "{error}");
    assert!(open("test", config).unwrap().contains("me").unwrap(), "its own entries are in the view");
}
