import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Batch } from 'p2pmap';
import { eventually, opener, run, take } from './support.mjs';

const brief = ({ kind, key, value, oldValue }) => [kind, key, value, oldValue];

test('a listener hears of every change, in order, with the value before', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const seen = [];
  const subscription = map.subscribe((event) => seen.push(event));
  const stamp = map.put('a', '1');
  assert.equal(seen.length, 0, 'never before the caller goes on');
  await eventually(() => seen.length === 1);
  map.put('a', '1');
  map.put('a', '2');
  await eventually(() => seen.length === 2);
  map.remove('a');
  await eventually(() => seen.length === 3);
  assert.deepEqual(seen.map(brief), [
    ['put', 'a', '1', undefined],
    ['put', 'a', '2', '1'],
    ['remove', 'a', undefined, '2'],
  ]);
  assert.equal(String(seen[0].stamp), String(stamp));
  assert.deepEqual([seen[0].author, seen[0].local], [map.nodeId, true]);
  subscription.unsubscribe();
});

test('a snapshot comes first and ends with synced', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  for (let i = 0; i < 1000; i++) map.put(`k${i}`, `${i}`);
  const events = await take(map.watch({ snapshot: true }), 1001);
  const synced = events.pop();
  assert.deepEqual(brief(synced), ['synced', '', undefined, undefined]);
  assert.deepEqual([synced.stamp, synced.author], [undefined, undefined]);
  assert.ok(events.every(({ kind }) => kind === 'put'));
  assert.deepEqual(new Map(events.map(({ key, value }) => [key, value])), new Map(map));
});

test('a prefix narrows what is heard', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const watch = map.watch({ prefix: 'a/' });
  map.apply(new Batch().put('a/1', 'x').put('b', 'x').put('a/2', 'x'));
  assert.deepEqual((await take(watch, 2)).map(({ key }) => key), ['a/1', 'a/2']);
});

test('after unsubscribe the listener is not called, not even for what happened before', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const [first, second] = [[], []];
  const subscription = map.subscribe((event) => {
    first.push(event.key);
    subscription.unsubscribe();
  });
  map.subscribe((event) => second.push(event.key));
  map.apply(new Batch().put('a', '1').put('b', '1'));
  await eventually(() => second.length === 2);
  map.put('c', '1');
  await eventually(() => second.length === 3);
  assert.deepEqual(first, ['a']);
  assert.equal(subscription.active, false);
  subscription.unsubscribe();
});

test('a listener may use the map, and may end it', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const seen = [];
  map.subscribe(({ key }) => {
    seen.push([key, map.get(key)]);
    if (key === 'a') map.put('b', '2');
    else map.close();
  });
  map.put('a', '1');
  await eventually(() => map.closed);
  assert.deepEqual(seen, [['a', '1'], ['b', '2']]);
});

test('a slow reader sees the newest state', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const watch = map.watch();
  for (let i = 0; i < 50_000; i++) map.put(`k${i % 10}`, `${i}`);
  map.put('end', '');
  const last = new Map();
  for await (const { key, value } of watch) {
    if (key === 'end') break;
    last.set(key, value);
  }
  assert.deepEqual(Object.fromEntries(last), Object.fromEntries([...map].filter(([key]) => key !== 'end')));
});

test('what a listener throws is an uncaught exception, and the rest is delivered', async () => {
  const { code, output } = await run(`
    import { open } from 'p2pmap';
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const map = await open('m', { codec: 'utf8' });
    map.subscribe(({ key }) => {
      if (key === 'a') throw new Error('from the listener');
      console.log('heard', key);
      map.close();
    });
    map.put('a', '1');
    map.put('b', '1');`);
  assert.deepEqual(output.trim().split('\n').sort(), ['heard b', 'uncaught from the listener']);
  assert.equal(code, 0);
});

test('a burst of events leaves turns to others', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  let heard = 0;
  map.subscribe(() => heard++);
  for (let i = 0; i < 20_000; i++) map.put(`k${i}`, '');
  const counts = new Set();
  while (heard < 20_000) {
    await turn();
    counts.add(heard);
  }
  assert.ok(counts.size > 5, `heard in ${counts.size} steps`);
});

test('for await ends by break, by the map closing, and by its signal', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  map.put('a', '1');
  const watch = map.watch({ snapshot: true });
  for await (const { key } of watch) {
    assert.equal(key, 'a');
    break;
  }
  assert.deepEqual(await watch.next(), { value: undefined, done: true });

  const stop = new AbortController();
  const aborted = map.watch({ signal: stop.signal });
  const pending = aborted.next();
  stop.abort(new Error('enough'));
  await assert.rejects(pending, /enough/);
  assert.deepEqual(await aborted.next(), { value: undefined, done: true });
  await assert.rejects(map.watch({ signal: AbortSignal.abort() }).next(), { name: 'AbortError' });

  const ending = map.watch();
  const [next, after] = [ending.next(), ending.next()];
  map.put('b', '2');
  assert.equal((await next).value.key, 'b');
  await map.close();
  assert.equal((await after).done, true);
});

test('a signal ends a subscription silently', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const stop = new AbortController();
  const subscription = map.subscribe(() => assert.fail('called'), { signal: stop.signal });
  stop.abort();
  assert.equal(subscription.active, false);
  assert.equal(map.subscribe(() => assert.fail('called'), { signal: stop.signal }).active, false);
  map.put('a', '1');
  await take(map.watch({ snapshot: true }), 2);
});

test('several next() calls are answered in order', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  const watch = map.watch();
  const waiting = [watch.next(), watch.next(), watch.next()];
  map.apply(new Batch().put('a', '').put('b', '').put('c', ''));
  const keys = (await Promise.all(waiting)).map(({ value }) => value.key);
  assert.deepEqual(keys, ['a', 'b', 'c']);
  await watch.return();
});

test('an event prints and serialises with its values', async (t) => {
  const map = await opener(t).open('m', { codec: 'json' });
  const watch = map.watch();
  map.put('a', { on: true });
  const { value: event } = await watch.next();
  assert.match(inspect(event), /MapEvent.*kind: 'put'.*on: true/s);
  assert.deepEqual(JSON.parse(JSON.stringify(event)).value, { on: true });
});
