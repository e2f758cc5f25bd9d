'use strict';

/** Identifies one write: when, by the hybrid logical clock, and in whose opening of the map. */
class Stamp {
  #timestamp;
  #epoch;
  #author;

  /** From the two halves of each number, low one first: making a BigInt costs, and few are looked at. */
  constructor(timestampLow, timestampHigh, epochLow, epochHigh, author) {
    this.#timestamp = [timestampLow, timestampHigh];
    this.#epoch = [epochLow, epochHigh];
    this.#author = author;
  }

  get timestamp() {
    return whole(this.#timestamp);
  }

  get timeMs() {
    const [low, high] = this.#timestamp;
    return high * 0x10000 + (low >>> 16);
  }

  get author() {
    return this.#author;
  }

  get epoch() {
    return whole(this.#epoch);
  }

  /** As every language spells it: timestamp, epoch, author. */
  toString() {
    return `${hex(this.#timestamp)}-${hex(this.#epoch)}-${this.#author}`;
  }

  toJSON() {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `Stamp(${this})`;
  }
}

function whole([low, high]) {
  return (BigInt(high) << 32n) | BigInt(low);
}

function hex([low, high]) {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

module.exports = { Stamp };
