// The load and the clock, as the other programs here have them.
import { createRequire } from 'node:module';

/** So many calls are timed together. */
const BLOCK = 1000;
/** Keys that stay in the processor's cache. */
const HOT = 64;
export const VALUE_BYTES = 100;
export const value = Buffer.alloc(VALUE_BYTES, 'v');

const require = createRequire(import.meta.url);
export const p2pmap = require('../../../../bindings/node/index.cjs');
/** The functions of native.c, where they could be compiled. */
export const native = process.env.P2PMAP_BENCH_NATIVE ? require(process.env.P2PMAP_BENCH_NATIVE) : undefined;

/** The key of that number: 16 digits, in one piece as a program's own keys are, not as the two that `padStart` leaves. */
export function key(number) {
  return Buffer.from(String(number).padStart(16, '0')).latin1Slice();
}

/** The keys to read, in blocks: hot ones, and all of them in an order that no cache foresees. */
export function blocks(entries) {
  const keys = Array.from({ length: entries }, (_, number) => key(number));
  let random = 7;
  for (let at = entries - 1; at > 0; at--) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const other = random % (at + 1);
    [keys[at], keys[other]] = [keys[other], keys[at]];
  }
  const hot = Array.from({ length: BLOCK }, (_, at) => keys[at % HOT]);
  const all = Array.from({ length: entries / BLOCK }, (_, at) => keys.slice(at * BLOCK, (at + 1) * BLOCK));
  return new Map([['hot', [hot]], [`uniform over ${count(entries)}`, all]]);
}

/** A count of entries, for people. */
function count(entries) {
  return entries >= 1_000_000 ? `${entries / 1_000_000} M` : `${entries / 1000} k`;
}

/** The median nanoseconds of one call of each reader, which have their turns by blocks. */
export function medians(readers, keys, rounds) {
  const took = readers.map(() => []);
  let turn = 0;
  for (let round = 0; round < rounds; round++) {
    readers.forEach((reader, index) => {
      const block = keys[turn++ % keys.length];
      const start = process.hrtime.bigint();
      reader(block);
      took[index].push(Number(process.hrtime.bigint() - start));
    });
  }
  return took.map((samples) => median(samples) / BLOCK);
}

export function median(samples) {
  return samples.sort((a, b) => a - b)[samples.length >> 1];
}

/** One line of the table. */
export function say(what, ours, floor, floorIs, goal) {
  console.log([what, ours.toFixed(1), floor, floorIs.toFixed(1), goal].join('\t'));
}
