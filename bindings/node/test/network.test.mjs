import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { setImmediate as turn } from 'node:timers/promises';
import { generateIdentity } from 'p2pmap';
import { eventually, opener } from './support.mjs';

test('two nodes share a map', async (t) => {
  const { node } = opener(t);
  const first = await node();
  const second = await node({ bootstrap: first.addrs });
  const options = { codec: 'json' };
  const [a, b] = [await first.map('m', options), await second.map('m', options)];
  const seen = [];
  b.subscribe((event) => seen.push(event));
  const stamp = a.put('sky', 'blue');
  await eventually(() => b.get('sky') === 'blue' && seen.length === 1);
  assert.equal(String(b.entry('sky').stamp), String(stamp));
  assert.deepEqual([seen[0].local, seen[0].author], [false, first.id]);
  b.put('sea', 'green');
  b.remove('sky');
  await eventually(() => a.get('sea') === 'green' && !a.has('sky'));
  await a.sync();
  assert.equal(a.status().digest, b.status().digest);
  const [peer] = second.peers();
  assert.equal(peer.id, first.id);
  assert.deepEqual(peer.maps, ['m']);
  assert.equal(second.status().peers.length, 1);
});

test('connect joins nodes that knew nothing of each other', async (t) => {
  const { node } = opener(t);
  const [first, second] = [await node(), await node()];
  assert.equal(await second.connect(first.addrs[0]), first.id);
  const [a, b] = [await first.map('m', { codec: 'utf8' }), await second.map('m', { codec: 'utf8' })];
  a.put('k', 'v');
  await eventually(() => b.get('k') === 'v');
});

test('maps declared in the options are open from the start', async (t) => {
  const { node } = opener(t);
  const started = await node({ maps: { limits: { maxEntries: 1 }, flags: {} } });
  assert.deepEqual(started.maps().sort(), ['flags', 'limits']);
});

test('the event loop turns while a call waits for the network', async (t) => {
  const { node } = opener(t);
  const silent = createServer({ pauseOnConnect: true });
  t.after(() => silent.close());
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const started = await node();
  const dial = started.connect(`/ip4/127.0.0.1/tcp/${silent.address().port}`, { timeoutMs: 300 });
  let turns = 0;
  const settled = dial.then(() => 'connected', (error) => error.code);
  for (let waiting = true; waiting; turns++) {
    waiting = (await Promise.race([settled, turn()])) === undefined;
  }
  assert.notEqual(await settled, 'connected');
  assert.ok(turns > 10, `${turns} turns`);
});

test('a burst of writes reaches the other side whole, while timers go on', async (t) => {
  const { open } = opener(t);
  const a = await open('m', { codec: 'utf8' });
  const b = await open('m', { codec: 'utf8', bootstrap: a.addrs });
  let [heard, ticks] = [0, 0];
  b.subscribe(() => heard++);
  const ticking = setInterval(() => ticks++, 1);
  t.after(() => clearInterval(ticking));
  for (let written = 0; written < 50_000; await turn()) {
    for (let i = 0; i < 200; i++) a.put(`k${written++}`, 'x'.repeat(200));
  }
  await eventually(() => b.size === 50_000 && heard >= 50_000);
  assert.ok(ticks > 10, `${ticks} ticks`);
});

/** A process that runs examples/services.mjs. */
class Service {
  events = [];
  addrs = [];
  #lines;

