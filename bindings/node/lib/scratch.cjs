'use strict';
// The memory through which keys and values pass to and from the native half: one for each JavaScript thread.
// A key that is no string is written at its start; a value lies behind all keys. Nobody may hold on to it, or await between write and
// call.

const scratch = Buffer.allocUnsafeSlow(80 * 1024);
const bytes = new Uint8Array(scratch.buffer, scratch.byteOffset, scratch.length);
const words = new Uint32Array(scratch.buffer, scratch.byteOffset, 4);

/** Where values lie (src/hot.rs); longer keys do not pass this way. */
const VALUE_AT = 4 * 1024;
/** Up to here a loop over an ASCII string is faster than the call to encode it. */
const SHORT = 64;
/** UTF-8 bytes at most for each UTF-16 unit of a string. */
const WIDEST = 3;

/** Writes a string as UTF-8. @returns {number} its length in bytes, or -1 when it might not fit */
function writeText(text, at) {
  const length = text.length;
  if (length <= SHORT) {
    let i = 0;
    for (let to = at; i < length; i++, to++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      bytes[to] = unit;
    }
    if (i === length) return length;
  }
  return length * WIDEST <= scratch.length - at ? scratch.write(text, at, 'utf8') : -1;
}

/** Writes bytes. @returns {number} how many, or -1 when they do not fit before `end` */
function writeBytes(source, at, end) {
  if (source.length > end - at) return -1;
  bytes.set(source, at);
  return source.length;
}

module.exports = { VALUE_AT, scratch, words, writeText, writeBytes };
