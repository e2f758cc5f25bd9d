/// <reference types="node" />

/**
 * A key: text stands for its UTF-8 bytes (a lone surrogate for those of U+FFFD). Every byte string is a key, the empty one too.
 * Order: by bytes.
 */
export type Key = string | Uint8Array;

/** How values look: as they are, as text, or as what JSON can hold. All nodes of a map should agree. */
export type Codec = 'buffer' | 'utf8' | 'json';

/** How keys look when they are read. As text, bytes that are not UTF-8 become U+FFFD. */
export type KeyForm = 'string' | 'buffer';

/** What a key of that form is read as. */
export type KeyOf<F extends KeyForm> = F extends 'buffer' ? Buffer : string;

/** What can be put where `V` is read. */
export type Writable<V> = [V] extends [Buffer] ? Uint8Array : V;

/**
 * Says yes to a value, or no: by returning something false or by throwing. Runs on the JavaScript thread, for local writes and
 * for everything that peers send (a peer's entries wait for it: at most 2 s, then the answer is no and they are offered again
 * at the next sync). It must answer at once, not with a promise.
 */
export type Validator<V, K> = (key: K, value: V) => boolean;

/**
 * Options of a map. What is not set comes from the node's options. Names may also be spelled as in the other languages
 * (`max_value_bytes`), and every option of the core's table is accepted, listed here or not.
 */
export interface MapOptions<V = Buffer, F extends KeyForm = 'string'> {
  /** How values look. Default: `'buffer'`. */
  codec?: Codec;
  /** How keys look when they are read. Default: `'string'`. */
  keys?: F;
  /** A function, or the names of declarative ones: `'utf8'`, `'json'`, `'max_bytes:<n>'`. */
  validator?: Validator<V, KeyOf<F>> | string | string[];
  /** Longest key. Default: 1024. */
  maxKeyBytes?: number;
  /** Longest value. Default: 1 MiB. */
  maxValueBytes?: number;
  /** Most live entries; a new key beyond says `P2PMAP_FULL`; of what others write twice as many are taken. Default: 0, no limit. */
  maxEntries?: number;
  /** Most bytes of keys and values; a put beyond says `P2PMAP_FULL`; of what others write twice as many are taken. Default: 0, no limit. */
  maxBytes?: number;
  /** How long what is written lasts: `'none'`, as long as a process that has it; `'async'`, on disk soon; `'sync'`, on disk when a write is done. Default: `'none'`. */
  durability?: 'none' | 'async' | 'sync';
  /** How often an `'async'` map is brought to the disk. Default: 1000. */
  fsyncIntervalMs?: number;
  /** When the disk fails: refuse writes, or go on in memory. Default: `'refuse'`. */
  onStorageError?: 'refuse' | 'memory';
  /** Whether every entry carries its author's signature, which nobody can forge. The same on every node. Default: false. */
  signed?: boolean;
  /** Who may write what, each `<peer id>` or `<prefix>=<peer id>`; others' puts say `P2PMAP_NOT_PERMITTED`. Needs `signed`. Default: everybody everything. */
  writers?: string | string[];
  /** Whether entries are visible only while their author is. The same on every node. Default: false. */
  presence?: boolean;
  /** When a put that says no ttl of its own expires. Default: 0, never. */
  defaultTtlMs?: number;
  /** How old a removal is before it may be forgotten. Default: 3,600,000. */
  tombstoneTtlMs?: number;
  /** How often to look for what may be forgotten. Default: 1000. */
  scanMs?: number;
  /** How long to know what a node that is gone has written; more than the longest partition. Default: 2,592,000,000, 30 days. */
  originRetentionMs?: number;
  [option: string]: unknown;
}

/** Options of a node, and the defaults of the maps opened on it. */
export interface NodeOptions<V = Buffer, F extends KeyForm = 'string'> extends MapOptions<V, F> {
  /** Where to listen: multiaddrs, or `host:port` for TCP and QUIC on that port. Default: `127.0.0.1:0`, any free port of loopback. */
  listen?: string | string[];
  /** Addresses to tell others beside the listen addresses. */
  externalAddrs?: string | string[];
  /** Members to join through, as multiaddrs or `host:port`: one that answers is enough, all are retried for ever. */
  bootstrap?: string | string[];
  /** Nodes with different cluster ids never exchange anything. Default: `default`. */
  clusterId?: string;
  /**
   * Only nodes that know one of these join, and all that is sent is sealed: the first seals, all open, so that they are changed one by
   * one. Each is 32 bytes in hex or base64 (`openssl rand -hex 32`), or `env:<variable>`, or `file:<path>`. Default: none.
   */
  clusterSecret?: string | string[];
  /** Peer ids: only these nodes join. Default: all that know the secret. */
  allowPeers?: string | string[];
  /** Nodes that never join, by peer id; `ban` adds to them at run time. */
  banPeers?: string | string[];
  /** The key that `generateIdentity` made there: who this node is. Default: that in `dataDir`, or a new one each time. */
  identityFile?: string;
  /** `tofu`: whom an address first led to is the only one taken there from then on; needs `dataDir`. Default: `any`. */
  trust?: 'any' | 'tofu';
  /** Allows to listen beyond loopback without a secret or a list of peers: whoever reaches the port can join. Default: false. */
  insecure?: boolean;
  /** Connections to keep, where the cluster has that many members. Default: 8. */
  targetPeers?: number;
  /** Connections to accept at most. Default: 128. */
  maxPeers?: number;
  /** How often to compare with one random peer. Default: 30,000. */
  antiEntropyMs?: number;
  /** On presence maps: an author is gone after so long without a sign of life. The same on every node. Default: 10,000. */
  peerTimeoutMs?: number;
  /** Entries stamped further ahead than this are set aside. Default: 60,000. */
  maxClockDriftMs?: number;
  /** Where the node's identity and its durable maps are kept: a directory for this node alone. */
  dataDir?: string;
  /** Maps that are opened at start, with their options. */
  maps?: Record<string, MapOptions<any, KeyForm>> | string | string[];
  /** A TOML file with options, read before those given here. */
  config?: string;
  /** Whether the environment variables `P2PMAP_*` count: over the file, under the options given here. Default: false. */
  env?: boolean;
}
