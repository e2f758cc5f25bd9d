//! Deltas that wait for a validator function: user code must not hold up the network.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;

use super::state::MapState;
use crate::net::{Delivered, Network};
use crate::peer::PeerId;

/// Deltas waiting at most; one more is dropped, and the gap it leaves is closed by a sync.
const CAPACITY: usize = 256;

/// A delta, and who sent it.
type Arrived = (PeerId, Box<[u8]>);

pub struct Inbox {
    /// `None` once stopped.
    deltas: Mutex<Option<SyncSender<Arrived>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Inbox {
    /// Starts the map's own merging thread.
    pub fn start(map: Arc<MapState>, network: Weak<Network>) -> Self {
        let (deltas, waiting) = sync_channel::<Arrived>(CAPACITY);
        let merge = move || {
            while let Ok((from, delta)) = waiting.recv() {
                if map.is_closed() {
                    continue;
                }
                if map.receive(&from, &delta) == Delivered::Gap
                    && let Some(network) = network.upgrade()
                {
                    network.gap(map.topic, &from);
                }
            }
        };
        // Without its thread the inbox is full at once, and every delta is left to a sync.
        let thread = thread::Builder::new().name("p2pmap-merge".to_owned()).spawn(merge);
        let thread = thread.map_err(|error| tracing::error!("no thread for merging: {error}")).ok();
        Self { deltas: Mutex::new(Some(deltas)), thread: Mutex::new(thread) }
    }

    /// Ends the thread, after the map was closed; returns when no validator runs on it, unless called from it.
    pub fn stop(&self) {
        self.deltas.lock().take();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread.filter(|merging| merging.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }

    pub fn push(&self, from: &PeerId, delta: &[u8]) -> Delivered {
        match self.deltas.lock().as_ref().map(|deltas| deltas.try_send((from.clone(), delta.into()))) {
            Some(Ok(())) | None => Delivered::Taken,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) => Delivered::Gap,
        }
    }
}
