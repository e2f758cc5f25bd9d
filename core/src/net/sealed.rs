//! Where payloads are sealed, and opened again: at the last moment before libp2p has them, and the first after.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libp2p::gossipsub::{DataTransform, Message, RawMessage, TopicHash};

use crate::secret::Sealer;

/// Seals, in one context, where the cluster has a secret; else passes everything on as it is.
#[derive(Clone)]
pub(super) struct Sealed {
    sealer: Option<Arc<Sealer>>,
    rejected: Arc<AtomicU64>,
}

impl Sealed {
    pub fn new(sealer: Option<Arc<Sealer>>, rejected: Arc<AtomicU64>) -> Self {
        Self { sealer, rejected }
    }

    /// Bytes that sealing adds to a message.
    pub fn overhead(&self) -> usize {
        if self.sealer.is_some() { Sealer::OVERHEAD } else { 0 }
    }

    pub fn seal(&self, context: &[u8], plain: Vec<u8>) -> Vec<u8> {
        match &self.sealer {
            Some(sealer) => sealer.seal(context, &plain),
            None => plain,
        }
    }

    /// What does not open is counted.
    pub fn open(&self, context: &[u8], sealed: Vec<u8>) -> io::Result<Vec<u8>> {
        let Some(sealer) = &self.sealer else { return Ok(sealed) };
        sealer.open(context, sealed).map_err(|error| {
            self.rejected.fetch_add(1, Ordering::Relaxed);
            io::Error::new(io::ErrorKind::InvalidData, error)
        })
    }
}

/// Gossip, in the context of its topic. A message is forwarded as it came, and not at all when it does not open. Its id is that of
/// what it says, whoever sealed it.
impl DataTransform for Sealed {
    fn inbound_transform(&self, message: RawMessage) -> io::Result<Message> {
        let RawMessage { source, data, sequence_number, topic, .. } = message;
        let data = self.open(topic.as_str().as_bytes(), data)?;
        Ok(Message { source, data, sequence_number, topic })
    }

    fn outbound_transform(&self, topic: &TopicHash, data: Vec<u8>) -> io::Result<Vec<u8>> {
        Ok(self.seal(topic.as_str().as_bytes(), data))
    }
}
