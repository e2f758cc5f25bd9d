// User code that must compile, and mistakes that must not. Checked by `npm run lint`, never run.

import p2pmap, { Batch, Node, Stamp, open, type MapEvent, type P2pMap, type P2pMapError } from 'p2pmap';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<T extends true>(): T | void {}

interface Flag {
  on: boolean;
}

// The codec decides what values are, and `keys` what keys are.
const bytes = await open('bytes');
is<Same<typeof bytes, P2pMap<Buffer, string>>>();
const texts = await open('texts', { codec: 'utf8', keys: 'buffer' as const, bootstrap: ['/ip4/127.0.0.1/tcp/7400'] });
is<Same<(typeof texts extends P2pMap<infer V, infer _> ? V : never), string>>();
const flags = await open<Flag>('flags', { codec: 'json', validator: (key: string, value: Flag) => key !== '' && value.on });
is<Same<typeof flags, P2pMap<Flag, string>>>();
const anything = await open('anything', { codec: 'json' });
is<Same<ReturnType<typeof anything.get>, unknown>>();
const byteKeys = await open<'buffer'>('byte keys', { keys: 'buffer' });
is<Same<typeof byteKeys, P2pMap<Buffer, Buffer>>>();

// Reads and writes.
const stamp: Stamp = bytes.put('key', new Uint8Array([1]));
bytes.put(new Uint8Array([0xff]), Buffer.from('x'));
texts.put('key', 'text');
flags.put('dark_mode', { on: true });
const flag: Flag | undefined = flags.get('dark_mode');
const there: boolean = flags.has('dark_mode') && flags.remove('dark_mode');
const [timestamp, timeMs]: [bigint, number] = [stamp.timestamp, stamp.timeMs];
for (const [key, value] of flags) console.log(key.length, value.on);
for (const { key, value, author } of flags.scan({ prefix: 'a', limit: 3, reverse: true })) console.log(key, value.on, author);
for (const key of byteKeys.keys({ start: 'a', end: new Uint8Array([0xff]) })) console.log(key.readUInt8(0));
flags.apply(new Batch<Flag>().put('a', { on: true }).remove('b'));

// Times to live, and waiting for replicas.
flags.put('session', { on: true }, { ttlMs: 60_000 });
flags.put('session', { on: true }, { ttlMs: null });
flags.apply(new Batch<Flag>().put('a', { on: true }, { ttlMs: 0.5 }));
const expiresAtMs: number | undefined = flags.entry('session')?.expiresAtMs;
const holders: string[] = await flags.waitReplicated(Stamp.of(1n, 1n, 'id'), 2, { timeoutMs: 100, signal: AbortSignal.timeout(10) });
const behind: (number | undefined)[] = flags.status().peers.filter(({ connected }) => connected).map((peer) => peer.behind);
// @ts-expect-error a time to live is a number
flags.put('session', { on: true }, { ttlMs: '1 h' });
// @ts-expect-error a time to live is an option
flags.put('session', { on: true }, 60_000);
// @ts-expect-error a stamp is not its text
await flags.waitReplicated(String(stamp));
// @ts-expect-error stamps come from writes, and from Stamp.of
new Stamp();

// @ts-expect-error text where the codec takes bytes
bytes.put('key', 'text');
// @ts-expect-error a value of another shape
flags.put('dark_mode', { off: true });
// @ts-expect-error no such codec
await open('flags', { codec: 'xml' });
// @ts-expect-error nodes come from Node.open
new Node();
// @ts-expect-error maps come from open
new p2pmap.P2pMap();

// Events.
const subscription = flags.subscribe((event: MapEvent<Flag>) => console.log(event.kind, event.value?.on), { snapshot: true });
subscription.unref().unsubscribe();
for await (const event of flags.watch({ prefix: 'dark', signal: AbortSignal.timeout(10) })) {
  const kind: 'put' | 'remove' | 'expire' | 'prune' | 'synced' = event.kind;
  console.log(kind, event.local, event.oldValue?.on);
}

// Nodes.
await using node = await Node.open({ listen: '/ip4/127.0.0.1/tcp/0', maps: { flags: { codec: 'json', defaultTtlMs: 1000 } }, peerTimeoutMs: 5000 });
await node.map('members', { presence: true, originRetentionMs: 1000 });
// @ts-expect-error presence is a switch
await node.map('members', { presence: 'yes' });
const routes = await node.map<string[]>('routes', { codec: 'json', max_value_bytes: 4096 });
is<Same<typeof routes, P2pMap<string[], string>>>();
const peer: string = await node.connect(node.addrs[0] ?? '', { timeoutMs: 100 });
const equal: boolean | undefined = node.peers()[0]?.inSync;

const kept = await node.map('kept', { durability: 'sync', onStorageError: 'refuse' });
const kinds: [Promise<Stamp>, Promise<boolean>, Promise<number>] = [kept.putAsync('k', Buffer.of(1)), kept.removeAsync('k'), kept.dump('file')];
const { durability, storageError } = kept.status();
is<Same<typeof durability, 'none' | 'async' | 'sync'>>();
console.log(kinds, storageError?.length, await kept.load(new URL('file:///dump')), await kept.flush());
// @ts-expect-error no such durability
await node.map('kept', { durability: 'often' });

try {
  await routes.sync(100);
} catch (error) {
  if ((error as P2pMapError).code === 'P2PMAP_TIMEOUT') console.log('later');
}

console.log(flag, there, timestamp, timeMs, peer, equal, expiresAtMs, holders, behind);
