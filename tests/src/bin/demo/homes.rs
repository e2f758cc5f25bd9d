//! Where the processes keep their maps.

use std::path::PathBuf;

/// A directory for each process, gone when this is.
pub struct Homes(PathBuf);

impl Homes {
    pub fn new() -> Self {
        Self(std::env::temp_dir().join(format!("p2pmap-demo-{}", std::process::id())))
    }

    pub fn of(&self, member: usize) -> PathBuf {
        self.0.join(member.to_string())
    }
}

impl Drop for Homes {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans the place.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
