'use strict';

const { codecs, kindOf } = require('./codecs.cjs');
const { invalidArgument } = require('./errors.cjs');
const { P2pMap } = require('./map.cjs');
const native = require('./native.cjs');
const { settings, validator, checkedObject, checkedName } = require('./options.cjs');

const DEFAULT_CONNECT_MS = 10_000;
const MADE_HERE = Symbol('made by Node.open');

/** One process's participation in a cluster: an identity, a network endpoint, and the maps opened on it. */
class Node {
  #native;
  #defaults;

  static async open(options = {}) {
    codecs(checkedObject(options, 'options'));
    return new Node(MADE_HERE, await native.openNode(settings(options), validator(options)), options);
  }

  constructor(token, handle, options) {
    if (token !== MADE_HERE) throw invalidArgument('a node is opened with: await Node.open(options)');
    this.#native = handle;
    this.#defaults = { codec: options.codec, keys: options.keys };
  }

  get id() {
    return this.#native.id;
  }

  get addrs() {
    return this.#native.addrs;
  }

  get closed() {
    return this.#native.closed;
  }

  async connect(addr, { timeoutMs = DEFAULT_CONNECT_MS } = {}) {
    if (typeof addr !== 'string') throw invalidArgument(`an address must be a string, not ${kindOf(addr)}`);
    return this.#native.connect(addr, timeoutMs);
  }

  ban(peer) {
    if (typeof peer !== 'string') throw invalidArgument(`a peer id must be a string, not ${kindOf(peer)}`);
    this.#native.ban(peer);
  }

  banned() {
    return this.#native.banned();
  }

  peers() {
    return this.#native.peers();
  }

  status() {
    return this.#native.status();
  }

  async map(name, options = {}) {
    const all = { ...this.#defaults, ...checkedObject(options, 'options') };
    codecs(all);
    return new P2pMap(await this.#native.map(checkedName(name), settings(all), validator(all)), all);
  }

  maps() {
    return this.#native.maps();
  }

  async close() {
    await this.#native.close();
  }

  [Symbol.dispose]() {
    this.#native.close();
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `Node(${this.id}${this.closed ? ', closed' : ''})`;
  }
}

/** Opens a map on a node of its own: the two-line start. */
async function open(name, options = {}) {
  codecs(checkedObject(options, 'options'));
  return new P2pMap(await native.openMap(checkedName(name), settings(options), validator(options)), options);
}

/** Makes an identity in a new file; its peer id. */
async function generateIdentity(path) {
  if (typeof path !== 'string') throw invalidArgument(`a path must be a string, not ${kindOf(path)}`);
  return native.generateIdentity(path);
}

module.exports = { Node, generateIdentity, open };
