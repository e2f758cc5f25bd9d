'use strict';

const { fileURLToPath } = require('node:url');

const { Batch } = require('./batch.cjs');
const { anyKey, codecs, encode, kindOf, write } = require('./codecs.cjs');
const { invalidArgument } = require('./errors.cjs');
const { Subscription, Watch } = require('./events.cjs');
const { entries } = require('./flat.cjs');
const { Flusher } = require('./flusher.cjs');
const { checkedObject, checkedSignal } = require('./options.cjs');
const { readerOf } = require('./reader.cjs');
const { scratch, words } = require('./scratch.cjs');
const { Stamp } = require('./stamp.cjs');
const { lifetime } = require('./ttl.cjs');

const NOTHING = Buffer.alloc(0);
const DEFAULT_WAIT_MS = 10_000;

/** This node's copy of a named replicated map. Made by `open` and `node.map`. */
class P2pMap {
  #native;
  /** Writes that do not wait for the disk. */
  #deferred;
  #flusher;
  #codecs;
  #values;
  #author;
  #reader;
  #has;
  #put;
  #putTtl;
  #remove;
  #size;

  /** Only for `open` and `Node.map`, which have a native handle. */
  constructor(native, options) {
    if (!native) throw invalidArgument('a map is opened with: await open(name, options)');
    this.#native = native;
    this.#deferred = native.deferred();
    this.#flusher = new Flusher(() => native.flush());
    this.#codecs = codecs(options);
    this.#values = this.#codecs.values;
    this.#author = native.author;
    const functions = native.functions(scratch);
    this.#reader = readerOf(native, functions, this.#values);
    this.#has = functions.has;
    this.#put = functions.put;
    this.#putTtl = functions.putTtl;
    this.#remove = functions.remove;
    this.#size = functions.size;
  }

  get name() {
    return this.#native.name;
  }

  get nodeId() {
    return this.#author;
  }

  get addrs() {
    return this.#native.addrs;
  }

  get closed() {
    return this.#native.closed;
  }

  get size() {
    return this.#size();
  }

  get(key) {
    const value = this.#reader.read(key);
    return value === undefined ? undefined : this.#values.finish(value);
  }

  has(key) {
    return this.#has(anyKey.pass(key)) ?? this.#native.hasBytes(anyKey.encode(key));
  }

