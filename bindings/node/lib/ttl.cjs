'use strict';
// How long an entry lives, as one number for the native half (src/ttl.rs).

const { kindOf } = require('./codecs.cjs');
const { invalidArgument } = require('./errors.cjs');
const { checkedObject } = require('./options.cjs');

/** The map's `default_ttl_ms`. */
const DEFAULT = NaN;
const NEVER = Infinity;

/** @returns {number} what the options of a put say: milliseconds, `NEVER` or `DEFAULT` */
function lifetime(options) {
  if (options === undefined) return DEFAULT;
  const { ttlMs } = checkedObject(options, 'options');
  if (ttlMs === undefined) return DEFAULT;
  if (ttlMs === null) return NEVER;
  const number = typeof ttlMs === 'number';
  if (number && ttlMs > 0 && ttlMs < Infinity) return ttlMs;
  const what = number ? ttlMs : kindOf(ttlMs);
  throw invalidArgument(`ttlMs must be a number of milliseconds above 0, or null for an entry that never expires, not ${what}`);
}

module.exports = { DEFAULT, lifetime };
