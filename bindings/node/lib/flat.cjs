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

/**
 * Makes something of every record: `make({ kind, local, key, value, oldValue, stamp, expiresAtMs })`, where values are as
 * `values.take` left them. Nothing of that holds on to the batch, so that keeping one record does not keep 64 KiB.
 */
function records(batch, { takeKey, values }, make) {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  const end = view.getUint32(0, true);
  const authors = texts(batch, end);
  const all = [];
  for (let at = 4; at < end; ) {
    const flags = view.getUint8(at + 1);
    const keyAt = at + HEAD_BYTES;
    const valueAt = keyAt + view.getUint32(at + 20, true);
    const oldValueAt = valueAt + view.getUint32(at + 24, true);
    const expiryAt = oldValueAt + view.getUint32(at + 28, true);
    const expires = (flags & EXPIRES) !== 0;
    all.push(
      make({
        kind: KINDS[view.getUint8(at)],
        local: (flags & LOCAL) !== 0,
        key: takeKey(batch, keyAt, valueAt),
        value: flags & HAS_VALUE ? values.take(batch, valueAt, oldValueAt) : undefined,
        oldValue: flags & HAS_OLD_VALUE ? values.take(batch, oldValueAt, expiryAt) : undefined,
        stamp: flags & HAS_STAMP ? stamp(view, at, authors) : undefined,
        expiresAtMs: expires ? view.getFloat64(expiryAt, true) : undefined,
      }),
    );
    at = expires ? expiryAt + EXPIRY_BYTES : expiryAt;
  }
  return all;
}

function stamp(view, at, authors) {
  const author = authors[view.getUint16(at + 2, true)];
  return new Stamp(
    view.getUint32(at + 4, true),
    view.getUint32(at + 8, true),
    view.getUint32(at + 12, true),
    view.getUint32(at + 16, true),
    author,
  );
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

module.exports = { records };
