import assert from 'node:assert/strict';
import test from 'node:test';
import { Batch, Stamp } from 'p2pmap';
import { coded, eventually, opener, take } from './support.mjs';

const PATIENT = { timeoutMs: 20_000 };
/** For a wait that must end in vain. */
const BRIEF = { timeoutMs: 50 };

/** Two nodes with one map. */
async function pair(t, options = { codec: 'utf8' }) {
  const { open } = opener(t);
  const map = await open('m', options);
  return [map, await open('m', { ...options, bootstrap: map.addrs })];
}

test('waitReplicated says who holds a write', async (t) => {
  const [map, other] = await pair(t);
  assert.deepEqual(await map.waitReplicated(map.put('k', 'v'), 1, PATIENT), [other.nodeId]);
  assert.equal(other.get('k'), 'v');
  const stamp = map.apply(new Batch().put('a', '1').put('b', '2'));
  await map.waitReplicated(stamp, 1, PATIENT);
  assert.deepEqual([...other], [['a', '1'], ['b', '2'], ['k', 'v']]);
});

test('too few in time is a timeout that says how many', async (t) => {
  const [map] = await pair(t);
  const stamp = map.put('k', 'v');
  await map.waitReplicated(stamp, 1, PATIENT);
  const short = (error) => coded('P2PMAP_TIMEOUT')(error) && error.message.startsWith('1 of 2 peers held');
  await assert.rejects(map.waitReplicated(stamp, 2, BRIEF), short);
});

test('nobody is waited for when none is asked for', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  assert.deepEqual(await map.waitReplicated(map.put('k', 'v'), 0, { timeoutMs: 0 }), []);
});

test('a stamp is its three parts', async (t) => {
  const [map, other] = await pair(t);
  const stamp = map.put('k', 'v');
  const again = Stamp.of(stamp.timestamp, stamp.epoch, stamp.author);
  assert.deepEqual([String(again), again.timeMs], [String(stamp), stamp.timeMs]);
  assert.deepEqual(await map.waitReplicated(again, 1, PATIENT), [other.nodeId]);
  const most = Stamp.of(2n ** 64n - 1n, 0n, stamp.author);
  assert.deepEqual([most.timestamp, most.epoch], [2n ** 64n - 1n, 0n]);
  for (const parts of [[-1n, 0n], [2n ** 64n, 0n], [1, 0n], [0n, '0']]) {
    assert.throws(() => Stamp.of(...parts, stamp.author), coded('P2PMAP_INVALID_ARGUMENT'));
  }
  assert.throws(() => Stamp.of(0n, 0n, 7), coded('P2PMAP_INVALID_ARGUMENT'));
});

test('what cannot be waited for is refused', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const stamp = map.put('k', 'v');
  const refused = coded('P2PMAP_INVALID_ARGUMENT');
  await assert.rejects(map.waitReplicated(Stamp.of(stamp.timestamp + 1n, stamp.epoch, stamp.author), 1, PATIENT), refused);
  await assert.rejects(map.waitReplicated(Stamp.of(stamp.timestamp, stamp.epoch, 'not an id'), 1, PATIENT), refused);
  for (const wrong of [undefined, String(stamp), {}]) await assert.rejects(map.waitReplicated(wrong, 1, PATIENT), refused);
  for (const peers of [-1, 0.5, NaN, Infinity, '1', null]) await assert.rejects(map.waitReplicated(stamp, peers, PATIENT), refused);
  await assert.rejects(map.waitReplicated(stamp, 1, { signal: {} }), refused);
  await map.close();
  await assert.rejects(map.waitReplicated(stamp, 1, PATIENT), coded('P2PMAP_CLOSED'));
});

test('the event loop turns while a wait goes on', async (t) => {
  const { open } = opener(t);
  const map = await open('m', { codec: 'utf8' });
  const waiting = map.waitReplicated(map.put('k', 'v'), 1, PATIENT);
  const other = await open('m', { codec: 'utf8', bootstrap: map.addrs });
  assert.deepEqual(await waiting, [other.nodeId]);
});

