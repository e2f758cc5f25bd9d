//! Who wrote what, and when
//!
//! A stamp identifies one write; the greater stamp wins. A digest says with 32 bytes what state a replica is in.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use p2pmap::{Digest, Error, ErrorKind, PeerId, Result, Stamp};

use crate::bytes::pointer;
use crate::error::{P2PMAP_BUFFER_TOO_SMALL, P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::guard;
use crate::handle::{is_null, required};
use crate::input;

/// The most bytes a peer id has.
pub const P2PMAP_PEER_ID_BYTES: usize = 64;
/// Room for any peer id as text, with its final NUL.
pub const P2PMAP_PEER_ID_TEXT_BYTES: usize = 96;
/// Room for a digest as text, with its final NUL.
pub const P2PMAP_DIGEST_TEXT_BYTES: usize = 65;

/// Who a node is: the libp2p peer id. Bytes beyond `len` are zero, and a `len` of 0 means nobody.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct p2pmap_peer_id {
    pub len: usize,
    pub bytes: [u8; 64],
}

/// Identifies one write.
///
/// `timestamp` is the author's hybrid clock: 48 bits of milliseconds since the Unix epoch, then a counter of 16 bits.
/// `epoch` says which opening of the map by its author. There is no padding, so stamps may be compared with `memcmp`
/// for equality; their order is `p2pmap_stamp_compare`. The three parts are the whole stamp: told to another process, they
/// are the same stamp there.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct p2pmap_stamp {
    pub timestamp: u64,
    pub epoch: u64,
    pub author: p2pmap_peer_id,
}

/// Equal digests mean equal replicas.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct p2pmap_digest {
    pub bytes: [u8; 32],
}

impl p2pmap_peer_id {
    pub(crate) const NOBODY: Self = Self { len: 0, bytes: [0; P2PMAP_PEER_ID_BYTES] };

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len.min(self.bytes.len())]
    }
}

impl From<&PeerId> for p2pmap_peer_id {
    #[inline]
    fn from(id: &PeerId) -> Self {
        let mut copy = Self::NOBODY;
        let bytes = id.as_bytes();
        copy.len = bytes.len().min(copy.bytes.len());
        copy.bytes[..copy.len].copy_from_slice(&bytes[..copy.len]);
        copy
    }
}

impl p2pmap_stamp {
    pub(crate) const NONE: Self = Self { timestamp: 0, epoch: 0, author: p2pmap_peer_id::NOBODY };

    /// The stamp that a caller passes. Errors: `InvalidArgument` for one that no write can have.
    pub(crate) fn read(&self) -> Result<Stamp> {
        let author = PeerId::from_bytes(self.author.as_slice())
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, "`stamp` names no author: it is no write's"))?;
        Ok(Stamp::new(self.timestamp, self.epoch, author))
    }
}

impl From<&Stamp> for p2pmap_stamp {
    #[inline]
    fn from(stamp: &Stamp) -> Self {
        Self { timestamp: stamp.timestamp(), epoch: stamp.epoch(), author: stamp.author().into() }
    }
}

impl From<Digest> for p2pmap_digest {
    fn from(digest: Digest) -> Self {
        Self { bytes: digest.0 }
    }
}

/// Writes a peer id as text in base58, with a final NUL. `P2PMAP_BUFFER_TOO_SMALL` when `capacity` is less than it
/// needs; `P2PMAP_PEER_ID_TEXT_BYTES` is always enough.
///
/// Ownership: borrows `id`; writes into the caller's `text`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_peer_id_text(
    id: Option<&p2pmap_peer_id>,
    text: *mut c_char,
    capacity: usize,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let id = PeerId::from_bytes(required(id, "id")?.as_slice())?;
        // SAFETY: the caller gives `capacity` bytes at `text`.
        unsafe { write_text(&id.to_string(), text, capacity) }
    })
}

/// Reads a peer id from its text. `P2PMAP_INVALID_ARGUMENT` when it is none.
///
/// Ownership: borrows `text`; writes into the caller's `id`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_peer_id_parse(
    text: *const c_char,
    id: Option<&mut MaybeUninit<p2pmap_peer_id>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let id = required(id, "id")?;
        // SAFETY: the caller passes a NUL-terminated string.
        let parsed: PeerId = unsafe { input::text(text, "text") }?.parse()?;
        id.write((&parsed).into());
        Ok(P2PMAP_OK)
    })
}

/// Which of two stamps is greater: below zero when `a` is less than `b`, zero when they are equal, above zero
/// otherwise. By timestamp, then author, then epoch. NULL is less than any stamp.
///
/// Ownership: borrows both.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_stamp_compare(a: Option<&p2pmap_stamp>, b: Option<&p2pmap_stamp>) -> i32 {
    fn order(stamp: &p2pmap_stamp) -> (u64, &[u8], u64) {
        (stamp.timestamp, stamp.author.as_slice(), stamp.epoch)
    }
    a.map(order).cmp(&b.map(order)) as i32
}

/// Writes a digest as 64 hexadecimal digits and a final NUL. `P2PMAP_BUFFER_TOO_SMALL` when `capacity` is less than
/// `P2PMAP_DIGEST_TEXT_BYTES`.
///
/// Ownership: borrows `digest`; writes into the caller's `text`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_digest_text(
    digest: Option<&p2pmap_digest>,
    text: *mut c_char,
    capacity: usize,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let digest = Digest(required(digest, "digest")?.bytes);
        // SAFETY: the caller gives `capacity` bytes at `text`.
        unsafe { write_text(&digest.to_string(), text, capacity) }
    })
}

/// # Safety
/// `out` is NULL or has `capacity` bytes.
unsafe fn write_text(text: &str, out: *mut c_char, capacity: usize) -> Result<p2pmap_status> {
    if out.is_null() {
        return Err(is_null("text"));
    }
    let (data, len) = pointer(text.as_bytes());
    if len >= capacity {
        return Ok(P2PMAP_BUFFER_TOO_SMALL);
    }
    // SAFETY: `len` and the final NUL fit into the `capacity` bytes at `out`, which are not ours.
    unsafe {
        out.cast::<c_void>().cast::<u8>().copy_from_nonoverlapping(data, len);
        out.add(len).write(0);
    }
    Ok(P2PMAP_OK)
}
