//! The floors under durable puts: files that rows are appended to.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::Result;

/// Often enough that little gathers.
const SYNC_EVERY: Duration = Duration::from_millis(100);

/// The least that a log with group commit does: whoever finds nobody at it writes what has gathered, with one sync for all.
pub struct BareLog {
    file: File,
    state: Mutex<State>,
    turn_over: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    appended: u64,
    synced: u64,
    taken: bool,
}

impl BareLog {
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { file: File::create(path)?, state: Mutex::default(), turn_over: Condvar::new() })
    }

    pub fn append(&self, bytes: &[u8]) -> Result<()> {
        let mut state = self.state.lock();
        state.waiting.extend_from_slice(bytes);
        state.appended += 1;
        let mine = state.appended;
        while state.synced < mine {
            if state.taken {
                self.turn_over.wait(&mut state);
                continue;
            }
            state.taken = true;
            let (bytes, upto) = (std::mem::take(&mut state.waiting), state.appended);
            drop(state);
            let done = (&self.file).write_all(&bytes).and_then(|()| self.file.sync_data());
            state = self.state.lock();
            state.taken = false;
            self.turn_over.notify_all();
            done?;
            state.synced = upto;
        }
        Ok(())
    }
}

/// The least that a log does which is synced now and then: what gathers is written by a thread of its own.
pub struct LazyLog {
    file: File,
    waiting: Mutex<Vec<u8>>,
    over: AtomicBool,
}

impl LazyLog {
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { file: File::create(path)?, waiting: Mutex::default(), over: AtomicBool::new(false) })
    }

    pub fn append(&self, bytes: &[u8]) {
        self.waiting.lock().extend_from_slice(bytes);
    }

    /// Has `run` end.
    pub fn close(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    pub fn run(&self) -> std::io::Result<()> {
        while !self.over.load(Ordering::Relaxed) {
            thread::sleep(SYNC_EVERY);
            let bytes = std::mem::take(&mut *self.waiting.lock());
            // Over and over in the same place: its size is not what is measured.
            self.file.write_all_at(&bytes, 0)?;
            self.file.sync_data()?;
        }
        Ok(())
    }
}
