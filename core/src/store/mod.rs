//! The only code that touches a disk.

use std::io;
use std::path::Path;

/// A small text file, whole.
pub fn read_text(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}
