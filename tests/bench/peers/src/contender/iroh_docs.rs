//! iroh-docs: two nodes that share a document.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};
use iroh::Endpoint;
use iroh::endpoint::{RelayMode, presets};
use iroh::protocol::Router;
use iroh_blobs::BlobsProtocol;
use iroh_blobs::store::mem::MemStore;
use iroh_docs::api::Doc;
use iroh_docs::api::protocol::{AddrInfoOptions, ShareMode};
use iroh_docs::engine::LiveEvent;
use iroh_docs::protocol::Docs;
use iroh_docs::store::Query;
use iroh_docs::{AuthorId, ContentStatus, DocTicket};
use iroh_gossip::net::Gossip;
use p2pmap_bench::Result;
use p2pmap_bench::load::{Key, first, key, value};
use tokio::runtime::Runtime;

use super::{Contender, Kind, Member, Saw, Setting, runtime};

pub const CONTENDER: Contender = Contender {
    name: "iroh-docs",
    key: "iroh-docs",
    is: Kind::Crate("iroh-docs"),
    open,
    notes: "two nodes in memory, over loopback alone (no relay, no address lookup). A value is a blob, which is fetched after the entry that \
        names it has come; an entry counts when its blob is there. 64 writes, or reads, are under way at a time. More: every entry is signed by its \
        author, and blobs may be of any size",
};

const IN_FLIGHT: usize = 64;

struct Node {
    runtime: Runtime,
    blobs: MemStore,
    doc: Doc,
    author: AuthorId,
    arrived: Arc<Arrived>,
    _router: Router,
}

/// What came from others, blobs included.
#[derive(Default)]
struct Arrived {
    entries: AtomicUsize,
    saw: Mutex<Option<Saw>>,
}

fn open(setting: Setting) -> Result<Box<dyn Member>> {
    let runtime = runtime()?;
    let arrived = Arc::new(Arrived::default());
    let (blobs, router, doc, author) = runtime.block_on(async {
        let builder = Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled);
        let endpoint = builder.clear_ip_transports().bind_addr("127.0.0.1:0")?.bind().await?;
        let blobs = MemStore::new();
        let gossip = Gossip::builder().spawn(endpoint.clone());
        let docs = Docs::memory().spawn(endpoint.clone(), (*blobs).clone(), gossip.clone()).await?;
        let router = Router::builder(endpoint)
            .accept(iroh_blobs::ALPN, BlobsProtocol::new(&blobs, None))
            .accept(iroh_gossip::ALPN, gossip)
            .accept(iroh_docs::ALPN, docs.clone())
            .spawn();
        let author = docs.author_default().await?;
        let doc = match setting.join {
            None => docs.create().await?,
            Some(ticket) => {
                let (doc, events) = docs.import_and_subscribe(ticket.parse::<DocTicket>()?).await?;
                let (blobs, arrived) = ((*blobs).clone(), arrived.clone());
                tokio::spawn(async move { follow(&blobs, events, &arrived).await });
                doc
            }
        };
        Result::Ok((blobs, router, doc, author))
    })?;
    if setting.join.is_none() {
        // It takes part once it syncs, with nobody as yet.
        runtime.block_on(doc.start_sync(Vec::new()))?;
    }
    Ok(Box::new(Node { runtime, blobs, doc, author, arrived, _router: router }))
}

/// Counts what has arrived whole, and tells who watches.
async fn follow<E>(
    blobs: &iroh_blobs::api::Store,
    events: impl futures::Stream<Item = std::result::Result<LiveEvent, E>>,
    arrived: &Arrived,
) {
    let mut events = std::pin::pin!(events);
    while let Some(Ok(event)) = events.next().await {
        let hash = match event {
            LiveEvent::ContentReady { hash } => hash,
            LiveEvent::InsertRemote { entry, content_status: ContentStatus::Complete, .. } => entry.content_hash(),
            _ => continue,
        };
        arrived.entries.fetch_add(1, Ordering::Relaxed);
        let watched = arrived.saw.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if let (true, Ok(value)) = (watched, blobs.get_bytes(hash).await)
            && let Some(said) = first(&value)
            && let Some(saw) = arrived.saw.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        {
            saw(said);
        }
    }
}

impl Node {
    /// How many bytes the value of a key has.
    async fn bytes(&self, key: &Key) -> Result<usize> {
        match self.doc.get_one(Query::single_latest_per_key().key_exact(key)).await? {
            Some(entry) => Ok(self.blobs.get_bytes(entry.content_hash()).await?.len()),
            None => Ok(0),
        }
    }
}

impl Member for Node {
    fn address(&self) -> Result<String> {
        let ticket = self.runtime.block_on(self.doc.share(ShareMode::Write, AddrInfoOptions::Addresses))?;
        Ok(ticket.to_string())
    }

    fn put(&mut self, number: usize, said: u64) -> Result<()> {
        // A value of its own: equal values are one blob.
        let value = value(said, number as u64).to_vec();
        self.runtime.block_on(self.doc.set_bytes(self.author, key(number).to_vec(), value))?;
        Ok(())
    }

    fn put_all(&mut self, numbers: Range<usize>) -> Result<()> {
        let puts = stream::iter(numbers).map(|number| {
            let value = value(number as u64, number as u64).to_vec();
            self.doc.set_bytes(self.author, key(number).to_vec(), value)
        });
        Ok(self.runtime.block_on(puts.buffer_unordered(IN_FLIGHT).try_for_each(|_| async { Ok(()) }))?)
    }

    fn get(&mut self, key: &Key) -> Result<usize> {
        self.runtime.block_on(self.bytes(key))
    }

    fn get_all(&mut self, keys: &[Key]) -> Result<usize> {
        let gets = stream::iter(keys).map(|key| self.bytes(key)).buffer_unordered(IN_FLIGHT);
        self.runtime.block_on(gets.try_fold(0, |sum, bytes| async move { Ok(sum + bytes) }))
    }

    fn held(&mut self) -> Result<usize> {
        Ok(self.arrived.entries.load(Ordering::Relaxed))
    }

    fn watch(&mut self, saw: Saw) -> Result<()> {
        *self.arrived.saw.lock().unwrap_or_else(PoisonError::into_inner) = Some(saw);
        Ok(())
    }
}
