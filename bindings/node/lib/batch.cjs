'use strict';

const { anyKey } = require('./codecs.cjs');

const REMOVE = 0;
const PUT = 1;
const HEAD_BYTES = 9;
const NOTHING = Buffer.alloc(0);

/** Many puts and removes, for `map.apply`: they travel as one delta and are applied whole. */
class Batch {
  #operations = [];

  put(key, value) {
    this.#operations.push({ put: PUT, key, value });
    return this;
  }

  remove(key) {
    this.#operations.push({ put: REMOVE, key, value: undefined });
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
    for (const { put, key, value } of batch.#operations) {
      const keyBytes = anyKey.encode(key);
      const valueBytes = put ? values.encode(value) : NOTHING;
      const head = Buffer.allocUnsafe(HEAD_BYTES);
      head.writeUInt8(put, 0);
      head.writeUInt32LE(keyBytes.length, 1);
      head.writeUInt32LE(valueBytes.length, 5);
      parts.push(head, keyBytes, valueBytes);
    }
    return Buffer.concat(parts);
  }
}

module.exports = { Batch };
