import assert from 'node:assert/strict';
import test from 'node:test';
import { Batch } from 'p2pmap';
import { coded, eventually, opener, run } from './support.mjs';

test('local writes ask the validator, and no means nothing changed', async (t) => {
  const asked = [];
  const map = await opener(t).open('m', {
    codec: 'json',
    validator(key, value) {
      asked.push([key, value]);
      if (value === 'throw') throw new Error('as asked');
      return value !== 'no';
    },
  });
  map.put('a', 'yes');
  assert.throws(() => map.put('b', 'no'), coded('P2PMAP_INVALID_VALUE'));
  assert.throws(() => map.put('c', 'throw'), coded('P2PMAP_INVALID_VALUE'));
  assert.throws(() => map.apply(new Batch().put('d', 'yes').put('e', 'no')), coded('P2PMAP_INVALID_VALUE'));
  assert.deepEqual([...map.keys()], ['a']);
  assert.deepEqual(asked.slice(0, 3), [['a', 'yes'], ['b', 'no'], ['c', 'throw']]);
});

test('a validator may use the map it guards', async (t) => {
  const map = await opener(t).open('m', {
    codec: 'utf8',
    validator: (key) => key === 'first' || (map.get('first') === 'value of first' && map.has('first')),
  });
  assert.throws(() => map.put('second', 'x'), coded('P2PMAP_INVALID_VALUE'));
  map.put('first', 'value of first');
  const stamp = map.put('second', 'value of second');
  assert.equal(map.get('second'), 'value of second');
  assert.equal(String(map.entry('second').stamp), String(stamp));
});

test('a promise is not an answer', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8', validator: async () => true });
  assert.throws(() => map.put('a', '1'), coded('P2PMAP_INVALID_VALUE'));
});

test('entries from peers are asked about on the JavaScript thread', async (t) => {
  const { open } = opener(t);
  const wild = await open('m', { codec: 'utf8' });
  const asked = new Set();
  const guarded = await open('m', {
    codec: 'json',
    bootstrap: wild.addrs,
    validator(key, value) {
      asked.add(key);
      return value.ok === true;
    },
  });
  wild.put('bad', '{"ok":false}');
  wild.put('not json', '{');
  wild.put('good', '{"ok":true}');
  await eventually(() => guarded.has('good') && asked.has('bad'));
  await eventually(() => guarded.status().refusedEntries >= 2);
  assert.deepEqual([...guarded.keys()], ['good']);
  assert.equal(asked.has('not json'), false, 'what the codec cannot read is no, unasked');
});

test('a busy JavaScript thread blocks neither itself nor the network for long', async (t) => {
  const { open } = opener(t);
  const writer = await open('m', { codec: 'utf8', antiEntropyMs: 200 });
  const guarded = await open('m', { codec: 'utf8', bootstrap: writer.addrs, antiEntropyMs: 200, validator: () => true });
  writer.put('before', '1');
  await eventually(() => guarded.has('before'));
  for (let i = 0; i < 100; i++) writer.put(`k${i}`, '1');
  const end = Date.now() + 3000;
  while (Date.now() < end) guarded.put('mine', String(end));
  await eventually(() => guarded.has('k99') && writer.has('mine'));
});

test('a worker that ends while its validator is asked does not hang', async () => {
  const { code, errors } = await run(`
    import { Worker } from 'node:worker_threads';
    import { once } from 'node:events';
    import { open } from 'p2pmap';
    const map = await open('m', { codec: 'utf8' });
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(\`
        import { parentPort, workerData } from 'node:worker_threads';
        import { open } from 'p2pmap';
        const busy = new Int32Array(new SharedArrayBuffer(4));
        open('m', { bootstrap: workerData, validator() { parentPort.postMessage('asked'); Atomics.wait(busy, 0, 0, 200); return true; } });
        setInterval(() => {}, 1000);\`, { eval: true, workerData: map.addrs });
      const pump = setInterval(() => map.put('k' + Math.random(), 'v'), 1);
      await once(worker, 'message');
      await worker.terminate();
      clearInterval(pump);
    }
    await map.close();`);
  assert.equal(code, 0, errors);
});
