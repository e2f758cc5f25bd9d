import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Batch, Node, P2pMap, open } from 'p2pmap';
import { coded, opener, run } from './support.mjs';

test('a closed map says so, everywhere', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  map.put('a', '1');
  assert.equal(map.closed, false);
  await map.close();
  await map.close();
  assert.equal(map.closed, true);
  const calls = [
    () => map.get('a'),
    () => map.has('a'),
    () => map.put('a', '1'),
    () => map.put('a', 'x'.repeat(100_000)),
    () => map.remove('a'),
    () => map.size,
    () => map.entry('a'),
    () => map.removePrefix('a'),
    () => map.apply(new Batch().put('a', '1')),
    () => [...map],
    () => map.status(),
    () => map.subscribe(() => {}),
    () => map.watch(),
  ];
  for (const call of calls) assert.throws(call, coded('P2PMAP_CLOSED'), call.toString());
  await assert.rejects(map.sync(100), coded('P2PMAP_CLOSED'));
});

test('a closed node says so, and has closed its maps', async (t) => {
  const node = await opener(t).node();
  const map = await node.map('m');
  await node.close();
  await node.close();
  assert.deepEqual([node.closed, map.closed], [true, true]);
  assert.throws(() => node.peers(), coded('P2PMAP_CLOSED'));
  assert.throws(() => node.maps(), coded('P2PMAP_CLOSED'));
  assert.throws(() => node.status(), coded('P2PMAP_CLOSED'));
  await assert.rejects(node.map('m'), coded('P2PMAP_CLOSED'));
  await assert.rejects(node.connect('/ip4/127.0.0.1/tcp/1'), coded('P2PMAP_CLOSED'));
});

test('what is over a limit is refused', async (t) => {
  const map = await opener(t).open('m', { maxKeyBytes: 10, maxValueBytes: 100 });
  assert.throws(() => map.put('k'.repeat(11), Buffer.alloc(1)), coded('P2PMAP_TOO_LARGE'));
  assert.throws(() => map.put('k', Buffer.alloc(101)), coded('P2PMAP_TOO_LARGE'));
  assert.throws(() => map.put('k', Buffer.alloc(1_000_000)), coded('P2PMAP_TOO_LARGE'));
  assert.equal(map.get('k'.repeat(11)), undefined);
  assert.equal(map.get('k'.repeat(1_000_000)), undefined);
  assert.equal(map.size, 0);
});

test('options are refused with the name and what is allowed', async () => {
  const cases = [
    [{ no_such_option: 1 }, /no_such_option/],
    [{ noSuchOption: 1 }, /no_such_option/],
    [{ antiEntropyMs: 'soon' }, /anti_entropy_ms/],
    [{ insecure: 'perhaps' }, /insecure/],
    [{ listen: [{}] }, /listen/],
    [{ codec: 'xml' }, /codec.*'json'/],
    [{ keys: 'number' }, /keys.*'buffer'/],
    [{ maps: { m: { nonsense: 1 } } }, /nonsense/],
  ];
  for (const [options, message] of cases) {
    const refused = (error) => coded('P2PMAP_INVALID_CONFIG')(error) && message.test(error.message);
    await assert.rejects(Node.open(options), refused, JSON.stringify(options));
    await assert.rejects(open('m', options), refused, JSON.stringify(options));
  }
});

test('arguments of the wrong type are refused', async (t) => {
  const node = await opener(t).node();
  const map = await node.map('m');
  await assert.rejects(open(7), coded('P2PMAP_INVALID_ARGUMENT'));
  await assert.rejects(open('m', null), coded('P2PMAP_INVALID_ARGUMENT'));
  await assert.rejects(node.map(undefined), coded('P2PMAP_INVALID_ARGUMENT'));
  await assert.rejects(node.map(''), coded('P2PMAP_INVALID_ARGUMENT'));
  await assert.rejects(node.connect(7), coded('P2PMAP_INVALID_ARGUMENT'));
  await assert.rejects(node.connect('nonsense'), coded('P2PMAP_INVALID_ARGUMENT'));
  assert.throws(() => map.subscribe('listener'), coded('P2PMAP_INVALID_ARGUMENT'));
  assert.throws(() => map.subscribe(() => {}, { signal: {} }), coded('P2PMAP_INVALID_ARGUMENT'));
  assert.throws(() => map.apply([]), coded('P2PMAP_INVALID_ARGUMENT'));
  assert.throws(() => [...map.keys({ limit: 'many' })], coded('P2PMAP_INVALID_ARGUMENT'));
  assert.throws(() => new Node(), coded('P2PMAP_INVALID_ARGUMENT'));
  assert.throws(() => new P2pMap(), coded('P2PMAP_INVALID_ARGUMENT'));
});

test('an address that is taken is named in the error', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listen = `/ip4/127.0.0.1/tcp/${server.address().port}`;
  await assert.rejects(Node.open({ listen }), coded('P2PMAP_ADDRESS_IN_USE'));
});

test('a full map refuses new keys', async (t) => {
  const map = await opener(t).open('m', { maxEntries: 1, codec: 'utf8' });
  map.put('a', '1');
  map.put('a', '2');
  assert.throws(() => map.put('b', '1'), coded('P2PMAP_FULL'));
});

test('options come from a file and the environment too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'p2pmap-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'node.toml');
  writeFileSync(config, 'cluster_id = "from the file"\n[maps.declared]\nmax_entries = 1\n');
  const node = await opener(t).node({ config });
  assert.equal(node.status().clusterId, 'from the file');
  assert.deepEqual(node.maps(), ['declared']);
  const { output, errors } = await run(
    `import { Node } from 'p2pmap';
     const given = await Node.open({ env: true });
     const ignored = await Node.open();
     console.log(given.status().clusterId, ignored.status().clusterId === given.status().clusterId);`,
    { env: { P2PMAP_CLUSTER_ID: 'environment' } },
  );
  assert.equal(output, 'environment false\n', errors);
});