  put(key, value, options) {
    // What may run the user's code, and so use the scratch, comes first.
    const ttl = lifetime(options);
    const plain = this.#values.plain(value);
    const passed = anyKey.pass(key);
    const length = write(plain);
    const done = length >= 0 && (options === undefined ? this.#put(passed, length) : this.#putTtl(passed, length, ttl));
    if (!done) return this.#stamp(this.#native.putBytes(anyKey.encode(key), encode(plain), ttl));
    return new Stamp(words[0], words[1], words[2], words[3], this.#author);
  }

  remove(key) {
    return this.#remove(anyKey.pass(key)) ?? this.#native.removeBytes(anyKey.encode(key));
  }

  removePrefix(prefix) {
    return this.#native.removePrefix(anyKey.encode(prefix));
  }

  apply(batch) {
    return this.#apply(this.#native, batch);
  }

  entry(key) {
    const batch = this.#native.entry(anyKey.encode(key));
    return batch === null ? undefined : this.#entry(entries(batch, this.#codecs)[0]);
  }

  *keys(range) {
    for (const record of this.#records(range, false)) yield record.key;
  }

  *values(range) {
    for (const record of this.#records(range, true)) yield this.#values.finish(record.value);
  }

  *entries(range) {
    for (const record of this.#records(range, true)) {
      yield [record.key, this.#values.finish(record.value)];
    }
  }

  *scan(range) {
    for (const record of this.#records(range, true)) yield this.#entry(record);
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  forEach(callback, thisArg) {
    for (const [key, value] of this) callback.call(thisArg, value, key, this);
  }

  subscribe(listener, options = {}) {
    if (typeof listener !== 'function') throw invalidArgument(`a listener must be a function, not ${kindOf(listener)}`);
    return new Subscription(this.#starter(options), this.#codecs, listener, options);
  }

  watch(options = {}) {
    return new Watch(this.#starter(options), this.#codecs, options);
  }

  async putAsync(key, value, options) {
    const ttl = lifetime(options);
    const plain = this.#values.plain(value);
    const stamp = this.#stamp(this.#deferred.putBytes(anyKey.encode(key), encode(plain), ttl));
    await this.#saved();
    return stamp;
  }

  async removeAsync(key) {
    const removed = this.#deferred.removeBytes(anyKey.encode(key));
    await this.#saved();
    return removed;
  }

  async removePrefixAsync(prefix) {
    const removed = this.#deferred.removePrefix(anyKey.encode(prefix));
    await this.#saved();
    return removed;
  }

  async applyAsync(batch) {
    const stamp = this.#apply(this.#deferred, batch);
    await this.#saved();
    return stamp;
  }

  async flush() {
    await this.#flusher.wait();
  }

  async dump(path) {
    return this.#native.dump(checkedPath(path));
  }

  async load(path) {
    return this.#native.load(checkedPath(path));
  }

  async sync(timeoutMs = DEFAULT_WAIT_MS) {
    await this.#native.sync(timeoutMs);
  }

  async waitReplicated(stamp, peers = 1, options = {}) {
    if (!(stamp instanceof Stamp)) throw invalidArgument(`waitReplicated takes a Stamp, not ${kindOf(stamp)}`);
    if (!(Number.isSafeInteger(peers) && peers >= 0)) throw invalidArgument('peers must be a whole number from 0 up');
    const { timeoutMs = DEFAULT_WAIT_MS, signal } = checkedObject(options, 'options');
    const { timestamp, epoch, author } = stamp;
    checkedSignal(signal)?.throwIfAborted();
    return abortable(this.#native.waitReplicated(timestamp, epoch, author, peers, timeoutMs), signal);
  }

  status() {
    return this.#native.status();
  }

  async close() {
    await this.#native.close();
  }

  async destroy() {
    await this.#native.destroy();
  }

  [Symbol.dispose]() {
    this.#native.close();
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  get [Symbol.toStringTag]() {
    return 'P2pMap';
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `P2pMap(${JSON.stringify(this.name)}, ${this.closed ? 'closed' : `size ${this.size}`})`;
  }

  #apply(native, batch) {
    if (!(batch instanceof Batch)) throw invalidArgument(`apply takes a Batch, not ${kindOf(batch)}`);
    const stamp = native.apply(Batch.encode(batch, this.#values));
    return stamp === null ? undefined : this.#stamp(stamp);
  }

  /** Settles when what was written is as durable as the map is. */
  #saved() {
    return this.#native.waits ? this.#flusher.wait() : undefined;
  }

  #starter(options) {
    const { prefix = NOTHING, snapshot = false, signal } = checkedObject(options, 'options');
    checkedSignal(signal);
    return (wake) => this.#native.watch(anyKey.encode(prefix), Boolean(snapshot), wake);
  }

  *#records(range = {}, withValues) {
    const { prefix = NOTHING, start, end, limit, reverse = false } = checkedObject(range, 'a range');
    if (limit !== undefined && !(limit >= 0)) throw invalidArgument('limit must be a number from 0 up');
    const bound = (key) => (key === undefined ? undefined : Buffer.from(anyKey.encode(key)));
    const scan = this.#native.scan(
      { prefix: bound(prefix), start: bound(start), end: bound(end), limit, reverse: Boolean(reverse) },
      withValues,
    );
    for (let batch = scan.read(); batch !== null; batch = scan.read()) yield* entries(batch, this.#codecs);
  }

  #entry({ key, value, stamp, expiresAtMs }) {
    const { author, timeMs } = stamp;
    return { key, value: this.#values.finish(value), stamp, author, timeMs, expiresAtMs };
  }

  #stamp(bytes) {
    const word = (at) => bytes.readUInt32LE(at);
    return new Stamp(word(0), word(4), word(8), word(12), this.#author);
  }
}

function checkedPath(path) {
  if (typeof path === 'string') return path;
  if (path instanceof URL) return fileURLToPath(path);
  throw invalidArgument(`a path must be a string or a file: URL, not ${kindOf(path)}`);
}

/** `promise`, unless `signal` says first to give it up. */
function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.finally(() => signal.removeEventListener('abort', abort)).then(resolve, reject);
  });
}

module.exports = { P2pMap };
