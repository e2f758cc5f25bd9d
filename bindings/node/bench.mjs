// What calls cost here, in nanoseconds, the best of many short rounds. Usage: node bench.mjs
import { open } from 'p2pmap';

const VALUE_BYTES = 100;
const KEYS = Array.from({ length: 1000 }, (_, i) => `service/${1000 + i}/port`);

const bytes = await open('bytes');
const texts = await open('texts', { codec: 'utf8' });
const value = Buffer.alloc(VALUE_BYTES, 'x');
const text = value.toString();
for (const key of KEYS) {
  bytes.put(key, value);
  texts.put(key, text);
}
const plain = new Map(texts);

measure('Map.get, for comparison', (key) => plain.get(key));
measure('Buffer.from(Buffer), for comparison', () => Buffer.from(value));
measure('get -> Buffer', (key) => bytes.get(key));
measure('get -> string', (key) => texts.get(key));
measure('get, absent', () => bytes.get('absent'));
measure('has', (key) => bytes.has(key));
measure('put Buffer', (key) => bytes.put(key, value));
measure('put string', (key) => texts.put(key, text));
measure('entries, each', () => [...texts.entries()].length, KEYS.length);
await events();
await bytes.close();
await texts.close();

function measure(name, call, perCall = 1) {
  const calls = 20_000 / perCall;
  let best = Infinity;
  for (let round = 0; round < 60; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call(KEYS[i % KEYS.length]);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / calls / perCall);
  }
  console.log(`${name.padEnd(36)} ${best.toFixed(0).padStart(6)} ns`);
}

/** From a snapshot, so that all of them wait when the listener begins. */
async function events() {
  const count = 200_000;
  for (let i = 0; i < count; i++) texts.put(`event/${i}`, text);
  let [heard, start] = [0, 0n];
  await new Promise((resolve) => {
    texts.subscribe(
      ({ kind }) => {
        if (heard++ === 0) start = process.hrtime.bigint();
        if (kind === 'synced') resolve();
      },
      { prefix: 'event/', snapshot: true },
    );
  });
  const each = Number(process.hrtime.bigint() - start) / count;
  console.log(`${'event to a listener'.padEnd(36)} ${each.toFixed(0).padStart(6)} ns`);
}
