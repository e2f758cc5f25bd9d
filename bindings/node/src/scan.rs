//! An ordered scan, read in batches.

use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use p2pmap::{Scan, ScanOptions};

use crate::flat::{ENTRIES_BYTES, Flat};
use crate::outcome::run;

/// What a scan covers.
#[napi(object)]
pub struct Range {
    pub prefix: Buffer,
    pub start: Option<Buffer>,
    pub end: Option<Buffer>,
    pub limit: Option<f64>,
    pub reverse: bool,
}

impl From<Range> for ScanOptions {
    fn from(range: Range) -> Self {
        Self {
            prefix: range.prefix.to_vec(),
            start: range.start.map(|start| start.to_vec()),
            end: range.end.map(|end| end.to_vec()),
            limit: range.limit.map(|limit| limit as usize),
            reverse: range.reverse,
        }
    }
}

/// A scan under way.
#[napi]
pub struct ScanHandle {
    scan: Scan,
    with_values: bool,
}

impl ScanHandle {
    pub fn new(scan: Scan, with_values: bool) -> Self {
        Self { scan, with_values }
    }
}

#[napi]
impl ScanHandle {
    /// The next batch of entries; nothing at the end.
    #[napi]
    pub fn read(&mut self, env: &Env) -> napi::Result<Option<Buffer>> {
        run(env, || {
            let mut flat = Flat::new(ENTRIES_BYTES);
            while !flat.is_full()
                && let Some(entry) = self.scan.next()
            {
                flat.entry(&entry, self.with_values);
            }
            Ok(flat.finish().map(Buffer::from))
        })
    }
}
