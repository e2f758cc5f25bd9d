//! Whose turn it is to write for all.

use parking_lot::{Condvar, Mutex};

/// Threads that want the same done: one of them does it, for all.
#[derive(Default)]
pub struct Turns {
    taken: Mutex<bool>,
    over: Condvar,
}

/// Over when this is dropped, whatever became of it.
pub struct Turn<'a>(&'a Turns);

impl Turns {
    /// Takes the turn. `None`: somebody else had it, and it is over.
    pub fn take(&self) -> Option<Turn<'_>> {
        let mut taken = self.taken.lock();
        if *taken {
            self.over.wait(&mut taken);
            return None;
        }
        *taken = true;
        Some(Turn(self))
    }

    /// Waits, turn after turn, for as long as that is so. Whoever ends it calls `wake`.
    pub fn wait_while(&self, is_so: impl Fn() -> bool) {
        let mut taken = self.taken.lock();
        while is_so() {
            self.over.wait(&mut taken);
        }
    }

    /// Has everybody who waits look again.
    pub fn wake(&self) {
        // Whoever has looked already waits by now.
        let _taken = self.taken.lock();
        self.over.notify_all();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock() = false;
        self.0.over.notify_all();
    }
}
