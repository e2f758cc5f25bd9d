//! What is open in one JavaScript thread: the main one, or a worker.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Env;
use p2pmap::{Error, ErrorKind, Node};

use crate::validator::Desk;

thread_local! {
    static CURRENT: RefCell<Option<Environment>> = const { RefCell::new(None) };
    static ENV: Cell<Option<Env>> = const { Cell::new(None) };
}

/// One JavaScript thread, as library threads see it. When it ends, so do the nodes opened in it.
#[derive(Clone, Default)]
pub struct Environment(Arc<Shared>);

#[derive(Default)]
struct Shared {
    open: Mutex<Open>,
    desk: Desk,
}

#[derive(Default)]
struct Open {
    ended: bool,
    nodes: Vec<Node>,
}

impl Environment {
    /// The environment of this thread.
    pub fn current(env: &Env) -> napi::Result<Self> {
        if let Some(current) = CURRENT.with_borrow(Clone::clone) {
            return Ok(current);
        }
        let new = Self::default();
        env.add_env_cleanup_hook(new.clone(), |environment| environment.end())?;
        ENV.set(Some(*env));
        CURRENT.set(Some(new.clone()));
        Ok(new)
    }

    /// Where questions to this thread's JavaScript wait for their answers.
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// Closes `node` when this environment ends; at once if it has ended. Errors: `Closed`, then.
    pub fn adopt(&self, node: &Node) -> p2pmap::Result<()> {
        let mut open = self.open();
        if open.ended {
            drop(open);
            node.close();
            return Err(Error::new(ErrorKind::Closed, "the JavaScript thread ended while a node was being opened"));
        }
        open.nodes.retain(|node| !node.is_closed());
        open.nodes.push(node.clone());
        Ok(())
    }

    fn end(&self) {
        let nodes = {
            let mut open = self.open();
            open.ended = true;
            std::mem::take(&mut open.nodes)
        };
        // First the desk: closing waits for threads that may be waiting for an answer which cannot come any more.
        self.0.desk.close();
        for node in nodes {
            node.close();
        }
        ENV.set(None);
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The engine's handle, on a thread that runs JavaScript and has opened something.
pub fn engine() -> Option<Env> {
    ENV.get()
}
