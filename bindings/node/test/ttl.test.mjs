import assert from 'node:assert/strict';
import test from 'node:test';
import { Batch } from 'p2pmap';
import { coded, opener, take } from './support.mjs';

const HOUR_MS = 3_600_000;
/** Short, since what comes after is awaited. */
const SOON_MS = 30;
const QUICK = { codec: 'utf8', scanMs: 10 };

async function expired(watch, key) {
  for (;;) {
    const { value: event } = await watch.next();
    if (event.kind === 'expire' && event.key === key) return event;
  }
}

test('an entry expires, and listeners are told', async (t) => {
  const map = await opener(t).open('m', QUICK);
  const watch = map.watch();
  const stamp = map.put('k', 'v', { ttlMs: SOON_MS });
  const [put, expire] = await take(watch, 2);
  assert.deepEqual([put.kind, put.value], ['put', 'v']);
  assert.deepEqual([expire.kind, expire.key, expire.value, expire.oldValue], ['expire', 'k', undefined, 'v']);
  assert.deepEqual([String(expire.stamp), expire.author, expire.local], [String(stamp), map.nodeId, true]);
  assert.deepEqual([map.get('k'), map.entry('k'), map.has('k'), map.size], [undefined, undefined, false, 0]);
  assert.equal(map.remove('k'), false);
});

test('an entry says when it expires, alone and in a scan', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const before = Date.now();
  map.put('a', '1', { ttlMs: HOUR_MS });
  map.put('b', '2');
  map.put('large', 'x'.repeat(200_000), { ttlMs: HOUR_MS });
  const after = Date.now();
  for (const key of ['a', 'large']) {
    const { expiresAtMs } = map.entry(key);
    assert.ok(before + HOUR_MS <= expiresAtMs && expiresAtMs <= after + HOUR_MS, `${expiresAtMs}`);
  }
  assert.equal(map.entry('b').expiresAtMs, undefined);
  const scanned = [...map.scan()].map(({ key, value, expiresAtMs }) => [key, value.length, expiresAtMs]);
  assert.deepEqual(scanned, [
    ['a', 1, map.entry('a').expiresAtMs],
    ['b', 1, undefined],
    ['large', 200_000, map.entry('large').expiresAtMs],
  ]);
  assert.deepEqual([...map.keys()], ['a', 'b', 'large']);
});

test('a put that says nothing goes by the map, and null is for ever', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8', defaultTtlMs: HOUR_MS });
  const before = Date.now();
  for (const options of [undefined, {}, { ttlMs: undefined }]) {
    map.put('k', 'v', options);
    assert.ok(map.entry('k').expiresAtMs >= before + HOUR_MS);
  }
  map.put('k', 'v', { ttlMs: null });
  assert.equal(map.entry('k').expiresAtMs, undefined);
});

test('a batch says it for each of its puts', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8', defaultTtlMs: HOUR_MS });
  const before = Date.now();
  map.apply(new Batch().put('default', '').put('day', '', { ttlMs: 24 * HOUR_MS }).put('never', '', { ttlMs: null }));
  const lives = (key) => map.entry(key).expiresAtMs - before;
  assert.ok(HOUR_MS <= lives('default') && lives('default') < 24 * HOUR_MS);
  assert.ok(24 * HOUR_MS <= lives('day'));
  assert.equal(map.entry('never').expiresAtMs, undefined);
});

test('a put renews', async (t) => {
  const map = await opener(t).open('m', QUICK);
  const watch = map.watch();
  map.put('renewed', '1', { ttlMs: SOON_MS });
  map.put('renewed', '2', { ttlMs: HOUR_MS });
  map.put('kept', '1', { ttlMs: SOON_MS });
  map.put('kept', '2', { ttlMs: null });
  map.put('last', '', { ttlMs: SOON_MS });
  await expired(watch, 'last');
  assert.deepEqual([...map], [['kept', '2'], ['renewed', '2']]);
});

test('what is no time to live is refused, and nothing is written', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const refused = coded('P2PMAP_INVALID_ARGUMENT');
  for (const ttlMs of [0, -1, NaN, Infinity, 1e300, 101 * 365.25 * 24 * HOUR_MS, '5', 5n, true, {}, Symbol('s')]) {
    assert.throws(() => map.put('k', 'v', { ttlMs }), refused, String(ttlMs));
    assert.throws(() => map.put('k', 'x'.repeat(200_000), { ttlMs }), refused, String(ttlMs));
    assert.throws(() => map.apply(new Batch().put('other', 'v').put('k', 'v', { ttlMs })), refused, String(ttlMs));
  }
  for (const options of [null, 5, 'soon']) assert.throws(() => map.put('k', 'v', options), refused);
  assert.equal(map.size, 0);
});

test('an entry expires on every node', async (t) => {
  const { open } = opener(t);
  const map = await open('m', QUICK);
  const other = await open('m', { ...QUICK, bootstrap: map.addrs });
  const watch = other.watch();
  await map.waitReplicated(map.put('k', 'long', { ttlMs: HOUR_MS }));
  assert.equal(other.get('k'), 'long');
  // It may have run out before it arrives there: then the value before is that of the first put.
  const stamp = map.put('k', 'short', { ttlMs: SOON_MS });
  const event = await expired(watch, 'k');
  assert.ok(['long', 'short'].includes(event.oldValue));
  assert.deepEqual([String(event.stamp), event.author, event.local], [String(stamp), map.nodeId, false]);
});
