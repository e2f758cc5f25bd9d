// Plays the scripts of tests/conformance (see its README.md). Usage: node conformance.mjs <script>...

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Batch, Node, Stamp, open } from 'p2pmap';
import { OPTIONS_FROM, decode, parse } from './script.mjs';

const PATIENCE_MS = 10_000;
const RETRY_MS = 10;
const FEATURES = ['byte_keys', 'validator_function'];
const CODECS = { keys: 'buffer', codec: 'buffer' };
const NONE = ['none'];
const OK = ['ok'];

class Skipped extends Error {}

/** One script's handles: what it opened, by name. */
class World {
  nodes = new Map();
  maps = new Map();
  streams = new Map();
  sockets = [];
  directories = [];

  async end() {
    for (const stream of this.streams.values()) stream.close();
    for (const map of this.maps.values()) await map.close();
    for (const node of this.nodes.values()) await node.close();
    for (const socket of this.sockets) socket.close();
    for (const directory of this.directories) rmSync(directory, { recursive: true, force: true });
  }

  node(token) {
    return named(this.nodes, token);
  }

  map(token) {
    return named(this.maps, token);
  }

  stream(token) {
    return named(this.streams, token);
  }
}

function named(table, token) {
  const found = table.get(text(token));
  if (!found) throw new Error(`nothing open here is called ${text(token)}`);
  return found;
}

/** A subscription or a watch, with the queue that `event` takes from. */
class Stream {
  queue = [];
  waiting = [];
  ended = false;
  last;

  push(event) {
    const { kind, key, value, oldValue, local, author, stamp } = event;
    const where = local ? 'local' : 'remote';
    const result = kind === 'synced' ? ['synced'] : [kind, key, value ?? 'none', oldValue ?? 'none', where];
    this.queue.push({ result, origin: stamp ? [author, String(stamp)] : NONE });
    this.waiting.shift()?.();
  }

  end() {
    this.ended = true;
    for (const wake of this.waiting.splice(0)) wake();
  }

  async take() {
    if (this.queue.length === 0 && !this.ended) {
      const { promise, wake, cancel } = timer();
      this.waiting.push(wake);
      await promise;
      cancel();
    }
    const event = this.queue.shift();
    if (!event) return this.ended ? ['end'] : ['timeout'];
    this.last = event.origin;
    return event.result;
  }
}

function timer() {
  const stop = new AbortController();
  const wake = () => stop.abort();
  const promise = pause(PATIENCE_MS, undefined, { signal: stop.signal }).catch(() => {});
  return { promise, wake, cancel: wake };
}

function subscribed(map, options) {
  const stream = new Stream();
  const subscription = map.subscribe((event) => stream.push(event), options);
  stream.close = () => {
    subscription.unsubscribe();
    stream.end();
  };
  return stream;
}

function watched(map, options) {
  const stream = new Stream();
  const watch = map.watch(options);
  const pull = async () => {
    for await (const event of watch) stream.push(event);
    stream.end();
  };
  void pull();
  stream.close = () => {
    void watch.return();
    stream.end();
  };
  return stream;
}

