//! Who was first found at an address: a small text file in the data directory, for people to read and to change.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Draft;

const TRUST: &str = "trust";

/// Where a data directory keeps them.
pub fn pins_file(dir: &Path) -> PathBuf {
    dir.join(TRUST)
}

/// Addresses and peer ids as text, in the order of the file; none where there is no file.
///
/// Shape: `<address> <peer id>` a line; empty lines and those that start with `#` are left out.
/// Errors: `InvalidData` for a line that is neither.
pub fn read_pins(path: &Path) -> io::Result<Vec<(String, String)>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let mut pins = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let (addr, peer) = line.split_once(' ').ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {} is not `<address> <peer id>`", number + 1))
        })?;
        pins.push((addr.to_owned(), peer.trim().to_owned()));
    }
    Ok(pins)
}

/// Puts a line after those that are there. All of them are on disk when this returns, or as they were.
pub fn add_pin(path: &Path, addr: &str, peer: &str) -> io::Result<()> {
    let before = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            "# Who was first found at an address. A line that is removed is learned anew.\n".to_owned()
        }
        text => text?,
    };
    let mut draft = Draft::create(path)?;
    let end = if before.ends_with('\n') { "" } else { "\n" };
    writeln!(draft, "{before}{end}{addr} {peer}")?;
    draft.finish()
}
