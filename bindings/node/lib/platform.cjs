'use strict';

const { readFileSync } = require('node:fs');

/** @returns {string} the name that a native module for this machine has, such as `linux-x64-gnu` */
function platform() {
  const { platform, arch } = process;
  return platform === 'linux' ? `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}` : `${platform}-${arch}`;
}

function isMusl() {
  try {
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl');
  } catch {
    return !process.report.getReport().header.glibcVersionRuntime;
  }
}

module.exports = { platform };
