//! etcd: one member, and clients that list everything and then watch.

use std::ops::Range;
use std::time::Duration;

use etcd_client::{Client, GetOptions, KvClient, Txn, TxnOp, TxnOpResponse, WatchOptions};
use futures::{StreamExt, TryStreamExt, stream};
use p2pmap_bench::Result;
use p2pmap_bench::load::{Key, key, value};
use tokio::runtime::Runtime;

use super::copy::Copy;
use super::{Contender, Kind, Member, Saw, Setting, single_runtime, text};
use crate::server::{Server, data_directory, free_port, until};

pub const CONTENDER: Contender = Contender {
    name: "etcd",
    key: "etcd",
    is: Kind::Program("etcd", &["--version"]),
    open,
    notes: "one member, which is its best case; three when idle, because a cluster that survives the loss of one has as many. A process that \
        joins lists everything and then watches, and so has a copy in memory, which it could read as p2pmap's is read; its reads here ask \
        the server. Many entries go 128 in a transaction, 8 transactions at a time. More: reads and writes are linearizable, \
        transactions compare and set, and a write is synced to disk before it is accepted",
};

/// What the server allows in one transaction.
const BATCH: usize = 128;
const IN_FLIGHT: usize = 8;
const PAGE: usize = 10_000;
const MESSAGE_BYTES: usize = 64 << 20;

struct Etcd {
    runtime: Runtime,
    kv: KvClient,
    address: String,
    copy: Copy,
    servers: Vec<Server>,
}

fn open(setting: Setting) -> Result<Box<dyn Member>> {
    let runtime = single_runtime()?;
    let (servers, address) = match setting.join {
        Some(address) => (Vec::new(), address.to_owned()),
        None => cluster(if setting.idle { 3 } else { 1 })?,
    };
    let kv = until("etcd answers", || runtime.block_on(connect(&address)).ok())?.kv_client();
    let copy = Copy::default();
    if setting.join.is_some() {
        follow(address.clone(), copy.clone());
    }
    Ok(Box::new(Etcd { runtime, kv, address, copy, servers }))
}

/// Starts members that know each other; they, and the address of the first.
fn cluster(members: usize) -> Result<(Vec<Server>, String)> {
    let url = || Result::Ok(format!("http://127.0.0.1:{}", free_port()?));
    let urls: Vec<(String, String)> = (0..members).map(|_| Ok((url()?, url()?))).collect::<Result<_>>()?;
    let all: Vec<String> = urls.iter().enumerate().map(|(at, (_, peers))| format!("m{at}={peers}")).collect();
    let start = |(at, (clients, peers)): (usize, &(String, String))| {
        let (name, directory) = (format!("m{at}"), data_directory("etcd")?.display().to_string());
        let mut args = vec!["--name", &name, "--data-dir", &directory];
        args.extend(["--listen-client-urls", clients, "--advertise-client-urls", clients]);
        args.extend(["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]);
        let all = all.join(",");
        args.extend(["--initial-cluster", &all]);
        Server::start("etcd", &args)
    };
    let servers = urls.iter().enumerate().map(start).collect::<Result<_>>()?;
    Ok((servers, urls[0].0.clone()))
}

/// A client of a server that has a leader.
async fn connect(address: &str) -> Result<Client> {
    let mut client = Client::connect([address], None).await?;
    tokio::time::timeout(Duration::from_secs(1), client.get("ready", None)).await??;
    Ok(client)
}

/// Keeps a copy, on a thread of its own.
fn follow(address: String, copy: Copy) {
    std::thread::spawn(move || {
        let followed = single_runtime().and_then(|runtime| runtime.block_on(list_and_watch(&address, &copy)));
        if let Err(error) = followed {
            eprintln!("etcd: the watch ended: {error}");
        }
    });
}

async fn list_and_watch(address: &str, copy: &Copy) -> Result<()> {
    let client = connect(address).await?;
    let mut kv = client.kv_client().max_decoding_message_size(MESSAGE_BYTES);
    let (mut from, mut revision) = (vec![0], 0);
    loop {
        let options = GetOptions::new().with_from_key().with_limit(PAGE as i64).with_revision(revision);
        let page = kv.get(from, Some(options)).await?;
        if revision == 0 {
            revision = page.header().ok_or("a page without a header")?.revision();
        }
        page.kvs().iter().for_each(|kv| copy.take(kv.key(), kv.value()));
        match page.kvs().last() {
            Some(last) if page.more() => from = [last.key(), &[0]].concat(),
            _ => break,
        }
    }
    let options = WatchOptions::new().with_all_keys().with_start_revision(revision + 1).with_fragment();
    let mut changes = client.watch_client().max_decoding_message_size(MESSAGE_BYTES).watch(vec![0], Some(options)).await?;
    while let Some(change) = changes.message().await? {
        change.events().iter().filter_map(|event| event.kv()).for_each(|kv| copy.take(kv.key(), kv.value()));
    }
    Ok(())
}

impl Etcd {
    /// Does operations in transactions, several at a time; what all of them together brought, as `of` says of each answer.
    fn all(&self, operations: Vec<TxnOp>, of: fn(&TxnOpResponse) -> usize) -> Result<usize> {
        let batches: Vec<Vec<TxnOp>> = operations.chunks(BATCH).map(<[TxnOp]>::to_vec).collect();
        let answers = stream::iter(batches).map(|batch| {
            let mut kv = self.kv.clone();
            async move { kv.txn(Txn::new().and_then(batch)).await }
        });
        let sum = answers
            .buffer_unordered(IN_FLIGHT)
            .try_fold(0, |sum, answer| async move { Ok(sum + answer.op_responses().iter().map(of).sum::<usize>()) });
        Ok(self.runtime.block_on(sum)?)
    }
}

impl Member for Etcd {
    fn address(&self) -> Result<String> {
        Ok(self.address.clone())
    }

    fn holder(&self) -> u32 {
        self.servers.first().map_or(std::process::id(), Server::id)
    }

    fn put(&mut self, number: usize, said: u64) -> Result<()> {
        self.runtime.block_on(self.kv.put(key(number), value(said, 0), None))?;
        Ok(())
    }

    fn put_all(&mut self, numbers: Range<usize>) -> Result<()> {
        self.all(numbers.map(|number| TxnOp::put(key(number), value(number as u64, 0), None)).collect(), |_| 0)?;
        Ok(())
    }

    fn get(&mut self, key: &Key) -> Result<usize> {
        let answer = self.runtime.block_on(self.kv.get(text(key), None))?;
        Ok(answer.kvs().first().map_or(0, |kv| kv.value().len()))
    }

    fn get_all(&mut self, keys: &[Key]) -> Result<usize> {
        self.all(keys.iter().map(|key| TxnOp::get(text(key), None)).collect(), |answer| match answer {
            TxnOpResponse::Get(answer) => answer.kvs().iter().map(|kv| kv.value().len()).sum(),
            _ => 0,
        })
    }

    fn held(&mut self) -> Result<usize> {
        Ok(self.copy.held())
    }

    fn watch(&mut self, saw: Saw) -> Result<()> {
        self.copy.watch(saw);
        Ok(())
    }
}
