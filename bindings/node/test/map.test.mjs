import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { Batch, Stamp } from 'p2pmap';
import { opener } from './support.mjs';

test('what was put is read, until it is removed', async (t) => {
  const map = await opener(t).open('m');
  assert.equal(map.get('sky'), undefined);
  map.put('sky', Buffer.from('blue'));
  assert.deepEqual(map.get('sky'), Buffer.from('blue'));
  assert.equal(map.has('sky'), true);
  assert.equal(map.size, 1);
  assert.equal(map.remove('sky'), true);
  assert.equal(map.remove('sky'), false);
  assert.equal(map.get('sky'), undefined);
  assert.equal(map.has('sky'), false);
  assert.equal(map.size, 0);
});

test('keys are text or the same bytes, of any length and content', async (t) => {
  const map = await opener(t).open('m', { maxKeyBytes: 65536 });
  const keys = ['', '\0', 'a\0b', 'grün', '日本語', '🦀', 'x'.repeat(63), 'x'.repeat(65), 'é'.repeat(40), 'x'.repeat(65000)];
  for (const key of keys) {
    map.put(key, Buffer.from(key));
    assert.deepEqual(map.get(Buffer.from(key)), Buffer.from(key));
    assert.equal(map.has(key), true);
  }
  map.put(new Uint8Array([0xff, 0x00]), Buffer.from('bytes'));
  assert.deepEqual(map.get(Buffer.from([0xff, 0x00])), Buffer.from('bytes'));
  assert.equal(map.size, keys.length + 1);
  for (const key of keys) assert.equal(map.remove(key), true);
});

test('values of every size come back as they were', async (t) => {
  const map = await opener(t).open('m');
  for (const size of [0, 1, 100, 8 * 1024, 79 * 1024, 80 * 1024, 81 * 1024, 1024 * 1024]) {
    const value = Buffer.alloc(size, (i) => i).fill(`${size} `);
    map.put(`size ${size}`, value);
    assert.ok(map.get(`size ${size}`).equals(value), `size ${size}`);
  }
});

test('a value read is a copy of its own', async (t) => {
  const map = await opener(t).open('m');
  map.put('a', Buffer.from('first'));
  const first = map.get('a');
  map.put('a', Buffer.from('other'));
  map.get('a').fill(0);
  assert.equal(first.toString(), 'first');
  assert.equal(map.get('a').toString(), 'other');
});

test('values read are Buffers like any, and none of many is overwritten by the next', async (t) => {
  const map = await opener(t).open('m');
  const value = (number) => Buffer.alloc(1 + ((number * 37) % 3000), number);
  for (let number = 0; number < 200; number++) map.put(`${number}`, value(number));
  const read = Array.from({ length: 200 }, (_, number) => map.get(`${number}`));
  read.forEach((got, number) => assert.deepStrictEqual(got, value(number)));
  assert.ok(read.every((got) => Object.getPrototypeOf(got) === Buffer.prototype && got.buffer.byteLength <= Buffer.poolSize));
});

test('the memory of a value that was read can be given away', async (t) => {
  if (!ArrayBuffer.prototype.transfer) return t.skip('this Node.js cannot');
  const map = await opener(t).open('m');
  map.put('a', Buffer.from('first'));
  const { buffer } = map.get('a');
  const taken = new Uint8Array(buffer.transfer());
  const before = Buffer.from(taken);
  assert.equal(map.get('a').toString(), 'first');
  assert.deepEqual(Buffer.from(taken), before);
});

test('keys of every length are found again, as text and as bytes', async (t) => {
  const map = await opener(t).open('m', { maxKeyBytes: 20_000 });
  for (const letter of ['k', 'é', '🔑']) {
    for (const count of [0, 1, 16, 64, 65, 1022, 1023, 1024, 1025, 2047, 2048, 4090, 4095, 4096, 4097]) {
      const key = letter.repeat(count);
      const bytes = new TextEncoder().encode(key);
      const [text, binary] = [`${letter} ${count}`, `bytes of ${letter} ${count}`];
      map.put(key, Buffer.from(text));
      assert.equal(map.get(bytes).toString(), text);
      map.put(bytes, Buffer.from(binary));
      assert.equal(map.get(key).toString(), binary);
      assert.deepEqual([map.has(key), map.has(bytes), map.remove(key), map.remove(bytes)], [true, true, true, false]);
      assert.deepEqual([map.has(key), map.has(bytes), map.get(key), map.get(bytes)], [false, false, undefined, undefined]);
    }
  }
});

test('a view of a larger buffer is stored as the view', async (t) => {
  const map = await opener(t).open('m');
  const whole = new Uint8Array(200_000).fill(7);
  map.put('short', whole.subarray(3, 5));
  map.put('long', whole.subarray(0, 150_000));
  assert.deepEqual([map.get('short').length, map.get('long').length], [2, 150_000]);
});

