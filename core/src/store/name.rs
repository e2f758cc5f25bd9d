//! Map names as directory names: any bytes, on any file system.

use xxhash_rust::xxh3::xxh3_128;

/// So long a name is written out; a longer one ends with a hash.
const MAX_WRITTEN_BYTES: usize = 120;
const PREFIX: &str = "map-";

/// The directory of a map.
///
/// Shape: `map-`, then the name: lower-case letters, digits, `-` and `_` as they are, every other byte as `=` and two digits. So
/// names that differ in case only differ here too where case does not count, and none has a dot, a slash or a special meaning. Of
/// a name over 120 bytes in this form: the first 80, `=` and 32 digits of its hash; the files inside hold it in full.
pub fn directory_name(map: &[u8]) -> String {
    let mut name = String::from(PREFIX);
    for &byte in map {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            _ => name.push_str(&format!("={byte:02x}")),
        }
    }
    if name.len() > PREFIX.len() + MAX_WRITTEN_BYTES {
        name.truncate(PREFIX.len() + 80);
        name.push_str(&format!("={:032x}", xxh3_128(map)));
    }
    name
}

/// Whether a directory is a map's; `suffix` says in which state.
pub fn is_map(directory: &str, suffix: &str) -> bool {
    let stem = directory.strip_suffix(suffix).and_then(|name| name.strip_prefix(PREFIX));
    stem.is_some_and(|stem| !stem.is_empty() && !stem.contains('.'))
}
