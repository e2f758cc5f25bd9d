'use strict';
// Options objects, as the names and strings that the core's one table of options takes.

const { codecs, kindOf } = require('./codecs.cjs');
const { invalidArgument, invalidConfig } = require('./errors.cjs');

/** What this half of the package does itself. */
const OWN = new Set(['codec', 'keys', 'config', 'env']);

/**
 * `{ antiEntropyMs: 500, listen: ['a', 'b'] }` is `anti_entropy_ms=500` and `listen=a,b`. What names exist, and what
 * values they allow, the core knows.
 */
function settings(options) {
  const { config: file, env = false } = checkedObject(options, 'options');
  const pairs = [];
  for (const [name, value] of Object.entries(options)) {
    if (!OWN.has(name) && typeof value !== 'function') addPair(pairs, snakeCase(name), value);
  }
  return { file: file === undefined ? undefined : String(file), env: Boolean(env), options: pairs };
}

function addPair(pairs, name, value) {
  if (value === undefined || value === null) return;
  if (name === 'maps' && typeof value === 'object' && !Array.isArray(value)) {
    for (const [map, ofMap] of Object.entries(value)) addMap(pairs, map, checkedObject(ofMap, `maps.${map}`));
    return;
  }
  pairs.push(name, Array.isArray(value) ? value.map((item) => text(name, item)).join(',') : text(name, value));
}

function addMap(pairs, map, options) {
  pairs.push('maps', map);
  for (const [name, value] of Object.entries(options)) addPair(pairs, `maps.${map}.${snakeCase(name)}`, value);
}

function text(name, value) {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      throw invalidConfig(`option ${name} must be a string, number or boolean, or a list of these, not ${kindOf(value)}`);
  }
}

function snakeCase(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * The user's validator, for the native half: takes Buffers, returns why not or nothing, never throws.
 */
function validator(options) {
  const ask = options.validator;
  if (typeof ask !== 'function') return undefined;
  const { keys, values } = codecs(options);
  return (key, value) => {
    try {
      const answer = ask(keys.take(key, 0, key.length), values.finish(values.take(value, 0, value.length)));
      if (typeof answer?.then === 'function') return 'a validator must answer at once, not with a promise';
      return answer ? undefined : 'it answered no';
    } catch (error) {
      return `it threw: ${error?.message ?? error}`;
    }
  };
}

function checkedObject(options, what) {
  if (typeof options === 'object' && options !== null) return options;
  throw invalidArgument(`${what} must be an object, not ${kindOf(options)}`);
}

function checkedSignal(signal) {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw invalidArgument('signal must be an AbortSignal');
}

function checkedName(name) {
  if (typeof name === 'string') return name;
  throw invalidArgument(`a map's name must be a string, not ${kindOf(name)}`);
}

module.exports = { settings, validator, checkedObject, checkedSignal, checkedName };
