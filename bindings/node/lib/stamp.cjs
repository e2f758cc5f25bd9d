'use strict';

const { kindOf } = require('./codecs.cjs');
const { invalidArgument } = require('./errors.cjs');

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

  /** The stamp of a write that was made elsewhere or told by other means. */
  static of(timestamp, epoch, author) {
    if (typeof author !== 'string') throw invalidArgument(`an author must be a string, not ${kindOf(author)}`);
    return new Stamp(...halves(timestamp, 'a timestamp'), ...halves(epoch, 'an epoch'), author);
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

function halves(number, what) {
  if (typeof number !== 'bigint' || BigInt.asUintN(64, number) !== number) {
    throw invalidArgument(`${what} must be a bigint of 64 bits, from 0 up`);
  }
  return [Number(number & 0xffff_ffffn), Number(number >> 32n)];
}

module.exports = { Stamp };