  constructor(t, ...args) {
    const example = fileURLToPath(new URL('../examples/services.mjs', import.meta.url));
    this.process = spawn(process.execPath, [example, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => this.process.kill());
    this.exited = new Promise((resolve) => this.process.on('exit', resolve));
    this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** The next line; those of the kinds in `kept` are put there instead. */
  async line(kept = { event: this.events, addr: this.addrs }) {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error('the process ended');
      const [kind] = value.split(' ');
      if (!Object.hasOwn(kept, kind)) return value;
      kept[kind].push(value);
    }
  }

  ask(command) {
    this.process.stdin.write(`${command}\n`);
    return this.line();
  }
}

test('the services example: three processes, one map', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'p2pmap-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'services');
  writeFileSync(file, '# comment\n\nhttp 80/tcp www # x\nssh\t22/tcp\ndomain 53/udp\ndomain 53/tcp\n');
  const first = new Service(t, 'one', '', file, '0', '3');
  const addr = (await first.line({})).replace('addr ', '');
  const others = ['1', '2'].map((part) => new Service(t, `part${part}`, addr, file, part, '3'));
  const all = [first, ...others];
  for (const other of others) assert.match(await other.line({}), /^addr /);
  const reports = async () => Promise.all(all.map((service) => service.ask('report')));
  const digests = async () => new Set((await reports()).map((line) => line.match(/entries=(\d+) digest=(\w+)/).slice(1).join()));
  const agreed = async () => {
    const seen = await digests();
    return seen.size === 1 && [...seen][0].startsWith('4,');
  };
  await eventually(agreed);
  assert.equal(await others[0].ask('remove http/tcp'), 'ok true');
  assert.equal(await others[0].ask('remove http/tcp'), 'ok false');
  assert.equal(await first.ask('put ssh/tcp 2222 secure shell'), 'ok');
  assert.equal(await others[1].ask('put new/tcp 1'), 'ok');
  assert.equal(await first.ask('nonsense'), 'error unknown command');
  await eventually(agreed);
  assert.equal(await first.ask('ping 20'), 'ok');
  await eventually(async () => /latency_us=\d+$/.test(await others[0].ask('report')));
  await eventually(agreed);
  assert.ok(others[1].events.some((line) => /^event put ssh\/tcp remote \w+$/.test(line)), others[1].events.join('\n'));
  assert.ok(!all.some(({ events }) => events.some((line) => line.includes('~ping/'))));
  for (const service of all) service.process.stdin.write('quit\n');
  assert.deepEqual(await Promise.all(all.map(({ exited }) => exited)), [0, 0, 0]);
});

test('a generated identity is whoever opens a node with it, and may be banned', async (t) => {
  const { node } = opener(t);
  const directory = mkdtempSync(join(tmpdir(), 'p2pmap-identity-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const identityFile = join(directory, 'key');
  const id = await generateIdentity(identityFile);
  await assert.rejects(generateIdentity(identityFile), { code: 'P2PMAP_INVALID_ARGUMENT' });
  await assert.rejects(generateIdentity(7), { code: 'P2PMAP_INVALID_ARGUMENT' });
  const [first, second] = [await node(), await node({ identityFile })];
  assert.equal(second.id, id);
  assert.deepEqual(first.banned(), []);
  first.ban(id);
  assert.deepEqual(first.banned(), [id]);
  await assert.rejects(second.connect(first.addrs[0]), { code: 'P2PMAP_NETWORK', message: /banned/ });
  for (const wrong of [first.id, 'nobody0', 7]) assert.throws(() => first.ban(wrong), { code: 'P2PMAP_INVALID_ARGUMENT' });
  const strict = await node({ banPeers: [id] });
  assert.deepEqual(strict.banned(), [id]);
});

test('only the writers of a signed map write', async (t) => {
  const { node } = opener(t);
  const first = await node();
  const second = await node({ bootstrap: first.addrs });
  const options = { codec: 'utf8', signed: true, writers: [first.id, `team/=${second.id}`] };
  const [a, b] = [await first.map('m', options), await second.map('m', options)];
  a.put('sky', 'blue');
  await eventually(() => b.get('sky') === 'blue');
  b.put('team/a', '1');
  await eventually(() => a.get('team/a') === '1');
  assert.throws(() => b.put('sky', 'grey'), { code: 'P2PMAP_NOT_PERMITTED' });
  assert.throws(() => b.remove('sky'), { code: 'P2PMAP_NOT_PERMITTED' });
});