test('a signal gives up a wait with its reason', async (t) => {
  const [map] = await pair(t);
  const stamp = map.put('k', 'v');
  const stop = new AbortController();
  const waiting = map.waitReplicated(stamp, 2, { ...PATIENT, signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(map.waitReplicated(stamp, 1, { signal: stop.signal }), /enough/);
  const unused = new AbortController();
  assert.equal((await map.waitReplicated(stamp, 1, { ...PATIENT, signal: unused.signal })).length, 1);
});

test('entries of a presence map go with their author and come back with it', async (t) => {
  const { node } = opener(t);
  // Nobody waits for an hour: who goes in time has said goodbye.
  const options = { codec: 'utf8', presence: true, scanMs: 10, peerTimeoutMs: 3_600_000 };
  const first = await node(options);
  const second = await node({ ...options, bootstrap: first.addrs });
  const here = await first.map('m');
  here.put('mine', 'here');
  const watch = here.watch({ prefix: 'their' });
  const theirs = await second.map('m');
  const stamp = theirs.put('theirs', 'there');
  const [shown] = await take(watch, 1);
  assert.deepEqual([shown.kind, shown.value], ['put', 'there']);
  await theirs.close();
  const [pruned] = await take(watch, 1);
  assert.deepEqual([pruned.kind, pruned.key, pruned.value, pruned.oldValue], ['prune', 'theirs', undefined, 'there']);
  assert.deepEqual([String(pruned.stamp), pruned.author, pruned.local], [String(stamp), second.id, false]);
  assert.deepEqual([...here.keys()], ['mine']);
  assert.equal(here.status().hidden, 1);
  const again = await second.map('m');
  const [back] = await take(watch, 1);
  assert.deepEqual([back.kind, back.key, back.value, back.oldValue], ['put', 'theirs', 'there', undefined]);
  await eventually(() => again.size === 2 && here.size === 2);
  assert.equal(here.status().hidden, 0);
});

test('a status of one alone has every field', async (t) => {
  const started = await opener(t).node();
  const map = await started.map('m', { codec: 'utf8' });
  map.put('k', 'v');
  const { digest, bytes, outbox, clockAheadMs, ...rest } = map.status();
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.ok(bytes >= 2 && outbox <= 1 && clockAheadMs >= 0);
  assert.deepEqual(rest, {
    name: 'm',
    live: 1,
    tombstones: 0,
    hidden: 0,
    peers: [],
    refusedEntries: 0,
    aheadEntries: 0,
    rejectedMessages: 0,
    gaps: 0,
    syncs: 0,
    selfChecks: 0,
    forgotten: 0,
    origins: 1,
    durability: 'none',
    cutBytes: 0,
    logBytes: 0,
  });
  const { clockDriftMs, clockSuspect, identityError } = started.status();
  assert.deepEqual([clockDriftMs, clockSuspect, identityError], [undefined, false, undefined]);
});

test('a status tells how each peer compares', async (t) => {
  const { node } = opener(t);
  const first = await node();
  const second = await node({ bootstrap: first.addrs });
  const [map, other] = [await first.map('m', { codec: 'utf8' }), await second.map('m', { codec: 'utf8' })];
  await map.waitReplicated(map.put('k', 'v'), 1, PATIENT);
  await map.sync();
  const peer = await eventually(() => map.status().peers.find(({ behind, driftMs }) => behind === 0 && driftMs !== undefined));
  const { id, connected, inSync, aheadEntries, holdsUpForgetting } = peer;
  assert.deepEqual(
    { id, connected, inSync, aheadEntries, holdsUpForgetting },
    { id: other.nodeId, connected: true, inSync: true, aheadEntries: 0, holdsUpForgetting: false },
  );
  await eventually(() => first.peers()[0].driftMs !== undefined && first.status().clockDriftMs !== undefined);
  assert.equal(first.status().clockSuspect, false);
});
