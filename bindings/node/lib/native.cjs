'use strict';
// The native module of this platform, which lies beside package.json.

const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { platform } = require('./platform.cjs');

const file = join(__dirname, '..', `p2pmap.${platform()}.node`);
if (!existsSync(file)) {
  throw new Error(`p2pmap has no native module for ${platform()} here (${file}); build it with bindings/node/build.sh`);
}
module.exports = require(file);
