'use strict';
// p2pmap for Node.js: a replicated key-value map inside your process. See README.md and index.d.cts.

const { Batch } = require('./lib/batch.cjs');
const { P2pMap } = require('./lib/map.cjs');
const native = require('./lib/native.cjs');
const { Node, generateIdentity, open } = require('./lib/node.cjs');
const { Stamp } = require('./lib/stamp.cjs');

module.exports = { open, generateIdentity, Node, P2pMap, Batch, Stamp, version: native.version() };
