//! The copy of everything that a client keeps of what it is told, where what it talks to gives it none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use p2pmap_bench::load::first;

use super::Saw;

/// A copy that is filled by one thread and read by others.
#[derive(Clone, Default)]
pub struct Copy(Arc<Mutex<Inner>>);

#[derive(Default)]
pub struct Inner {
    pub entries: HashMap<Vec<u8>, Vec<u8>>,
    saw: Option<Saw>,
}

impl Copy {
    /// Takes in a change, and tells who watches.
    pub fn take(&self, key: &[u8], value: &[u8]) {
        let mut inner = self.lock();
        inner.entries.insert(key.to_vec(), value.to_vec());
        if let (Some(saw), Some(said)) = (&mut inner.saw, first(value)) {
            saw(said);
        }
    }

    pub fn watch(&self, saw: Saw) {
        self.lock().saw = Some(saw);
    }

    pub fn held(&self) -> usize {
        self.lock().entries.len()
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