const OPERATIONS = {
  async node({ nodes }, [name, ...options]) {
    nodes.set(text(name), await Node.open(settings(options)));
    return OK;
  },
  id: (world, [node]) => [world.node(node).id],
  addr: (world, [node]) => [world.node(node).addrs[0]],
  connect: async (world, [node, addr, ms = PATIENCE_MS]) => [
    await world.node(node).connect(text(addr), { timeoutMs: Number(text(ms)) }),
  ],
  peers: (world, [node]) => list(world.node(node).peers().map(({ id }) => id).sort()),
  maps: (world, [node]) => list(world.node(node).maps().sort(byBytes)),
  async close(world, [name]) {
    await (world.nodes.get(text(name)) ?? world.map(name)).close();
    return OK;
  },
  async map(world, [name, node, map, ...options]) {
    world.maps.set(text(name), await world.node(node).map(text(map), settings(options)));
    return OK;
  },
  async open({ maps }, [name, map, ...options]) {
    maps.set(text(name), await open(text(map), settings(options)));
    return OK;
  },
  put: (world, [map, key, value, ...options]) => [String(world.map(map).put(key, value, putOptions(options)))],
  get: (world, [map, key]) => [world.map(map).get(key) ?? 'none'],
  entry(world, [map, key]) {
    const entry = world.map(map).entry(key);
    return entry ? [entry.value, entry.author, String(entry.stamp)] : NONE;
  },
  expires(world, [map, key]) {
    const entry = world.map(map).entry(key);
    if (entry?.expiresAtMs === undefined) return entry ? ['never'] : NONE;
    return [entry.expiresAtMs > entry.timeMs ? 'later' : 'at once'];
  },
  contains: (world, [map, key]) => [String(world.map(map).has(key))],
  len: (world, [map]) => [String(world.map(map).size)],
  is_empty: (world, [map]) => [String(world.map(map).size === 0)],
  remove: (world, [map, key]) => [String(world.map(map).remove(key))],
  remove_prefix: (world, [map, prefix]) => [String(world.map(map).removePrefix(prefix))],
  apply: (world, [map, ...operations]) => [String(world.map(map).apply(batch(operations)) ?? 'none')],
  fill(world, [map, prefix, count, value]) {
    for (let i = 0; i < Number(text(count)); i++) {
      world.map(map).put(Buffer.concat([bytes(prefix), Buffer.from(String(i).padStart(6, '0'))]), value);
    }
    return OK;
  },
  keys: (world, [map, ...range]) => list([...world.map(map).keys(scanOptions(range))]),
  values: (world, [map, ...range]) => list([...world.map(map).values(scanOptions(range))]),
  scan: (world, [map, ...range]) => list([...world.map(map).entries(scanOptions(range))].flat()),
  count: (world, [map, ...range]) => [String([...world.map(map).keys(scanOptions(range))].length)],
  status(world, [map]) {
    const { live, tombstones } = world.map(map).status();
    return [String(live), String(tombstones)];
  },
  hidden: (world, [map]) => [String(world.map(map).status().hidden)],
  equal: (world, [a, b]) => [String(world.map(a).status().digest === world.map(b).status().digest)],
  async flush(world, [map]) {
    await world.map(map).flush();
    return OK;
  },
  dump: async (world, [map, path]) => [String(await world.map(map).dump(text(path)))],
  load: async (world, [map, path]) => [String(await world.map(map).load(text(path)))],
  durability(world, [map]) {
    const { durability, storageError } = world.map(map).status();
    return [durability, storageError ?? 'none'];
  },
  async sync(world, [map, ms = PATIENCE_MS]) {
    await world.map(map).sync(Number(text(ms)));
    return OK;
  },
  async wait(world, [map, stamp, peers, ms = PATIENCE_MS]) {
    const [timestamp, epoch, author] = text(stamp).split('-');
    const written = Stamp.of(BigInt(`0x${timestamp}`), BigInt(`0x${epoch}`), author);
    const count = Number(text(peers));
    const holders = await world.map(map).waitReplicated(written, count, { timeoutMs: Number(text(ms)) });
    if (holders.length < count || new Set(holders).size < holders.length) throw new Error(`told of ${holders}`);
    return OK;
  },
  async destroy(world, [map]) {
    await world.map(map).destroy();
    return OK;
  },
  subscribe(world, [name, map, ...options]) {
    world.streams.set(text(name), subscribed(world.map(map), streamOptions(options)));
    return OK;
  },
  watch(world, [name, map, ...options]) {
    world.streams.set(text(name), watched(world.map(map), streamOptions(options)));
    return OK;
  },
  event: (world, [stream]) => world.stream(stream).take(),
  origin: (world, [stream]) => world.stream(stream).last,
  unsubscribe(world, [stream]) {
    world.stream(stream).close();
    return OK;
  },
  async socket({ sockets }) {
    const server = createServer({ pauseOnConnect: true });
    sockets.push(server);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    return [`/ip4/127.0.0.1/tcp/${server.address().port}`];
  },
  path({ directories }) {
    directories.push(mkdtempSync(join(tmpdir(), 'p2pmap-script-')));
    return [join(directories.at(-1), 'new')];
  },
  write(_world, [path, content]) {
    writeFileSync(text(path), content);
    return OK;
  },
  requires(_world, [feature]) {
    if (!FEATURES.includes(text(feature))) throw new Skipped(text(feature));
    return OK;
  },
};

function batch(operations) {
  const all = new Batch();
  const words = operations[Symbol.iterator]();
  const next = () => words.next().value;
  for (let op = next(); op !== undefined; op = next()) {
    if (text(op) === 'put') all.put(next(), next());
    else if (text(op) === 'put_ttl') all.put(next(), next(), { ttlMs: lifetime(next()) });
    else if (text(op) === 'remove') all.remove(next());
    else throw new Error(`${text(op)} is neither put, put_ttl nor remove`);
  }
  return all;
}

