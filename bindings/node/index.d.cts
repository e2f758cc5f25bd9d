/// <reference types="node" />

import type { Key, KeyForm, KeyOf, MapOptions, NodeOptions, Writable } from './types/options.cjs';
import type { MapStatus, NodeStatus, PeerInfo } from './types/status.cjs';

export type * from './types/errors.cjs';
export type * from './types/options.cjs';
export type * from './types/status.cjs';

/** Identifies one write. The greater stamp wins: by timestamp, then by author. */
export declare class Stamp {
  private constructor();
  /**
   * The stamp of a write that was made elsewhere or told by other means, of its three parts.
   * @throws {P2PMAP_INVALID_ARGUMENT} a number of more than 64 bits
   */
  static of(timestamp: bigint, epoch: bigint, author: string): Stamp;
  /** Reading of the hybrid logical clock: 48 bits of milliseconds since the Unix epoch, then a 16-bit counter. */
  readonly timestamp: bigint;
  /** The milliseconds of `timestamp`: when it was written, by the author's clock. */
  readonly timeMs: number;
  /** Id of the node that wrote. */
  readonly author: string;
  /** Which opening of the map by its author. */
  readonly epoch: bigint;
  /** Equal for equal stamps only. */
  toString(): string;
  toJSON(): string;
}

/** A key's current state. */
export interface Entry<V = Buffer, K = string> {
  readonly key: K;
  readonly value: V;
  readonly stamp: Stamp;
  /** Id of the node that wrote it. */
  readonly author: string;
  /** When it was written, by the author's clock, in milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** When it expires, in milliseconds since the Unix epoch; undefined if it never does. */
  readonly expiresAtMs: number | undefined;
}

/** How an entry is put. */
export interface PutOptions {
  /**
   * How long the entry lives, in milliseconds: then it is absent on every node, and each tells its subscribers with an `expire`.
   * A later put renews. `null`: for ever. Default: the map's option `defaultTtlMs`.
   */
  ttlMs?: number | null;
}

/**
 * One change of the view: a `put`; a `remove`; an `expire`, when its time ran out; a `prune`, when its author left a map with the
 * option `presence`. `synced` ends a snapshot: its key is empty, and it has neither values nor a stamp.
 */
export interface MapEvent<V = Buffer, K = string> {
  readonly kind: 'put' | 'remove' | 'expire' | 'prune' | 'synced';
  readonly key: K;
  /**
   * The new value; of a `put` only.
   * @throws {P2PMAP_INVALID_VALUE} when looked at, if the map's codec cannot read it
   */
  readonly value: V | undefined;
  /**
   * What the view held before, if anything.
   * @throws {P2PMAP_INVALID_VALUE} when looked at, if the map's codec cannot read it
   */
  readonly oldValue: V | undefined;
  /** The write that made the change; of `expire` and `prune`, the one that put there what is gone. */
  readonly stamp: Stamp | undefined;
  /** Id of the node that made that write. */
  readonly author: string | undefined;
  /** Whether this map's own node made it. */
  readonly local: boolean;
}

/** What a scan covers. All bounds are optional and combine. Order: keys by bytes. */
export interface Range {
  /** Only keys that start with this. */
  prefix?: Key;
  /** Only keys from here, inclusive. */
  start?: Key;
  /** Only keys below this, exclusive. */
  end?: Key;
  /** At most this many. */
  limit?: number;
  /** From the greatest key down. */
  reverse?: boolean;
}

/** What a subscription or a watch covers. */
export interface SubscribeOptions {
  /** Only keys that start with this. */
  prefix?: Key;
  /** First a `put` for every entry, then `synced`, then the changes: nothing missed, nothing doubled. */
  snapshot?: boolean;
  /** Ends it: a subscription silently, a watch by throwing the signal's reason. */
  signal?: AbortSignal;
}

/** A listener's registration. It keeps the process alive until it ends or is `unref`ed. */
export interface Subscription extends Disposable {
  /** Whether the listener may still be called. Ends with the map, too. */
  readonly active: boolean;
  /** Ends it. The listener is not called again, not even for what already happened. Idempotent. */
  unsubscribe(): void;
  ref(): this;
  /** Lets the process exit when only unref'ed things are left. */
  unref(): this;
}

/**
 * Events, pulled one by one. It starts when `watch` is called, and ends when the map closes. A slow reader sees the newest change
 * of each key, in bounded memory. Who waits for an event keeps the process alive.
 */
