//! Identities
//!
//! Who a node is, and whom it wants nothing to do with.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use p2pmap::PeerId;

use crate::error::{P2PMAP_OK, p2pmap_error, p2pmap_status};
use crate::guard::guard;
use crate::handle::{live, required};
use crate::input;
use crate::node::p2pmap_node;
use crate::peer::p2pmap_string_list;
use crate::stamp::p2pmap_peer_id;

/// Makes an identity, a new Ed25519 key, and keeps it in a new file, which only its owner may read: a node opened with that path as
/// `identity_file` has the peer id that is written to `peer`, which the `allow_peers`, `ban_peers` and `writers` of others name.
/// NULL for `peer` if it is not asked for. `P2PMAP_INVALID_ARGUMENT` when there is something at that path, `P2PMAP_STORAGE`;
/// nothing is left there then.
///
/// Ownership: borrows `path`; writes into the caller's `peer`.
/// Threads: any.
/// Blocks: on the disk.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn p2pmap_generate_identity(
    path: *const c_char,
    peer: Option<&mut MaybeUninit<p2pmap_peer_id>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        // SAFETY: the caller passes a NUL-terminated string.
        let path = unsafe { input::text(path, "path") }?;
        let made = p2pmap::generate_identity(path)?;
        if let Some(peer) = peer {
            peer.write((&made).into());
        }
        Ok(P2PMAP_OK)
    })
}

/// Puts a node out: its connections end, it is forgotten, and not let in again while this node is open, at neither end;
/// the option `ban_peers` does so from the start. Every node decides for itself: call it on all of them. What it wrote
/// stays. `P2PMAP_INVALID_ARGUMENT` for this node's own id.
///
/// Ownership: borrows `id`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_ban(
    node: Option<&p2pmap_node>,
    id: Option<&p2pmap_peer_id>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let id = PeerId::from_bytes(required(id, "id")?.as_slice())?;
        live(node)?.node.ban(&id)?;
        Ok(P2PMAP_OK)
    })
}

/// The peer ids that are banned, as text, sorted.
///
/// Ownership: `*peers` is the caller's, to be freed with `p2pmap_string_list_free`.
/// Threads: any.
/// Blocks: no.
#[unsafe(no_mangle)]
pub extern "C" fn p2pmap_node_banned(
    node: Option<&p2pmap_node>,
    peers: Option<&mut MaybeUninit<p2pmap_string_list>>,
    error: Option<&mut MaybeUninit<*mut p2pmap_error>>,
) -> p2pmap_status {
    guard(error, || {
        let (node, peers) = (live(node)?, required(peers, "peers")?);
        peers.write(p2pmap_string_list::new(node.node.banned()?.iter().map(PeerId::to_string)));
        Ok(P2PMAP_OK)
    })
}
