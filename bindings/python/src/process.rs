//! What a process must do for its nodes when it exits and when it forks.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use p2pmap::Node;
use pyo3::prelude::*;

/// Every node that Python holds a handle of. Weak: it keeps none of them open.
static OPEN: Mutex<Vec<Weak<OpenNode>>> = Mutex::new(Vec::new());

/// A node as Python's handles share it: the node itself, its maps, scans and subscriptions. It closes with the last of them.
pub(crate) struct OpenNode(pub(crate) Node);

impl OpenNode {
    pub(crate) fn new(node: Node) -> Arc<Self> {
        let node = Arc::new(Self(node));
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|other| other.strong_count() > 0);
        open.push(Arc::downgrade(&node));
        node
    }
}

impl Drop for OpenNode {
    /// Closing waits for the node's threads, and one of them may be in a Python validator: never hold the GIL here.
    fn drop(&mut self) {
        if Python::try_attach(|py| py.detach(|| self.0.close())).is_none() {
            self.0.close();
        }
    }
}

/// Closes every node of this process. Called when the interpreter exits, while Python still runs.
#[pyfunction]
pub fn close_all(py: Python<'_>) {
    let open = std::mem::take(&mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    py.detach(|| open.iter().filter_map(Weak::upgrade).for_each(|node| node.0.close()));
}

/// Tells the core that this process is a forked child: handles opened before fail with `Forked`.
#[pyfunction]
pub fn forked_in_child() {
    p2pmap::forked_in_child();
}