export interface Watch<V = Buffer, K = string> extends AsyncIterableIterator<MapEvent<V, K>>, AsyncDisposable {
  next(): Promise<IteratorResult<MapEvent<V, K>, undefined>>;
  /** Ends it. `for await` does this when it is left. */
  return(): Promise<IteratorResult<MapEvent<V, K>, undefined>>;
  [Symbol.asyncIterator](): this;
}

/** Many puts and removes that travel as one delta and are applied whole. Values are looked at when `apply` is called. */
export declare class Batch<V = any> {
  constructor();
  /** @throws {P2PMAP_INVALID_ARGUMENT} a `ttlMs` that is no number above 0 */
  put(key: Key, value: Writable<V>, options?: PutOptions): this;
  remove(key: Key): this;
  clear(): this;
  /** Operations so far. */
  readonly length: number;
}

/**
 * This node's copy of a named replicated map. Reads and writes are local memory operations, and synchronous; writes travel
 * to the other copies in the background. What may wait is a promise.
 *
 * Made by `open` and `Node.map`; `V` and `K` follow from the options `codec` and `keys`.
 */
export declare class P2pMap<V = Buffer, K = string> implements Iterable<[K, V]>, Disposable, AsyncDisposable {
  private constructor();
  readonly name: string;
  /** Id of the node it is open on: the author of what is written here. */
  readonly nodeId: string;
  /** That node's listen addresses: what another node takes as `bootstrap`. */
  readonly addrs: string[];
  readonly closed: boolean;
  /**
   * Entries in the view.
   * @throws {P2PMAP_CLOSED}
   */
  readonly size: number;

  /**
   * The newest live value here, or undefined. A Buffer is a copy of its own.
   * @throws {P2PMAP_CLOSED}
   * @throws {P2PMAP_INVALID_VALUE} when the codec cannot read what was written
   */
  get(key: Key): V | undefined;

  /** @throws {P2PMAP_CLOSED} */
  has(key: Key): boolean;

  /**
   * Writes. Returns the stamp that the write is known by everywhere. On a map with `durability: 'sync'` it blocks until the disk has
   * it: use `putAsync` there.
   * @throws {P2PMAP_TOO_LARGE} key or value over its limit
   * @throws {P2PMAP_INVALID_VALUE} the validator said no
   * @throws {P2PMAP_INVALID_ARGUMENT} a value of the wrong type for the codec; a `ttlMs` that is not above 0, or above 100 years
   * @throws {P2PMAP_FULL}
   * @throws {P2PMAP_CLOSED}
   */
  put(key: Key, value: Writable<V>, options?: PutOptions): Stamp;

  /**
   * Removes. Returns whether a live value was there.
   * @throws {P2PMAP_CLOSED}
   */
  remove(key: Key): boolean;

  /**
   * Removes every key under a prefix, in one batch. Returns how many.
   * @throws {P2PMAP_TOO_LARGE} more than one batch can hold
   * @throws {P2PMAP_CLOSED}
   */
  removePrefix(prefix: Key): number;

  /**
   * Applies a batch whole, or not at all. Returns the last stamp, or undefined when nothing was written.
   * @throws {P2PMAP_TOO_LARGE}
   * @throws {P2PMAP_INVALID_VALUE}
   * @throws {P2PMAP_INVALID_ARGUMENT}
   * @throws {P2PMAP_FULL}
   * @throws {P2PMAP_CLOSED}
   */
  apply(batch: Batch<V>): Stamp | undefined;

  /**
   * A value with its stamp and its expiry, or undefined.
   * @throws {P2PMAP_CLOSED}
   * @throws {P2PMAP_INVALID_VALUE} when the codec cannot read what was written
   */
  entry(key: Key): Entry<V, K> | undefined;

  /**
   * Keys in order. A scan sees each key once and goes on while others write.
   * @throws {P2PMAP_CLOSED} at the first step
   */
  keys(range?: Range): IterableIterator<K>;
  /** Values in key order. @throws {P2PMAP_CLOSED} at the first step */
  values(range?: Range): IterableIterator<V>;
  /** Keys with values, in key order. @throws {P2PMAP_CLOSED} at the first step */
  entries(range?: Range): IterableIterator<[K, V]>;
  /** Entries with stamps, in key order. @throws {P2PMAP_CLOSED} at the first step */
  scan(range?: Range): IterableIterator<Entry<V, K>>;
  [Symbol.iterator](): IterableIterator<[K, V]>;
  forEach(callback: (value: V, key: K, map: this) => void, thisArg?: unknown): void;

