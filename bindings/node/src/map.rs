//! A map: everything but the four functions of `hot`.

use napi::Env;
use napi::bindgen_prelude::{BigInt, Buffer, BufferSlice, Function, Object, Uint8ArraySlice};
use napi::threadsafe_function::UnknownReturnValue;
use napi_derive::napi;
use p2pmap::{Batch, Durability, Error, ErrorKind, Map, Stamp, SubscribeOptions};

use crate::flat::{ENTRIES_BYTES, Flat};
use crate::hot::{self, stamp_bytes};
use crate::node::millis;
use crate::outcome::{promise, run};
use crate::scan::{Range, ScanHandle};
use crate::status::JsMapStatus;
use crate::ttl::Ttl;
use crate::watch::WatchHandle;

/// This node's copy of a map.
#[napi]
pub struct MapHandle {
    map: Map,
}

impl MapHandle {
    pub fn new(map: Map) -> Self {
        Self { map }
    }
}

#[napi]
impl MapHandle {
    #[napi(getter)]
    pub fn name(&self) -> String {
        self.map.name().to_owned()
    }

    /// The id of its node, and so the author of its writes.
    #[napi(getter)]
    pub fn author(&self) -> String {
        self.map.node().id().to_string()
    }

    #[napi(getter)]
    pub fn addrs(&self) -> Vec<String> {
        self.map.node().addrs()
    }

    #[napi(getter)]
    pub fn closed(&self) -> bool {
        self.map.is_closed()
    }

