//! Every bound, in one place, with the relations between them checked when this compiles.

/// A key's bytes at most, unless `max_key_bytes` says less or more.
pub const DEFAULT_MAX_KEY_BYTES: usize = 1024;
/// `max_key_bytes` can be no more than this.
pub const MAX_KEY_BYTES: usize = 64 * 1024;
/// A value's bytes at most, unless `max_value_bytes` says less or more.
pub const DEFAULT_MAX_VALUE_BYTES: usize = 1024 * 1024;
/// `max_value_bytes` can be no more than this.
pub const MAX_VALUE_BYTES: usize = 4 * 1024 * 1024;
/// A map's name, in bytes of UTF-8.
pub const MAX_MAP_NAME_BYTES: usize = 255;
/// A time to live: a hundred years.
pub const MAX_TTL_MS: u64 = 3_155_760_000_000;
/// Maps open on one node.
pub const MAX_MAPS: usize = 4096;
/// A batch's keys and values together, in bytes: a batch travels as one delta.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024 + MAX_KEY_BYTES;
/// A batch's operations.
pub const MAX_BATCH_ENTRIES: usize = 65_536;
/// The same, on a signed map.
pub const MAX_SIGNED_BATCH_ENTRIES: usize = 16_384;
/// A cluster id, in bytes of UTF-8.
pub const MAX_CLUSTER_ID_BYTES: usize = 255;
/// A peer id's bytes.
pub const MAX_PEER_ID_BYTES: usize = 64;

/// Where a delta stops taking further keys from the outbox: one gossip message.
pub const DELTA_TARGET_BYTES: usize = 16 * 1024;
/// An encoded delta at most: one batch, or one entry of the greatest size, with its frame.
pub const MAX_DELTA_BYTES: usize = 8 * 1024 * 1024;
/// Keys in a delta.
pub const MAX_DELTA_ENTRIES: usize = MAX_BATCH_ENTRIES;
/// Where a sync page stops taking further entries.
pub const PAGE_TARGET_BYTES: usize = 1024 * 1024;
/// An encoded sync message at most: a page with one more entry of the greatest size, and a context.
pub const MAX_SYNC_BYTES: usize = 12 * 1024 * 1024;
/// Entries in a sync page.
pub const MAX_PAGE_ENTRIES: usize = 131_072;
/// Origins in a causal context.
pub const MAX_ORIGINS: usize = 16_384;
/// Origins that one message names: those of its vectors, and those of its entries.
pub const MAX_NAMED_ORIGINS: usize = 2 * MAX_ORIGINS;
/// Ranges beyond a gap that a replica keeps for one origin.
pub const MAX_RANGES: usize = 1024;
/// Maps that one sync request may name.
pub const MAX_SYNC_MAPS: usize = MAX_MAPS;
/// Members that one peer exchange message may name.
pub const MAX_MEMBERS: usize = 256;
/// Addresses that a member may have.
pub const MAX_MEMBER_ADDRS: usize = 16;
/// An address, in bytes.
pub const MAX_ADDR_BYTES: usize = 512;
/// A peer exchange message at most.
pub const MAX_MEMBERS_BYTES: usize = 256 * 1024;
/// Members that a node remembers.
pub const MAX_KNOWN_MEMBERS: usize = 4096;
/// Tombstones that are forgotten under one holding of a map's writer lock.
pub const MAX_SWEEP: usize = 1024;
/// Authors of entries from too far ahead that are named.
pub const MAX_AHEAD_AUTHORS: usize = 64;
/// Inbound connections that have not proved who they are yet; and of those the ones from one address.
pub const MAX_PENDING: u32 = 128;
pub const MAX_PENDING_OF_ADDRESS: usize = 32;
/// Requests of one peer that are answered at once, and from then on in each second.
pub const REQUESTS_AT_ONCE: u32 = 20_000;
pub const REQUESTS_PER_SECOND: u32 = 10_000;
/// What others write is taken up to so many times a map's `max_entries` and `max_bytes`: nodes that were apart may each have
/// filled it.
pub const FLOOD_FACTOR: u64 = 2;
/// Writes that wait in an outbox for the network; older ones are left to a sync.
pub const MAX_OUTBOX_ENTRIES: usize = 262_144;
/// Everything that a durable map keeps of one entry, or of one origin.
pub const MAX_ROW_BYTES: usize = MAX_VALUE_BYTES + 64 * 1024;
/// A frame of a stored file, in bytes: one row fits in one.
pub const MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;

/// The proof of who wrote an entry, at most.
pub const MAX_PROOF_BYTES: usize = 96;
/// The frame around one entry on the wire, generously.
const ENTRY_FRAME_BYTES: usize = 64;

const _: () = {
    assert!(DEFAULT_MAX_KEY_BYTES <= MAX_KEY_BYTES);
    assert!(DEFAULT_MAX_VALUE_BYTES <= MAX_VALUE_BYTES);
    assert!(MAX_BATCH_BYTES >= MAX_KEY_BYTES + MAX_VALUE_BYTES);
    assert!(MAX_DELTA_BYTES >= MAX_BATCH_BYTES + MAX_BATCH_ENTRIES * ENTRY_FRAME_BYTES / 2);
    assert!(MAX_DELTA_BYTES >= MAX_BATCH_BYTES + MAX_SIGNED_BATCH_ENTRIES * (ENTRY_FRAME_BYTES / 2 + MAX_PROOF_BYTES + 2));
    assert!(MAX_SYNC_BYTES >= PAGE_TARGET_BYTES + MAX_KEY_BYTES + MAX_VALUE_BYTES + MAX_ORIGINS * 128);
    assert!(MAX_SYNC_BYTES >= PAGE_TARGET_BYTES + MAX_DELTA_BYTES + MAX_NAMED_ORIGINS * 64);
    assert!(MAX_PAGE_ENTRIES / 2 >= MAX_BATCH_ENTRIES);
    assert!(MAX_FRAME_BYTES >= 2 * MAX_ROW_BYTES);
    assert!(DELTA_TARGET_BYTES < PAGE_TARGET_BYTES);
    assert!(REQUESTS_AT_ONCE >= REQUESTS_PER_SECOND);
    assert!(2 * MAX_PENDING_OF_ADDRESS <= MAX_PENDING as usize);
};