test('put returns the stamp that the entry has', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const before = Date.now();
  const [small, big] = [map.put('a', '1'), map.put('b', 'x'.repeat(100_000))];
  assert.ok(small instanceof Stamp);
  assert.ok(big.timestamp > small.timestamp);
  for (const [key, stamp] of [['a', small], ['b', big]]) {
    const entry = map.entry(key);
    assert.equal(String(entry.stamp), String(stamp));
    assert.equal(entry.key, key);
    assert.equal(entry.value, map.get(key));
    assert.equal(entry.author, map.nodeId);
    assert.equal(entry.timeMs, stamp.timeMs);
    assert.equal(stamp.epoch, entry.stamp.epoch);
    assert.ok(stamp.timeMs >= before && stamp.timeMs <= Date.now());
    assert.equal(stamp.timestamp >> 16n, BigInt(stamp.timeMs));
  }
  assert.equal(map.entry('absent'), undefined);
});

test('scans are ordered by bytes, and take prefix, range, limit and reverse', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  for (const key of ['b', 'a/2', 'a/1', 'a', 'ä', 'Z', '']) map.put(key, key.toUpperCase());
  assert.deepEqual([...map.keys()], ['', 'Z', 'a', 'a/1', 'a/2', 'b', 'ä']);
  assert.deepEqual([...map.keys({ prefix: 'a/' })], ['a/1', 'a/2']);
  assert.deepEqual([...map.keys({ start: 'a/2', end: 'ä' })], ['a/2', 'b']);
  assert.deepEqual([...map.keys({ limit: 2, reverse: true })], ['ä', 'b']);
  assert.deepEqual([...map.keys({ limit: 0 })], []);
  assert.deepEqual([...map.keys({ limit: Infinity })].length, 7);
  assert.deepEqual([...map.values({ prefix: 'a' })], ['A', 'A/1', 'A/2']);
  assert.deepEqual([...map.entries({ start: 'b' })], [['b', 'B'], ['ä', 'Ä']]);
  assert.deepEqual([...map], [...map.entries()]);
  const [entry] = map.scan({ prefix: 'Z' });
  assert.deepEqual([entry.key, entry.value, entry.author], ['Z', 'Z', map.nodeId]);
  const seen = [];
  map.forEach((value, key, all) => seen.push([key, value, all === map]));
  assert.deepEqual(seen[1], ['Z', 'Z', true]);
});

test('a scan longer than a batch sees each key once, while others write', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const key = (i) => `key ${String(i).padStart(5, '0')}`;
  for (let i = 0; i < 3000; i++) map.put(key(i), 'x'.repeat(i % 700));
  const seen = [];
  for (const name of map.keys()) {
    if (seen.length % 100 === 0) map.put(key(seen.length), 'again');
    seen.push(name);
  }
  assert.deepEqual(seen, Array.from({ length: 3000 }, (_, i) => key(i)));
  const some = [];
  for (const [name] of map) if (some.push(name) === 10) break;
  assert.equal(some.length, 10);
});

test('a batch is applied whole', async (t) => {
  const map = await opener(t).open('m', { codec: 'json' });
  map.put('old', 1);
  const batch = new Batch().put('a', { deep: [1] }).put('b', null).remove('old').remove('absent');
  assert.equal(batch.length, 4);
  const stamp = map.apply(batch);
  assert.deepEqual([...map], [['a', { deep: [1] }], ['b', null]]);
  assert.ok(stamp.timestamp >= map.entry('b').stamp.timestamp);
  assert.equal(map.apply(new Batch()), undefined);
  assert.equal(map.apply(batch.clear().remove('absent')), undefined);
});

test('removePrefix removes what starts so', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  for (const key of ['a/1', 'a/2', 'b']) map.put(key, '');
  assert.equal(map.removePrefix('a/'), 2);
  assert.equal(map.removePrefix('a/'), 0);
  assert.deepEqual([...map.keys()], ['b']);
});

test('status tells of entries, bytes and digest', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  map.put('a', '1');
  map.put('b', '1');
  map.remove('b');
  const { name, live, tombstones, bytes, digest, peers } = map.status();
  assert.deepEqual({ name, live, tombstones, peers }, { name: 'm', live: 1, tombstones: 1, peers: [] });
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.ok(bytes >= 2);
});

test('maps and nodes say what they are when printed', async (t) => {
  const { open, node } = opener(t);
  const map = await open('m', { codec: 'utf8' });
  map.put('a', '1');
  assert.equal(inspect(map), 'P2pMap("m", size 1)');
  assert.equal(Object.prototype.toString.call(map), '[object P2pMap]');
  await map.close();
  assert.equal(inspect(map), 'P2pMap("m", closed)');
  const started = await node();
  assert.equal(inspect(started), `Node(${started.id})`);
});
