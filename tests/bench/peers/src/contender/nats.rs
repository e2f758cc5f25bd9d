//! NATS KV: one server with JetStream, and clients that watch a bucket.

use std::ops::Range;

use async_nats::jetstream::stream::{self, DiscardPolicy, StorageType};
use async_nats::jetstream::{self, kv};
use futures::{StreamExt, TryStreamExt};
use p2pmap_bench::Result;
use p2pmap_bench::load::{Key, key, value};
use tokio::runtime::Runtime;

use super::copy::Copy;
use super::{Contender, Kind, Member, Saw, Setting, single_runtime, text};
use crate::server::{Server, data_directory, free_port, until};

pub const CONTENDER: Contender = Contender {
    name: "NATS KV",
    key: "nats",
    is: Kind::Program("nats-server", &["--version"]),
    open,
    notes: "one server, a bucket in memory. A process that joins watches the bucket from its beginning, and so has a copy in memory, which it \
        could read as p2pmap's is read; its reads here ask the server. 512 puts, or 128 reads, are under way at a time. More: writes to \
        one key are ordered by the server, and can compare and set",
};

const BUCKET: &str = "bench";
const PUTS_IN_FLIGHT: usize = 512;
const GETS_IN_FLIGHT: usize = 128;

struct Nats {
    runtime: Runtime,
    jetstream: jetstream::Context,
    bucket: kv::Store,
    address: String,
    copy: Copy,
    server: Option<Server>,
}

fn open(setting: Setting) -> Result<Box<dyn Member>> {
    let runtime = single_runtime()?;
    let (server, address) = match setting.join {
        Some(address) => (None, address.to_owned()),
        None => {
            let (port, directory) = (free_port()?.to_string(), data_directory("nats")?);
            let directory = directory.display().to_string();
            let args = ["--jetstream", "--store_dir", &directory, "--addr", "127.0.0.1", "--port", &port];
            (Some(Server::start("nats-server", &args)?), format!("127.0.0.1:{port}"))
        }
    };
    let client = until("NATS answers", || runtime.block_on(async_nats::connect(&address)).ok())?;
    let (jetstream, bucket) = runtime.block_on(async {
        let jetstream = jetstream::new(client);
        if setting.join.is_none() {
            jetstream.create_stream(bucket()).await?;
        }
        let bucket = jetstream.get_key_value(BUCKET).await?;
        Result::Ok((jetstream, bucket))
    })?;
    let copy = Copy::default();
    if setting.join.is_some() {
        follow(address.clone(), copy.clone());
    }
    Ok(Box::new(Nats { runtime, jetstream, bucket, address, copy, server }))
}

/// The stream behind a bucket. `create_key_value` makes the same one, and asks for the account first, in which it expects what servers
/// before 2.10 do not say.
fn bucket() -> stream::Config {
    stream::Config {
        name: format!("KV_{BUCKET}"),
        subjects: vec![format!("$KV.{BUCKET}.>")],
        storage: StorageType::Memory,
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        num_replicas: 1,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..Default::default()
    }
}

/// Keeps a copy, on a thread of its own.
fn follow(address: String, copy: Copy) {
    std::thread::spawn(move || {
        let followed = single_runtime().and_then(|runtime| runtime.block_on(watch(&address, &copy)));
        if let Err(error) = followed {
            eprintln!("NATS: the watch ended: {error}");
        }
    });
}

async fn watch(address: &str, copy: &Copy) -> Result<()> {
    let jetstream = jetstream::new(async_nats::connect(address).await?);
    let mut changes = jetstream.get_key_value(BUCKET).await?.watch_with_history(">").await?;
    while let Some(entry) = changes.next().await {
        let entry = entry?;
        copy.take(entry.key.as_bytes(), &entry.value);
    }
    Ok(())
}

impl Member for Nats {
    fn address(&self) -> Result<String> {
        Ok(self.address.clone())
    }

    fn holder(&self) -> u32 {
        self.server.as_ref().map_or(std::process::id(), Server::id)
    }

    fn put(&mut self, number: usize, said: u64) -> Result<()> {
        self.runtime.block_on(self.bucket.put(text(&key(number)), value(said, 0).to_vec().into()))?;
        Ok(())
    }

    fn put_all(&mut self, numbers: Range<usize>) -> Result<()> {
        let jetstream = &self.jetstream;
        let puts = futures::stream::iter(numbers).map(|number| async move {
            let subject = format!("$KV.{BUCKET}.{}", text(&key(number)));
            let accepted = jetstream.publish(subject, value(number as u64, 0).to_vec().into()).await?;
            accepted.await?;
            Result::Ok(())
        });
        self.runtime.block_on(puts.buffer_unordered(PUTS_IN_FLIGHT).try_collect::<()>())
    }

    fn get(&mut self, key: &Key) -> Result<usize> {
        Ok(self.runtime.block_on(self.bucket.get(text(key)))?.map_or(0, |value| value.len()))
    }

    fn get_all(&mut self, keys: &[Key]) -> Result<usize> {
        let bucket = &self.bucket;
        let gets = futures::stream::iter(keys)
            .map(|key| async move { Result::Ok(bucket.get(text(key)).await?.map_or(0, |value| value.len())) });
        let sum = gets.buffer_unordered(GETS_IN_FLIGHT).try_fold(0, |sum, bytes| async move { Ok(sum + bytes) });
        self.runtime.block_on(sum)
    }

    fn held(&mut self) -> Result<usize> {
        Ok(self.copy.held())
    }

    fn watch(&mut self, saw: Saw) -> Result<()> {
        self.copy.watch(saw);
        Ok(())
    }
}