  /**
   * Calls `listener` for every change of the view, never before this returns. What it throws is an uncaught exception.
   * @throws {P2PMAP_CLOSED}
   */
  subscribe(listener: (event: MapEvent<V, K>) => void, options?: SubscribeOptions): Subscription;

  /**
   * The same, for `for await`.
   * @throws {P2PMAP_CLOSED}
   */
  watch(options?: SubscribeOptions): Watch<V, K>;

  /**
   * `put`, `remove`, `removePrefix` and `apply` for maps with `durability: 'sync'`, where the ones without a promise keep the thread,
   * and so the event loop, until the disk has it. Written, and read, at once and in the order of the calls; what is awaited is the
   * disk, with one sync for all. They throw what those do, as rejections.
   * @throws {P2PMAP_STORAGE}
   */
  putAsync(key: Key, value: Writable<V>, options?: PutOptions): Promise<Stamp>;
  /** See `putAsync`. @throws {P2PMAP_STORAGE} */
  removeAsync(key: Key): Promise<boolean>;
  /** See `putAsync`. @throws {P2PMAP_STORAGE} */
  removePrefixAsync(prefix: Key): Promise<number>;
  /** See `putAsync`. @throws {P2PMAP_STORAGE} */
  applyAsync(batch: Batch<V>): Promise<Stamp | undefined>;

  /**
   * Settles when every write made here before is on disk: for maps with `durability: 'async'`.
   * @throws {P2PMAP_STORAGE}
   * @throws {P2PMAP_CLOSED}
   */
  flush(): Promise<void>;

  /**
   * Writes every entry to a file, as lines of JSON in key order. The file is there whole or not at all: it takes the place of an
   * older one when it is complete and on disk. Only its owner may read it.
   * @returns how many entries there are in it
   * @throws {P2PMAP_STORAGE} what was there before is as it was
   * @throws {P2PMAP_CLOSED}
   */
  dump(path: string | URL): Promise<number>;

  /**
   * Writes every entry of such a file into this map. They are new writes, which win over what is here and in the cluster. An entry's
   * expiry is kept: one whose time is over is left out, and one without any never expires. All of the file is checked before
   * anything is written.
   * @returns how many entries were written
   * @throws {P2PMAP_INVALID_ARGUMENT} a line is no entry: the message says which; nothing changed, here and in the next two cases
   * @throws {P2PMAP_TOO_LARGE}
   * @throws {P2PMAP_INVALID_VALUE}
   * @throws {P2PMAP_STORAGE} the file cannot be read
   * @throws {P2PMAP_FULL} the lines before are loaded
   * @throws {P2PMAP_CLOSED}
   */
  load(path: string | URL): Promise<number>;

  /**
   * Reconciles now with every connected peer; settles when equal with each.
   * @param timeoutMs default: 10,000
   * @throws {P2PMAP_TIMEOUT} what was under way goes on
   * @throws {P2PMAP_CLOSED}
   */
  sync(timeoutMs?: number): Promise<void>;

