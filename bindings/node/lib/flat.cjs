'use strict';
// Batches of entries and events, as src/flat.rs lays them out.

const { Stamp } = require('./stamp.cjs');

const KINDS = ['entry', 'put', 'remove', 'expire', 'prune', 'synced'];
const LOCAL = 1;
const HAS_VALUE = 2;
const HAS_OLD_VALUE = 4;
const HAS_STAMP = 8;
const HEAD_BYTES = 32;

/** @returns {object[]} the records; their bytes are copies, so that keeping one does not keep the batch */
function records(batch) {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  const end = view.getUint32(0, true);
  const authors = texts(batch, end);
  const all = [];
  for (let at = 4; at < end; ) {
    const flags = view.getUint8(at + 1);
    const keyAt = at + HEAD_BYTES;
    const valueAt = keyAt + view.getUint32(at + 20, true);
    const oldValueAt = valueAt + view.getUint32(at + 24, true);
    const next = oldValueAt + view.getUint32(at + 28, true);
    const word = (offset) => view.getUint32(at + offset, true);
    all.push({
      kind: KINDS[view.getUint8(at)],
      local: (flags & LOCAL) !== 0,
      key: copy(batch, keyAt, valueAt),
      value: flags & HAS_VALUE ? copy(batch, valueAt, oldValueAt) : undefined,
      oldValue: flags & HAS_OLD_VALUE ? copy(batch, oldValueAt, next) : undefined,
      stamp:
        flags & HAS_STAMP
          ? new Stamp(word(4), word(8), word(12), word(16), authors[view.getUint16(at + 2, true)])
          : undefined,
    });
    at = next;
  }
  return all;
}

function texts(batch, at) {
  const all = [];
  while (at < batch.length) {
    const end = at + 1 + batch[at];
    all.push(batch.latin1Slice(at + 1, end));
    at = end;
  }
  return all;
}

function copy(batch, start, end) {
  const bytes = Buffer.allocUnsafe(end - start);
  batch.copy(bytes, 0, start, end);
  return bytes;
}

module.exports = { records };
