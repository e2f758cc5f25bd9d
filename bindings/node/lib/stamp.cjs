'use strict';

/** Identifies one write: when, by the hybrid logical clock, and in whose opening of the map. */
class Stamp {
  #timestampLow;
  #timestampHigh;
  #epochLow;
  #epochHigh;
  #author;

  /** From the halves of its numbers: making a BigInt costs, and few are looked at. */
  constructor(timestampLow, timestampHigh, epochLow, epochHigh, author) {
    this.#timestampLow = timestampLow;
    this.#timestampHigh = timestampHigh;
    this.#epochLow = epochLow;
    this.#epochHigh = epochHigh;
    this.#author = author;
  }

  get timestamp() {
    return whole(this.#timestampLow, this.#timestampHigh);
  }

  get timeMs() {
    return this.#timestampHigh * 0x10000 + (this.#timestampLow >>> 16);
  }

  get author() {
    return this.#author;
  }

  get epoch() {
    return whole(this.#epochLow, this.#epochHigh);
  }

  /** As every language spells it. */
  toString() {
    const hex = (number) => number.toString(16).padStart(16, '0');
    return `${hex(this.timestamp)}-${hex(this.epoch)}-${this.#author}`;
  }

  toJSON() {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `Stamp(${this})`;
  }
}

function whole(low, high) {
  return (BigInt(high) << 32n) | BigInt(low);
}

module.exports = { Stamp };
