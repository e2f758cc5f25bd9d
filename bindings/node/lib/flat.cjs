'use strict';
// Batches of entries and events, as src/flat.rs lays them out.

const { Stamp } = require('./stamp.cjs');

const KINDS = ['entry', 'put', 'remove', 'expire', 'prune', 'synced'];
const LOCAL = 1;
const HAS_VALUE = 2;
const HAS_OLD_VALUE = 4;
const HAS_STAMP = 8;
const EXPIRES = 16;
const HEAD_BYTES = 32;
const EXPIRY_BYTES = 8;

/** A batch whose records are read where they lie. A record goes by where it starts. */
class Page {
  #batch;
  #view;
  #authors;
  #codecs;

  constructor(batch, codecs) {
    this.#batch = batch;
    this.#view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    this.#authors = texts(batch, this.#end);
    this.#codecs = codecs;
  }

  get #end() {
    return this.#view.getUint32(0, true);
  }

  /** Where the records start. */
  places() {
    const all = [];
    for (let at = 4; at < this.#end; ) {
      all.push(at);
      const expiryAt = this.#expiryAt(at);
      at = this.#has(at, EXPIRES) ? expiryAt + EXPIRY_BYTES : expiryAt;
    }
    return all;
  }

  kind(at) {
    return KINDS[this.#view.getUint8(at)];
  }

  local(at) {
    return this.#has(at, LOCAL);
  }

  /** Keys and values: with `how` a codec's `take` or `view`. */
  key(at, how) {
    return this.#codecs.keys[how](this.#batch, at + HEAD_BYTES, this.#valueAt(at));
  }

  value(at, how) {
    return this.#has(at, HAS_VALUE)
      ? this.#codecs.values[how](this.#batch, this.#valueAt(at), this.#oldValueAt(at))
      : undefined;
  }

  oldValue(at, how) {
    return this.#has(at, HAS_OLD_VALUE)
      ? this.#codecs.values[how](this.#batch, this.#oldValueAt(at), this.#expiryAt(at))
      : undefined;
  }

  /** What `value` and `oldValue` found, as the user sees it. */
  finish(taken) {
    return taken === undefined ? undefined : this.#codecs.values.finish(taken);
  }

  author(at) {
    return this.#has(at, HAS_STAMP) ? this.#authors[this.#view.getUint16(at + 2, true)] : undefined;
  }

  stamp(at) {
    if (!this.#has(at, HAS_STAMP)) return undefined;
    const word = (offset) => this.#view.getUint32(at + offset, true);
    return new Stamp(word(4), word(8), word(12), word(16), this.author(at));
  }

  expiresAtMs(at) {
    return this.#has(at, EXPIRES) ? this.#view.getFloat64(this.#expiryAt(at), true) : undefined;
  }

  #has(at, flag) {
    return (this.#view.getUint8(at + 1) & flag) !== 0;
  }

  #valueAt(at) {
    return at + HEAD_BYTES + this.#view.getUint32(at + 20, true);
  }

  #oldValueAt(at) {
    return this.#valueAt(at) + this.#view.getUint32(at + 24, true);
  }

  #expiryAt(at) {
    return this.#oldValueAt(at) + this.#view.getUint32(at + 28, true);
  }
}

/** All entries: `{ key, value, stamp, expiresAtMs }`. Nothing of them holds on to the batch. */
function entries(batch, codecs) {
  const page = new Page(batch, codecs);
  return page.places().map((at) => ({
    key: page.key(at, 'take'),
    value: page.value(at, 'take'),
    stamp: page.stamp(at),
    expiresAtMs: page.expiresAtMs(at),
  }));
}

function texts(batch, at) {
  const all = [];
  while (at < batch.length) {
    const end = at + 1 + batch[at];
    all.push(batch.toString('latin1', at + 1, end));
    at = end;
  }
  return all;
}

module.exports = { Page, entries };
