'use strict';
// Errors that this half of the package makes. Those of the native half carry the same codes.

/** @returns {TypeError} an argument that no state could make valid */
function invalidArgument(message) {
  return Object.assign(new TypeError(message), { code: 'P2PMAP_INVALID_ARGUMENT' });
}

/** @returns {TypeError} an option that cannot be passed on */
function invalidConfig(message) {
  return Object.assign(new TypeError(message), { code: 'P2PMAP_INVALID_CONFIG' });
}

/** @returns {Error} a value that the map's codec cannot read */
function invalidValue(message, cause) {
  return Object.assign(new Error(message, { cause }), { code: 'P2PMAP_INVALID_VALUE' });
}

module.exports = { invalidArgument, invalidConfig, invalidValue };