    /// The functions of `hot`, over this scratch buffer.
    #[napi]
    pub fn functions<'env>(&self, env: &'env Env, scratch: Buffer) -> napi::Result<Object<'env>> {
        hot::functions(env, &self.map, scratch)
    }

    /// `get` for what does not fit into the scratch.
    #[napi]
    pub fn get_bytes<'env>(&self, env: &'env Env, key: Uint8ArraySlice<'_>) -> napi::Result<Option<BufferSlice<'env>>> {
        let value = run(env, || self.map.get(&*key))?;
        value.map(|value| BufferSlice::copy_from(env, &*value)).transpose()
    }

    /// `has` for what does not fit into the scratch.
    #[napi]
    pub fn has_bytes(&self, env: &Env, key: Uint8ArraySlice<'_>) -> napi::Result<bool> {
        run(env, || self.map.contains(&*key))
    }

    /// `put` for what does not fit into the scratch; `ttl` as `Ttl::parse` takes it. Returns the stamp.
    #[napi]
    pub fn put_bytes(&self, env: &Env, key: Uint8ArraySlice<'_>, value: Uint8ArraySlice<'_>, ttl: f64) -> napi::Result<Buffer> {
        // Copies: a validator may run JavaScript, which could write to these.
        let (key, value) = (key.to_vec(), value.to_vec());
        let stamp = run(env, || Ttl::parse(ttl)?.put(&self.map, key, value))?;
        Ok(Buffer::from(stamp_bytes(&stamp).to_vec()))
    }

    /// `remove` for what does not fit into the scratch.
    #[napi]
    pub fn remove_bytes(&self, env: &Env, key: Uint8ArraySlice<'_>) -> napi::Result<bool> {
        run(env, || self.map.remove(&*key))
    }

    /// How many were removed.
    #[napi]
    pub fn remove_prefix(&self, env: &Env, prefix: Uint8ArraySlice<'_>) -> napi::Result<f64> {
        run(env, || Ok(self.map.remove_prefix(&*prefix)? as f64))
    }

    /// The entry, as a batch of one.
    #[napi]
    pub fn entry(&self, env: &Env, key: Uint8ArraySlice<'_>) -> napi::Result<Option<Buffer>> {
        let entry = run(env, || self.map.entry(&*key))?;
        Ok(entry.and_then(|entry| {
            let mut flat = Flat::new(ENTRIES_BYTES);
            flat.entry(&entry, true);
            flat.finish().map(Buffer::from)
        }))
    }

    /// Applies a batch: for each operation u8 1 to put or 0 to remove, u32 length of key and of value, f64 ttl as `Ttl::parse`
    /// takes it, then key and value. Returns the last stamp, if anything was written.
    #[napi]
    pub fn apply(&self, env: &Env, operations: Uint8ArraySlice<'_>) -> napi::Result<Option<Buffer>> {
        let stamp = run(env, || self.map.apply(&batch(&operations)?))?;
        Ok(stamp.map(|stamp| Buffer::from(stamp_bytes(&stamp).to_vec())))
    }

    #[napi]
    pub fn scan(&self, env: &Env, range: Range, with_values: bool) -> napi::Result<ScanHandle> {
        let scan = run(env, || self.map.scan(range.into()))?;
        Ok(ScanHandle::new(scan, with_values))
    }

    #[napi]
    pub fn watch(
        &self,
        env: &Env,
        prefix: Uint8ArraySlice<'_>,
        snapshot: bool,
        wake: Function<'_, (), UnknownReturnValue>,
    ) -> napi::Result<WatchHandle> {
        WatchHandle::start(env, &self.map, SubscribeOptions { prefix: prefix.to_vec(), snapshot }, &wake)
    }

    #[napi]
    pub fn status(&self, env: &Env) -> napi::Result<JsMapStatus> {
        run(env, || self.map.status().map(JsMapStatus::from))
    }

    /// A promise of nothing.
    #[napi]
    pub fn sync<'env>(&self, env: &'env Env, timeout_ms: f64) -> napi::Result<Object<'env>> {
        let map = self.map.clone();
        promise(env, move || map.sync(millis(timeout_ms)), |()| ())
    }

    /// A promise of the ids of the peers that hold the write of this timestamp, epoch and author.
    #[napi]
    pub fn wait_replicated<'env>(
        &self,
        env: &'env Env,
        timestamp: BigInt,
        epoch: BigInt,
        author: String,
        peers: f64,
        timeout_ms: f64,
    ) -> napi::Result<Object<'env>> {
        let map = self.map.clone();
        let wait = move || {
            let stamp = Stamp::new(timestamp.get_u64().1, epoch.get_u64().1, author.parse()?);
            map.wait_replicated(&stamp, peers as usize, millis(timeout_ms))
        };
        promise(env, wait, |holders| holders.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    /// Whether writes wait for the disk.
    #[napi(getter)]
    pub fn waits(&self) -> bool {
        self.map.durability() == Durability::Sync
    }

    /// A handle to the same map whose writes do not wait for the disk; `flush` does.
    #[napi]
    pub fn deferred(&self) -> Self {
        Self { map: self.map.deferred() }
    }

    /// A promise of nothing.
    #[napi]
    pub fn flush<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let map = self.map.clone();
        promise(env, move || map.flush(), |()| ())
    }

    /// A promise of how many entries were written.
    #[napi]
    pub fn dump<'env>(&self, env: &'env Env, path: String) -> napi::Result<Object<'env>> {
        let map = self.map.clone();
        promise(env, move || map.dump(path), |count| count as f64)
    }

    /// A promise of how many entries were read.
    #[napi]
    pub fn load<'env>(&self, env: &'env Env, path: String) -> napi::Result<Object<'env>> {
        let map = self.map.clone();
        promise(env, move || map.load(path), |count| count as f64)
    }

    /// A promise of nothing.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let map = self.map.clone();
        promise(
            env,
            move || {
                map.close();
                Ok(())
            },
            |()| (),
        )
    }

    /// A promise of nothing.
    #[napi]
    pub fn destroy<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let map = self.map.clone();
        promise(env, move || map.destroy(), |()| ())
    }
}

fn batch(mut operations: &[u8]) -> p2pmap::Result<Batch> {
    let mut batch = Batch::new();
    while let Some((head, rest)) = operations.split_first_chunk::<17>() {
        let [put, k0, k1, k2, k3, v0, v1, v2, v3, ttl @ ..] = *head;
        let key_len = u32::from_le_bytes([k0, k1, k2, k3]) as usize;
        let value_len = u32::from_le_bytes([v0, v1, v2, v3]) as usize;
        let (key, rest) = rest.split_at_checked(key_len).ok_or_else(cut_off)?;
        let (value, rest) = rest.split_at_checked(value_len).ok_or_else(cut_off)?;
        if put == 1 {
            Ttl::parse(f64::from_le_bytes(ttl))?.add(&mut batch, key, value);
        } else {
            batch.remove(key);
        }
        operations = rest;
    }
    Ok(batch)
}

fn cut_off() -> Error {
    Error::new(ErrorKind::InvalidArgument, "a batch that ends within an operation")
}
