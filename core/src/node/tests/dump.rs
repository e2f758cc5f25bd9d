//! Maps as text files, and back.

use super::durable::Dir;
use super::*;

fn loaded(text: &str) -> (Map, crate::Result<u64>) {
    let map = map();
    let outcome = map.load_from(text.as_bytes());
    (map, outcome)
}

fn refused(text: &str, kind: ErrorKind, says: &str) {
    let dir = Dir::new();
    std::fs::create_dir(dir.path()).unwrap();
    let path = dir.path().join("dump");
    std::fs::write(&path, text).unwrap();
    let mut config = Config::new();
    config.set("max_value_bytes", "10").unwrap().set("validator", "utf8").unwrap();
    let map = open("test", config).unwrap();
    let error = map.load(&path).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(says) && error.message().contains(path.to_str().unwrap()), "{error}");
    assert!(!error.message().contains("secret"), "an error never holds a value: {error}");
    assert!(map.is_empty().unwrap(), "all is checked before anything is written");
}

#[test]
fn what_was_dumped_is_loaded_into_another_map() {
    let (dir, one, other) = (Dir::new(), map(), map());
    std::fs::create_dir(dir.path()).unwrap();
    let path = dir.path().join("dump");
    let every: Vec<u8> = (0..=255).collect();
    one.put("", "").unwrap();
    one.put(&every, &every).unwrap();
    one.put("quote\"\n", "{\"a\":\u{0}}").unwrap();
    one.put_ttl("later", "x", Some(Duration::from_secs(3600))).unwrap();
    one.put("removed", "x").unwrap();
    one.remove("removed").unwrap();
    for key in 0..3000 {
        one.put(format!("many/{key}"), [7; 100]).unwrap();
    }
    assert_eq!(one.dump(&path).unwrap(), 3004);
    other.put("stays", "x").unwrap();
    other.put("later", "older").unwrap();
    assert_eq!(other.load(&path).unwrap(), 3004);
    assert_eq!(other.len().unwrap(), 3005);
    for entry in one.scan(ScanOptions::default()).unwrap() {
        let copy = other.entry(&**entry.key()).unwrap().unwrap();
        assert_eq!((&**copy.value(), copy.expires_at_ms()), (&**entry.value(), entry.expires_at_ms()));
        assert_eq!(copy.author(), *other.node().id(), "a new write");
    }
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["dump"], "nothing is left beside it");
}

#[test]
fn a_dump_has_a_line_of_json_for_every_entry_in_key_order() {
    let map = map();
    map.put("b", [0xff, 0]).unwrap();
    map.put("a", "\u{e4}").unwrap();
    let mut text = Vec::new();
    assert_eq!(map.dump_to(&mut text).unwrap(), 2);
    let entry = map.entry("a").unwrap().unwrap();
    let (stamp, author) = (entry.stamp(), entry.author());
    let first = format!("{{\"key\":\"a\",\"value\":\"\u{e4}\",\"stamp\":\"{stamp}\",\"author\":\"{author}\"}}\n");
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with(&first), "{text}");
    assert!(text[first.len()..].starts_with("{\"key\":\"b\",\"value_base64\":\"/wA=\","), "{text}");
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn what_has_expired_is_left_out_and_what_never_does_is_kept_for_ever() {
    let mut config = Config::new();
    config.set("default_ttl_ms", "60000").unwrap();
    let map = open("test", config).unwrap();
    let text = "{\"key\":\"gone\",\"value\":\"x\",\"expires_at_ms\":1}\n\n{\"key\":\"stays\",\"value\":\"x\"}";
    assert_eq!(map.load_from(text.as_bytes()).unwrap(), 1);
    assert_eq!(keys(&map, ScanOptions::default()), ["stays"]);
    assert_eq!(map.entry("stays").unwrap().unwrap().expires_at_ms(), None);
}

#[test]
fn a_line_that_is_refused_is_named_and_nothing_is_written() {
    let good = "{\"key\":\"a\",\"value\":\"1\"}\n";
    for (line, says) in [
        ("secret", "no JSON"),
        ("{\"key\":\"b\",\"value\":\"secret\"", "no JSON"),
        ("[]", "no JSON object"),
        ("{\"key\":\"b\"}", "`value`"),
        ("{\"value\":\"secret\"}", "`key`"),
        ("{\"key\":\"b\",\"value\":\"secret\",\"value_base64\":\"AA==\"}", "one of `value`"),
        ("{\"key\":\"b\",\"value_base64\":\"secret?\"}", "base64"),
        ("{\"key\":\"b\",\"value\":\"secret\",\"ttl\":1}", "a field that no entry has"),
        ("{\"key\":\"b\",\"value\":\"secret\",\"expires_at_ms\":\"secret\"}", "of another type"),
        ("{\"key\":\"b\",\"value\":\"secret\",\"expires_at_ms\":18446744073709551615}", "100 years"),
    ] {
        refused(&format!("{good}\n{line}\n{good}"), ErrorKind::InvalidArgument, says);
        refused(&format!("{good}\n{line}\n{good}"), ErrorKind::InvalidArgument, "line 3 ");
    }
    refused(&format!("{good}{{\"key\":\"b\",\"value\":\"secret secret\"}}"), ErrorKind::TooLarge, "line 2 ");
    refused(&format!("{good}{{\"key\":\"b\",\"value_base64\":\"/w==\"}}"), ErrorKind::InvalidValue, "line 2 ");
}

#[test]
fn from_a_stream_the_lines_before_a_refused_one_are_loaded() {
    let (map, outcome) =
        loaded("{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"2\"}\nno\n{\"key\":\"c\",\"value\":\"3\"}\n");
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("line 3") && error.message().contains("2 entries"), "{error}");
    assert_eq!(keys(&map, ScanOptions::default()), ["a", "b"]);
}

#[test]
fn a_full_map_says_how_many_were_loaded() {
    let mut config = Config::new();
    config.set("max_entries", "1024").unwrap();
    let map = open("test", config).unwrap();
    let text: String = (0..3000).map(|key| format!("{{\"key\":\"{key}\",\"value\":\"\"}}\n")).collect();
    let error = map.load_from(text.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.message().contains("1024 entries"), "{error}");
}

#[test]
fn a_dump_takes_the_place_of_an_older_one_whole_or_not_at_all() {
    let (dir, map) = (Dir::new(), map());
    map.put("a", "1").unwrap();
    let path = dir.path().join("dump");
    let error = map.dump(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "no directory");
    assert!(error.message().contains(path.to_str().unwrap()) && error.message().contains("os error 2"), "{error}");

    std::fs::create_dir(dir.path()).unwrap();
    for unfit in [dir.path(), Path::new("/dev/null")] {
        assert_eq!(map.dump(unfit).unwrap_err().kind(), ErrorKind::Storage);
        assert_eq!(map.load(unfit).unwrap_err().kind(), ErrorKind::Storage);
    }
    std::fs::write(&path, "older").unwrap();
    map.dump(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"key\":\"a\""), "{text}");

    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(map.dump_to(Full).unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(map.load(dir.path().join("other")).unwrap_err().kind(), ErrorKind::Storage);
}

#[cfg(unix)]
#[test]
fn a_dump_follows_a_link_and_only_its_owner_may_read_it() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (dir, map) = (Dir::new(), map());
    std::fs::create_dir(dir.path()).unwrap();
    let (link, target) = (dir.path().join("link"), dir.path().join("target"));
    std::fs::write(&target, "older").unwrap();
    symlink(&target, &link).unwrap();
    map.dump(&link).unwrap();
    assert!(link.is_symlink(), "the link stays");
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "");
    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}
