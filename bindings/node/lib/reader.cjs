'use strict';
// Reads of one value, as the fastest way there is to have it as a Buffer or as text.

const { markAsUntransferable } = require('node:worker_threads');

const { anyKey } = require('./codecs.cjs');
const { VALUE_AT, scratch } = require('./scratch.cjs');

/** What the native `get` and `getText` return instead of a length (src/hot.rs); below, the value is longer than the room for it. */
const ABSENT = -1;
const NO_ROOM = -2;

/** As of the pool of Buffer.allocUnsafe, no more than half of it goes to one Buffer. */
const POOL_BYTES = 8 * 1024;
/** The class whose instances Buffers are: its constructor is faster than Buffer.from, and does the same. */
const Slice = Buffer[Symbol.species];

/** Values as Buffers: the native half copies them to a pool, of which each is a piece. */
class BufferReader {
  #native;
  #get;
  #readInto;
  #pool = Buffer.alloc(0);
  #memory;
  #used;

  constructor(native, { get, readInto }) {
    this.#native = native;
    this.#get = get;
    this.#readInto = readInto;
  }

  /** @returns {Buffer | undefined} */
  read(key) {
    const passed = anyKey.pass(key);
    // There is none yet, or the user gave its memory away through a Buffer that was read.
    if (this.#pool.length === 0) this.#renew();
    const at = this.#used;
    const length = this.#get(passed, at);
    if (length >= 0) {
      this.#used = (at + length + 7) & ~7;
      return new Slice(this.#memory, at, length);
    }
    return length === ABSENT ? undefined : this.#longer(key, NO_ROOM - length);
  }

  #longer(key, length) {
    if (length > POOL_BYTES / 2) return this.#native.getBytes(anyKey.encode(key)) ?? undefined;
    this.#renew();
    return this.read(key);
  }

  #renew() {
    this.#pool = Buffer.allocUnsafeSlow(POOL_BYTES);
    this.#memory = this.#pool.buffer;
    this.#used = 0;
    markAsUntransferable(this.#memory);
    this.#readInto(this.#pool);
  }
}

/** Values as text: the native half makes it, or leaves it in the scratch. */
class TextReader {
  #native;
  #getText;

  constructor(native, { getText }) {
    this.#native = native;
    this.#getText = getText;
  }

  /** @returns {string | undefined} */
  read(key) {
    const found = this.#getText(anyKey.pass(key));
    if (typeof found === 'string') return found;
    if (found >= 0) return scratch.toString('utf8', VALUE_AT, VALUE_AT + found);
    return found === ABSENT ? undefined : this.#native.getBytes(anyKey.encode(key))?.toString();
  }
}

/** @returns what reads the values of a map whose values look so */
function readerOf(native, functions, values) {
  return values.isText ? new TextReader(native, functions) : new BufferReader(native, functions);
}

module.exports = { readerOf };
