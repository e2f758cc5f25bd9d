'use strict';

const { anyKey, encode } = require('./codecs.cjs');
const { DEFAULT, lifetime } = require('./ttl.cjs');

const REMOVE = 0;
const PUT = 1;
const HEAD_BYTES = 17;
const NOTHING = Buffer.alloc(0);

/** Many puts and removes, for `map.apply`: they travel as one delta and are applied whole. */
class Batch {
  #operations = [];

  put(key, value, options) {
    this.#operations.push({ put: PUT, key, value, ttl: lifetime(options) });
    return this;
  }

  remove(key) {
    this.#operations.push({ put: REMOVE, key, value: undefined, ttl: DEFAULT });
    return this;
  }

  clear() {
    this.#operations.length = 0;
    return this;
  }

  get length() {
    return this.#operations.length;
  }

  /** As the native half takes it (src/map.rs). */
  static encode(batch, values) {
    const parts = [];
    for (const { put, key, value, ttl } of batch.#operations) {
      const keyBytes = anyKey.encode(key);
      const valueBytes = put ? encode(values.plain(value)) : NOTHING;
      const head = Buffer.allocUnsafe(HEAD_BYTES);
      head.writeUInt8(put, 0);
      head.writeUInt32LE(keyBytes.length, 1);
      head.writeUInt32LE(valueBytes.length, 5);
      head.writeDoubleLE(ttl, 9);
      parts.push(head, keyBytes, valueBytes);
    }
    return Buffer.concat(parts);
  }
}

module.exports = { Batch };