  /**
   * Waits until other nodes hold a write, or a later one to its key, and what its author wrote before.
   * @param stamp what `put` or `apply` returned, here or elsewhere
   * @param peers how many of the peers connected to this node. Default: 1
   * @param options `timeoutMs`: default 10,000. `signal`: gives up, with the signal's reason; what was under way ends by itself
   * @returns the ids of the peers that hold it: at least so many
   * @throws {P2PMAP_TIMEOUT} the message says how many hold it; the write goes on its way
   * @throws {P2PMAP_INVALID_ARGUMENT} when this copy itself does not hold the write
   * @throws {P2PMAP_CLOSED}
   */
  waitReplicated(stamp: Stamp, peers?: number, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<string[]>;

  /** @throws {P2PMAP_CLOSED} */
  status(): MapStatus;

  /** Stops this copy; the other nodes keep theirs. A map from `open` closes its node too. Idempotent. */
  close(): Promise<void>;

  /**
   * Closes, and deletes what this node stored of it; never a cluster-wide erase.
   * @throws {P2PMAP_STORAGE}
   */
  destroy(): Promise<void>;

  /** `close`, not waited for. */
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One process's participation in a cluster: an identity, a network endpoint, and the maps opened on it. */
export declare class Node implements Disposable, AsyncDisposable {
  private constructor();

  /**
   * Starts a node. It does not keep the process alive, and is closed when the process or the worker thread ends.
   * @throws {P2PMAP_INVALID_CONFIG} says which option, why, and what is allowed
   * @throws {P2PMAP_ADDRESS_IN_USE}
   * @throws {P2PMAP_NETWORK}
   */
  static open(options?: NodeOptions<any, KeyForm>): Promise<Node>;

  /** The node's peer id. */
  readonly id: string;
  /** Listen addresses, each ending in `/p2p/<id>`: what another node takes as `bootstrap`. */
  readonly addrs: string[];
  readonly closed: boolean;

  /**
   * Dials a peer and waits for the connection. The peer's id.
   * @throws {P2PMAP_INVALID_ARGUMENT} not an address
   * @throws {P2PMAP_NETWORK}
   * @throws {P2PMAP_TIMEOUT} default: after 10,000 ms
   * @throws {P2PMAP_CLOSED}
   */
  connect(addr: string, options?: { timeoutMs?: number }): Promise<string>;

  /**
   * Puts a node out: its connections end, it is forgotten, and not let in again while this node is open; the option `banPeers` does so from
   * the start. Every node decides for itself: call it on all of them. What it wrote stays.
   * @throws {P2PMAP_INVALID_ARGUMENT} not a peer id, or this node's own
   * @throws {P2PMAP_CLOSED}
   */
  ban(peer: string): void;
  /** The peer ids that are banned, sorted. @throws {P2PMAP_CLOSED} */
  banned(): string[];

  /** Connected peers. @throws {P2PMAP_CLOSED} */
  peers(): PeerInfo[];
  /** @throws {P2PMAP_CLOSED} */
  status(): NodeStatus;

  /**
   * Opens a map. The same name again gives the same map.
   * @throws {P2PMAP_INVALID_CONFIG} a bad option, or others than the map was opened with
   * @throws {P2PMAP_CLOSED}
   */
  map<F extends KeyForm = 'string'>(
    name: string,
    options?: MapOptions<Buffer, F> & { codec?: 'buffer' },
  ): Promise<P2pMap<Buffer, KeyOf<F>>>;
  map<F extends KeyForm = 'string'>(
    name: string,
    options: MapOptions<string, F> & { codec: 'utf8' },
  ): Promise<P2pMap<string, KeyOf<F>>>;
  map<V = unknown, F extends KeyForm = 'string'>(
    name: string,
    options: MapOptions<V, F> & { codec: 'json' },
  ): Promise<P2pMap<V, KeyOf<F>>>;

  /** Names of the maps open here. @throws {P2PMAP_CLOSED} */
  maps(): string[];

  /** Says goodbye to peers and closes every map. Idempotent. */
  close(): Promise<void>;
  /** `close`, not waited for. */
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a map on a node of its own: the two-line start.
 *
 * ```js
 * const flags = await open('flags', { bootstrap: 'seed.example:7400', codec: 'json' });
 * flags.put('dark_mode', { on: true });
 * ```
 *
 * @throws {P2PMAP_INVALID_CONFIG} says which option, why, and what is allowed
 * @throws {P2PMAP_ADDRESS_IN_USE}
 * @throws {P2PMAP_NETWORK}
 */
export declare function open<F extends KeyForm = 'string'>(
  name: string,
  options?: NodeOptions<Buffer, F> & { codec?: 'buffer' },
): Promise<P2pMap<Buffer, KeyOf<F>>>;
export declare function open<F extends KeyForm = 'string'>(
  name: string,
  options: NodeOptions<string, F> & { codec: 'utf8' },
): Promise<P2pMap<string, KeyOf<F>>>;
export declare function open<V = unknown, F extends KeyForm = 'string'>(
  name: string,
  options: NodeOptions<V, F> & { codec: 'json' },
): Promise<P2pMap<V, KeyOf<F>>>;

/**
 * Makes an identity, a new Ed25519 key, and keeps it in a new file, which only its owner may read: a node's `identityFile`. The peer id of
 * a node with it: what `allowPeers`, `banPeers` and `writers` of others name.
 * @throws {P2PMAP_INVALID_ARGUMENT} there is something at that path
 * @throws {P2PMAP_STORAGE} nothing is left there
 */
export declare function generateIdentity(path: string): Promise<string>;

/** The version of the native library. */
export declare const version: string;
