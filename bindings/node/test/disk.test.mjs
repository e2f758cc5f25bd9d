// What waits for the disk: durable maps, dumps, and their promises.

import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Batch, Node, open } from 'p2pmap';
import { coded, opener } from './support.mjs';

function directory(t) {
  const path = mkdtempSync(join(tmpdir(), 'p2pmap-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const kept = (path) => open('m', { dataDir: join(path, 'data'), durability: 'sync', codec: 'utf8' });

test('a durable map is there when it is opened again', async (t) => {
  const path = directory(t);
  const first = await kept(path);
  first.put('a', '1');
  first.put('b', '2', { ttlMs: 3_600_000 });
  first.put('c', '3');
  first.remove('c');
  first.apply(new Batch().put('d', '4'));
  await first.close();
  const again = await kept(path);
  assert.deepEqual([...again], [['a', '1'], ['b', '2'], ['d', '4']]);
  await again.destroy();
  const empty = await kept(path);
  assert.equal(empty.size, 0);
  await empty.close();
});

test('a promise writes at once and in order, and waits for the disk', async (t) => {
  const path = directory(t);
  const map = await kept(path);
  const puts = Array.from({ length: 1000 }, (_, i) => map.putAsync('k', String(i)));
  assert.equal(map.get('k'), '999', 'written at once');
  const stamps = await Promise.all(puts);
  assert.ok(stamps.every((stamp, i) => i === 0 || stamp.timestamp > stamps[i - 1].timestamp), 'in order');
  assert.notEqual(await map.applyAsync(new Batch().put('p/1', 'x').put('p/2', 'x')), undefined);
  assert.equal(await map.applyAsync(new Batch()), undefined);
  assert.equal(await map.removePrefixAsync('p/'), 2);
  await map.putAsync('gone', 'x', { ttlMs: 3_600_000 });
  assert.equal(await map.removeAsync('gone'), true);
  assert.equal(await map.removeAsync('gone'), false);
  await assert.rejects(map.putAsync('k', 'x'.repeat(2_000_000)), coded('P2PMAP_TOO_LARGE'));
  await assert.rejects(map.putAsync('k', 1), coded('P2PMAP_INVALID_ARGUMENT'));
  await assert.rejects(map.applyAsync({}), coded('P2PMAP_INVALID_ARGUMENT'));
  cpSync(join(path, 'data'), join(path, 'copy', 'data'), { recursive: true });
  const copy = await kept(join(path, 'copy'));
  assert.deepEqual([...copy], [['k', '999']]);
  await copy.close();
  await map.close();
  await assert.rejects(map.putAsync('k', 'x'), coded('P2PMAP_CLOSED'));
});

test('promises write to maps in memory too', async (t) => {
  const map = await opener(t).open('m', { codec: 'utf8' });
  await map.putAsync('k', 'v');
  await map.flush();
  assert.equal(map.get('k'), 'v');
  assert.equal(map.status().durability, 'none');
});

test('a disk that is gone is told, and reads go on', async (t) => {
  const path = directory(t);
  const map = await kept(path);
  t.after(() => map.close());
  map.put('a', '1');
  const { durability, storageError, cutBytes, logBytes } = map.status();
  assert.deepEqual([durability, storageError ?? undefined, cutBytes, logBytes > 0], ['sync', undefined, 0, true]);
  rmSync(join(path, 'data'), { recursive: true });
  await assert.rejects(map.putAsync('b', '2'), coded('P2PMAP_STORAGE'));
  assert.throws(() => map.put('b', '2'), coded('P2PMAP_STORAGE'));
  assert.ok(map.status().storageError.includes(path));
  assert.equal(map.get('a'), '1');
});

test('a map is dumped and loaded', async (t) => {
  const file = join(directory(t), 'dump');
  const { open } = opener(t);
  const [one, other] = [await open('one'), await open('other')];
  one.put('a', Buffer.from([0xff, 0]));
  one.put('b', Buffer.from('x'), { ttlMs: 3_600_000 });
  assert.equal(await one.dump(file), 2);
  assert.equal(await other.load(pathToFileURL(file)), 2);
  assert.deepEqual([...other], [...one]);
  assert.equal(other.entry('b').expiresAtMs, one.entry('b').expiresAtMs);
  other.removePrefix('');
  appendFileSync(file, 'no json\n');
  await assert.rejects(other.load(file), (error) => coded('P2PMAP_INVALID_ARGUMENT')(error) && /line 3 /.test(error.message));
  assert.equal(other.size, 0);
  await assert.rejects(one.dump(join(file, 'none')), coded('P2PMAP_STORAGE'));
  await assert.rejects(one.dump(7), coded('P2PMAP_INVALID_ARGUMENT'));
});

test('a copy of a directory is refused when it meets the original', async (t) => {
  const [path, copied] = [directory(t), directory(t)];
  const start = (dataDir) => Node.open({ dataDir, durability: 'sync' });
  const first = await start(path);
  t.after(() => first.close());
  await (await first.map('m', { codec: 'utf8' })).putAsync('a', '1');
  cpSync(path, copied, { recursive: true });
  const copy = await start(copied);
  t.after(() => copy.close());
  const map = await copy.map('m', { codec: 'utf8' });
  await assert.rejects(copy.connect(first.addrs[0]), coded('P2PMAP_LOCKED'));
  await assert.rejects(map.putAsync('b', '2'), coded('P2PMAP_LOCKED'));
  assert.ok(copy.status().identityError.includes(copied));
  assert.equal(map.get('a'), '1');
  assert.equal(first.status().identityError, undefined);
});
