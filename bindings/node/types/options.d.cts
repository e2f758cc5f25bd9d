/// <reference types="node" />

/** A key: text stands for its UTF-8 bytes. Every byte string is a key, the empty one too. Order: by bytes. */
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
  /** A function, or the name of a declarative one: `'utf8'`, `'json'`, `'json_schema:<file>'`, `'max_bytes:<n>'`. */
  validator?: Validator<V, KeyOf<F>> | string;
  /** Longest key. Default: 1024. */
  maxKeyBytes?: number;
  /** Longest value. Default: 1 MiB. */
  maxValueBytes?: number;
  /** Most entries; a put beyond says `P2PMAP_FULL`. */
  maxEntries?: number;
  /** Most bytes of keys and values; a put beyond says `P2PMAP_FULL`. */
  maxBytes?: number;
  /** How long removals are remembered. Default: 3,600,000. */
  tombstoneTtlMs?: number;
  [option: string]: unknown;
}

/** Options of a node, and the defaults of the maps opened on it. */
export interface NodeOptions<V = Buffer, F extends KeyForm = 'string'> extends MapOptions<V, F> {
  /** Addresses to listen on, as multiaddrs. Default: loopback, on a port the system chooses. */
  listen?: string | string[];
  /** Addresses of members to join through: one that is reachable is enough. Retried for ever. */
  bootstrap?: string | string[];
  /** Nodes with another cluster id never exchange anything. */
  clusterId?: string;
  /** Allows to listen beyond loopback without a secret. */
  insecure?: boolean;
  /** How often two nodes compare what they hold, when nothing else made them. Default: 30,000. */
  antiEntropyMs?: number;
  /** Connections to keep. */
  targetPeers?: number;
  /** Maps that are opened at start, with their options. */
  maps?: Record<string, MapOptions<any, KeyForm>> | string | string[];
  /** A TOML file with options, read before those given here. */
  config?: string;
  /** Whether the environment variables `P2PMAP_*` count: over the file, under the options given here. Default: false. */
  env?: boolean;
}
