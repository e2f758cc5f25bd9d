import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { coded, opener } from './support.mjs';

test('json values come back as they went', async (t) => {
  const map = await opener(t).open('m', { codec: 'json' });
  const values = [null, true, 0, -1.5, '', 'grün 🦀', [], [1, [2]], {}, { a: { b: 'c' } }, 'x'.repeat(200_000)];
  for (const value of values) {
    map.put('key', value);
    assert.deepEqual(map.get('key'), value);
  }
});

test('utf8 values come back as they went', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  for (const value of ['', 'a', '\0', 'grün', '🦀'.repeat(100), 'ü'.repeat(50_000)]) {
    map.put('key', value);
    assert.equal(map.get('key'), value);
  }
});

test('every codec is a view of the same bytes', async (t) => {
  const node = await opener(t).node();
  const [bytes, text, json] = await Promise.all([
    node.map('m'),
    node.map('m', { codec: 'utf8' }),
    node.map('m', { codec: 'json', keys: 'buffer' }),
  ]);
  json.put('a', { on: true });
  assert.equal(text.get('a'), '{"on":true}');
  assert.deepEqual(bytes.get('a'), Buffer.from('{"on":true}'));
  assert.deepEqual([...json], [[Buffer.from('a'), { on: true }]]);
});

test('keys can be read as bytes', async (t) => {
  const map = await opener(t).open('m', { keys: 'buffer' });
  const key = Buffer.from([0xff, 0x00, 0xfe]);
  map.put(key, Buffer.from('value'));
  assert.deepEqual([...map.keys()], [key]);
  assert.deepEqual(map.entry(key).key, key);
  const { value: event } = await map.watch({ snapshot: true }).next();
  assert.deepEqual(event.key, key);
});

test('a value that the codec cannot hold is refused, and nothing is written', async (t) => {
  const node = await opener(t).node();
  const [bytes, text, json] = await Promise.all([
    node.map('b'),
    node.map('t', { codec: 'utf8' }),
    node.map('j', { codec: 'json' }),
  ]);
  const cycle = {};
  cycle.self = cycle;
  for (const value of ['text', 1, null, undefined, {}, [1]]) {
    assert.throws(() => bytes.put('k', value), coded('P2PMAP_INVALID_ARGUMENT'));
  }
  for (const value of [Buffer.from('x'), 1, null, undefined]) {
    assert.throws(() => text.put('k', value), coded('P2PMAP_INVALID_ARGUMENT'));
  }
  for (const value of [undefined, () => {}, Symbol('s'), 1n, cycle]) {
    assert.throws(() => json.put('k', value), coded('P2PMAP_INVALID_ARGUMENT'));
  }
  assert.deepEqual([bytes.size, text.size, json.size], [0, 0, 0]);
});

test('a value that the codec cannot read says so where it is looked at', async (t) => {
  const node = await opener(t).node();
  const bytes = await node.map('m');
  const json = await node.map('m', { codec: 'json' });
  const watch = json.watch();
  bytes.put('k', Buffer.from('secret {'));
  for (const read of [() => json.get('k'), () => json.entry('k'), () => [...json.values()]]) {
    assert.throws(read, (error) => coded('P2PMAP_INVALID_VALUE')(error) && !error.message.includes('secret'));
  }
  assert.deepEqual([...json.keys()], ['k']);
  const { value: event } = await watch.next();
  assert.deepEqual([event.kind, event.key], ['put', 'k']);
  assert.throws(() => event.value, coded('P2PMAP_INVALID_VALUE'));
  assert.match(inspect(event), /value: 'P2PMAP_INVALID_VALUE'/);
});

test('keys of another type are refused', async (t) => {
  const map = await opener(t).open('m');
  for (const key of [1, null, undefined, {}, ['a']]) {
    assert.throws(() => map.get(key), coded('P2PMAP_INVALID_ARGUMENT'));
    assert.throws(() => map.put(key, Buffer.from('x')), coded('P2PMAP_INVALID_ARGUMENT'));
    assert.throws(() => map.remove(key), coded('P2PMAP_INVALID_ARGUMENT'));
    assert.throws(() => map.removePrefix(key), coded('P2PMAP_INVALID_ARGUMENT'));
  }
});

test('a value may use the map while it becomes JSON', async (t) => {
  const map = await opener(t).open('m', { codec: 'json' });
  map.put('other', 'x'.repeat(100));
  const value = { toJSON: () => map.get('other').length };
  map.put('k', value);
  map.put('k with ttl', value, { ttlMs: 3_600_000 });
  assert.deepEqual([...map], [['k', 100], ['k with ttl', 100], ['other', 'x'.repeat(100)]]);
});
