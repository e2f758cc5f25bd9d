'use strict';
// How keys and values look in JavaScript. A codec has four functions:
// plain(x)                 x as text or bytes; throws when it is not what it should be. It may run the user's code
// take(from, start, end)   what lies there in a Buffer, held on to without the Buffer
// view(from, start, end)   the same, in the Buffer's own memory where that is faster
// finish(taken)            that, as the user sees it; throws when it is not what it should be
// `isText` says that what `take` finds is text. (A read of one value: reader.cjs.)

const { invalidArgument, invalidConfig, invalidValue } = require('./errors.cjs');
const { VALUE_AT, scratch, writeText, writeBytes } = require('./scratch.cjs');

/** Writes a value to the scratch. @returns {number} the length, or -1 when it does not fit */
function write(plain) {
  return typeof plain === 'string' ? writeText(plain, VALUE_AT) : writeBytes(plain, VALUE_AT, scratch.length);
}

/** @returns {Uint8Array} text or bytes, as bytes of its own */
function encode(plain) {
  return typeof plain === 'string' ? Buffer.from(plain) : plain;
}

/** Keys, in either form. */
const anyKey = {
  /** As the functions of src/hot.rs take it: a string itself, else the length of what was written to the scratch; -1 when too long. */
  pass: (key) => (typeof key === 'string' ? key : writeBytes(plainKey(key), 0, VALUE_AT)),
  encode: (key) => encode(plainKey(key)),
};

const bytes = {
  plain: (value) => checkedBytes(value, 'a value'),
  take: takeBytes,
  view: viewBytes,
  finish: (taken) => taken,
};

const utf8 = {
  plain: checkedText,
  take: takeText,
  view: takeText,
  isText: true,
  finish: (taken) => taken,
};

const json = {
  plain: toJson,
  take: takeText,
  view: takeText,
  isText: true,
  finish: fromJson,
};

function takeBytes(from, start, end) {
  const copy = Buffer.allocUnsafe(end - start);
  from.copy(copy, 0, start, end);
  return copy;
}

function viewBytes(from, start, end) {
  return from.subarray(start, end);
}

function takeText(from, start, end) {
  return from.toString('utf8', start, end);
}

function plainKey(key) {
  return typeof key === 'string' ? key : checkedBytes(key, 'a key');
}

function checkedBytes(x, what) {
  if (x instanceof Uint8Array) return x;
  const also = what === 'a key' ? 'a string or ' : '';
  const remedy = what === 'a key' ? '' : "; open the map with codec: 'utf8' or 'json' for other values";
  throw invalidArgument(`${what} must be ${also}a Uint8Array, not ${kindOf(x)}${remedy}`);
}

function checkedText(x) {
  if (typeof x === 'string') return x;
  throw invalidArgument(`a value must be a string on a map with codec: 'utf8', not ${kindOf(x)}`);
}

function toJson(value) {
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw Object.assign(invalidArgument(`a value that JSON cannot hold: ${error.message}`), { cause: error });
  }
  if (text === undefined) throw invalidArgument(`a value that JSON cannot hold: ${kindOf(value)}`);
  return text;
}

function fromJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's message: that quotes the value.
    throw invalidValue("a value that is not JSON; validator: 'json' keeps such values out of the map");
  }
}

function kindOf(x) {
  return x === null ? 'null' : typeof x;
}

const VALUES = { buffer: bytes, utf8, json };
const KEYS = { string: { take: takeText, view: takeText }, buffer: { take: takeBytes, view: viewBytes } };

/** @returns what `codec` and `keys` of an options object ask for: how to read keys, and a codec for values */
function codecs({ codec = 'buffer', keys = 'string' } = {}) {
  return { keys: pick(KEYS, 'keys', keys), values: pick(VALUES, 'codec', codec) };
}

function pick(table, option, name) {
  if (Object.hasOwn(table, name)) return table[name];
  const allowed = Object.keys(table).map((known) => `'${known}'`);
  throw invalidConfig(`${option} must be one of ${allowed.join(', ')}, not ${JSON.stringify(name)}`);
}

module.exports = { codecs, anyKey, write, encode, kindOf };
