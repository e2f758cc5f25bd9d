import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Node, open } from 'p2pmap';
import { eventually, opener, run } from './support.mjs';

test('the process exits when a map is left open', async () => {
  const { code, output, errors } = await run(`
    import { open } from 'p2pmap';
    const map = await open('m', { codec: 'utf8' });
    map.put('a', '1');
    console.log(map.get('a'));`);
  assert.deepEqual([code, output], [0, '1\n'], errors);
});

test('an open subscription keeps the process alive until it ends', async () => {
  const { code, output } = await run(`
    import { open } from 'p2pmap';
    const map = await open('m', { codec: 'utf8' });
    const subscription = map.subscribe(({ key }) => {
      console.log('heard', key);
      subscription.unsubscribe();
    });
    setTimeout(() => map.put('late', '1'), 300).unref();`);
  assert.deepEqual([code, output], [0, 'heard late\n']);
});

test('an unref’ed subscription does not, and ref takes that back', async () => {
  const source = (calls) => `
    import { open } from 'p2pmap';
    const map = await open('m', { codec: 'utf8' });
    const subscription = map.subscribe(() => {
      console.log('heard');
      subscription.unsubscribe();
    })${calls};
    setTimeout(() => map.put('late', '1'), 300).unref();`;
  assert.deepEqual([(await run(source('.unref()'))).output, (await run(source('.unref().ref()'))).output], ['', 'heard\n']);
});

test('who waits in a watch keeps the process alive, who does not wait does not', async () => {
  const { code, output } = await run(`
    import { open } from 'p2pmap';
    const map = await open('m', { codec: 'utf8' });
    const idle = map.watch();
    setTimeout(() => map.put('late', '1'), 300).unref();
    for await (const { key } of map.watch()) { console.log('heard', key); break; }`);
  assert.deepEqual([code, output], [0, 'heard late\n']);
});

test('process.exit in the middle of traffic is clean', async () => {
  for (let round = 0; round < 5; round++) {
    const { code, errors } = await run(`
      import { open } from 'p2pmap';
      const a = await open('m', { codec: 'utf8' });
      const b = await open('m', { codec: 'utf8', bootstrap: a.addrs });
      let heard = 0;
      b.subscribe(() => { if (++heard === 500) process.exit(7); });
      setInterval(() => { for (let i = 0; i < 100; i++) a.put('k' + Math.random(), 'v'); }, 1);`);
    assert.deepEqual([code, errors], [7, '']);
  }
});

test('several workers each open, write, and end, and their nodes with them', async () => {
  const { code, output, errors } = await run(`
    import { Worker } from 'node:worker_threads';
    import { setTimeout as pause } from 'node:timers/promises';
    import { Node } from 'p2pmap';
    const node = await Node.open();
    const seed = await node.map('m', { codec: 'utf8' });
    const work = \`
      import { parentPort, workerData } from 'node:worker_threads';
      import { open } from 'p2pmap';
      const map = await open('m', { codec: 'utf8', bootstrap: workerData.addrs });
      map.subscribe(() => {}).unref();
      map.put('worker ' + workerData.number, 'done');
      for await (const { key } of map.watch({ snapshot: true })) if (key === 'seed') break;
      await map.sync();
      parentPort.postMessage('done');
      // One closes, one leaves it open, one is terminated.
      if (workerData.number === 0) await map.close();
      if (workerData.number === 2) setInterval(() => {}, 1000);\`;
    seed.put('seed', '1');
    for (let round = 0; round < 3; round++) {
      await Promise.all([0, 1, 2].map((number) => new Promise((resolve, reject) => {
        const worker = new Worker(work, { eval: true, workerData: { addrs: node.addrs, number } });
        worker.on('message', () => number === 2 && worker.terminate());
        worker.on('error', reject);
        worker.on('exit', resolve);
      })));
    }
    const watch = seed.watch({ snapshot: true });
    const wanted = new Set(['worker 0', 'worker 1', 'worker 2']);
    for await (const { key } of watch) if (wanted.delete(key) && wanted.size === 0) break;
    console.log('all heard');
    while (node.peers().length > 0) await pause(5);
    console.log('all gone');
    await node.close();`);
  assert.deepEqual([code, output], [0, 'all heard\nall gone\n'], errors);
});

test('maps dispose of themselves', async () => {
  const map = await open('m');
  map[Symbol.dispose]();
  await eventually(() => map.closed);
  const node = await Node.open();
  await node[Symbol.asyncDispose]();
  assert.equal(node.closed, true);
});

test('opening and closing leaves no threads and no files', { skip: process.platform !== 'linux' }, async () => {
  const count = (kind) => readdirSync(`/proc/self/${kind}`).length;
  const round = async () => {
    const map = await open('m', { codec: 'utf8' });
    map.subscribe(() => {});
    map.put('a', '1');
    await map.close();
  };
  for (let i = 0; i < 5; i++) await round();
  const before = [count('task'), count('fd')];
  for (let i = 0; i < 50; i++) await round();
  await eventually(() => count('task') <= before[0] && count('fd') <= before[1]);
});

test('closed maps and ended watches are collected', { skip: !globalThis.gc }, async (t) => {
  const node = await opener(t).node();
  const map = await node.map('kept', { codec: 'utf8' });
  const collected = new Set();
  const registry = new FinalizationRegistry((name) => collected.add(name));
  await (async () => {
    const closed = await open('m', { codec: 'utf8' });
    closed.put('a', '1');
    await closed.close();
    registry.register(closed, 'map');
    const subscription = map.subscribe(() => {});
    subscription.unsubscribe();
    registry.register(subscription, 'subscription');
    const watch = map.watch();
    await watch.return();
    registry.register(watch, 'watch');
    registry.register(await node.map('kept'), 'handle');
  })();
  await eventually(async () => {
    globalThis.gc();
    await turn();
    return collected.size === 4;
  }, `all collected`);
});

test('reading and writing leaks no memory', { skip: !globalThis.gc }, async (t) => {
  const map = await opener(t).open('m', { codec: 'buffer' });
  const value = Buffer.alloc(1000, 1);
  const big = Buffer.alloc(100_000, 1);
  const work = () => {
    for (let i = 0; i < 20_000; i++) {
      map.put('k', value);
      map.get('k');
    }
    for (let i = 0; i < 200; i++) {
      map.put('big', big);
      map.get('big');
      [...map];
    }
    globalThis.gc();
  };
  const rounds = async (count) => {
    for (let i = 0; i < count; i++) {
      work();
      await turn();
    }
    return process.memoryUsage().rss;
  };
  const before = await rounds(10);
  const after = await rounds(20);
  // The allocator keeps up to a hundred megabytes, now and then; each copy that stays would be 40 MB a round.
  assert.ok(after - before < 300e6, `grew by ${after - before} bytes`);
});