function putOptions(tokens) {
  const { ttl } = namedValues(tokens);
  return ttl && { ttlMs: lifetime(ttl) };
}

/** A number of milliseconds, or `never`. */
function lifetime(token) {
  return text(token) === 'never' ? null : Number(text(token));
}

/** `name=value` tokens, as bytes by name. */
function namedValues(tokens) {
  return Object.fromEntries(tokens.map(({ name, value }) => [name, value]));
}

function settings(tokens) {
  const { function: rule, ...options } = namedValues(tokens);
  for (const name in options) options[name] = options[name].toString();
  if (rule) options.validator = refusing(rule.toString());
  return { ...options, ...CODECS };
}

function refusing(rule) {
  const [how, ...rest] = rule.split(':');
  const word = rest.join(':');
  return (_key, value) => {
    if (value.toString() !== word) return true;
    if (how === 'throw') throw new Error('as the script asks');
    return false;
  };
}

function scanOptions(tokens) {
  const { limit, reverse, ...bounds } = namedValues(tokens);
  return { ...bounds, ...(limit && { limit: Number(limit) }), ...(reverse && { reverse: String(reverse) === 'true' }) };
}

function streamOptions(tokens) {
  const { prefix, snapshot } = namedValues(tokens);
  return { ...(prefix && { prefix }), ...(snapshot && { snapshot: String(snapshot) === 'true' }) };
}

function list(items) {
  return items.length === 0 ? NONE : items;
}

function text(token) {
  return token.toString();
}

function bytes(token) {
  return Buffer.from(token);
}

function byBytes(a, b) {
  return Buffer.compare(bytes(a), bytes(b));
}

async function perform(world, { op, tokens }, variables) {
  if (!Object.hasOwn(OPERATIONS, op)) throw new Error(`unknown operation ${op}`);
  const options = OPTIONS_FROM[op] ?? Infinity;
  const decoded = tokens.map((token, index) => decode(token, variables, index >= options));
  try {
    return await OPERATIONS[op](world, decoded);
  } catch (error) {
    if (!error.code?.startsWith('P2PMAP_')) throw error;
    return Object.assign([error.code.replace('P2PMAP_', '!')], { message: error.message });
  }
}

/** Plays a step. Returns nothing, or how it differed. */
async function play(world, step, variables) {
  const expected = step.expected?.map((token) => decode(token, variables, false));
  const matches = (got) => got.length === expected.length && got.every((item, i) => bytes(item).equals(bytes(expected[i])));
  let got = await perform(world, step, variables);
  for (const end = Date.now() + PATIENCE_MS; step.awaited && !matches(got) && Date.now() < end; ) {
    await pause(RETRY_MS);
    got = await perform(world, step, variables);
  }
  if (expected) return matches(got) ? undefined : differs(step.expected, got);
  if (got.message) return differs(['no', 'error'], got);
  if (step.variable) variables.set(step.variable, bytes(got[0]));
  return undefined;
}

function differs(expected, got) {
  const short = (items) => items.map((item) => bytes(item).toString('latin1').slice(0, 60)).join(' ');
  return `expected ${short(expected)} got ${short(got)}${got.message ? ` [${got.message}]` : ''}`;
}

/** Plays a script. Returns the steps passed, and what ended it early. */
async function script(path) {
  const world = new World();
  const variables = new Map();
  let passed = 0;
  try {
    for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
      if (line === '' || line.startsWith('#')) continue;
      try {
        const failure = await play(world, parse(line), variables);
        if (failure) return { passed, failure: `${path}:${index + 1} ${failure}` };
      } catch (error) {
        if (error instanceof Skipped) return { passed, skipped: `${path}: requires ${error.message}` };
        return { passed, failure: `${path}:${index + 1} ${error.stack}` };
      }
      passed++;
    }
    return { passed };
  } finally {
    await world.end();
  }
}

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error('usage: node conformance.mjs <script>...');
  process.exit(2);
}
let [played, steps, failed] = [0, 0, 0];
for (const path of paths) {
  const { passed, failure, skipped } = await script(path);
  if (skipped) {
    console.log(`skip ${skipped}`);
    continue;
  }
  played++;
  steps += passed;
  if (failure) failed++;
  console.log(failure ? `FAIL ${failure}` : `ok ${path}`);
}
console.log(`conformance: ${played} scripts, ${steps} steps passed${failed ? `, ${failed} failed` : ''}`);
process.exitCode = failed ? 1 : 0;
