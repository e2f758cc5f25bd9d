// Reads from Node.js, beside native calls that return as much: `get.mjs ENTRIES ROUNDS`. Each figure has the loop in it.
import { VALUE_BYTES, blocks, key, medians, native, p2pmap, say, value } from './load.mjs';

const GOAL = '<= 1.3';
const WARM_UP = 500;
const [entries, rounds] = process.argv.slice(2).map(Number);
/** Where what was read goes, so that it is made. */
let kept;

/** What makes a string of a value in one native call: functions of native.c, or else of Node.js. The fastest is the floor. */
const texts = native
  ? {
      'native call, latin1 string': reader(() => (kept = native.latin1())),
      'native call, UTF-8 string': reader(() => (kept = native.utf8())),
    }
  : { 'Buffer.latin1Slice()': reader(() => (kept = value.latin1Slice(0, VALUE_BYTES))) };

/** The same for a Buffer. */
const buffers = native
  ? {
      'native call, Buffer': reader(() => (kept = native.buffer())),
      'native call into an allocUnsafe': reader(() => native.fill((kept = Buffer.allocUnsafe(VALUE_BYTES)))),
    }
  : { 'Buffer.from(Buffer)': reader(() => (kept = Buffer.from(value))) };

/** Native calls that look up a bare table, too. */
const finders = native && {
  text: reader((key) => (kept = native.findLatin1(key))),
  buffer: reader((key) => native.findFill(key, (kept = Buffer.allocUnsafe(VALUE_BYTES)))),
};

const node = await p2pmap.Node.open();
const bytes = await node.map('bench');
const text = await node.map('bench', { codec: 'utf8' });
const flat = Buffer.alloc(entries * VALUE_BYTES, 'v');
const places = new Map();
for (let number = 0; number < entries; number++) {
  bytes.put(key(number), value);
  places.set(key(number), number * VALUE_BYTES);
}
native?.fillTable(Buffer.from(Array.from({ length: entries }, (_, number) => key(number)).join('')));
for (const [how, keys] of blocks(entries)) measure(how, keys);
await node.close();

function measure(how, keys) {
  const [textFloor, bufferFloor] = [fastest(texts, keys), fastest(buffers, keys)];
  const readers = [
    reader((key) => (kept = text.get(key))),
    reader((key) => (kept = bytes.get(key))),
    textFloor.reader,
    bufferFloor.reader,
    reader((key) => (kept = places.get(key))),
    reader((key) => {
      const at = places.get(key);
      kept = Buffer.allocUnsafe(VALUE_BYTES);
      flat.copy(kept, 0, at, at + VALUE_BYTES);
    }),
    ...(finders ? [finders.text, finders.buffer] : []),
  ];
  medians(readers, keys, WARM_UP);
  const [gotText, got, textIs, bufferIs, alone, copied, textFound, found] = medians(readers, keys, rounds);
  if (how === 'hot') {
    say(`Node.js: map.get(key), text, ${how}`, gotText, textFloor.name, textIs, GOAL);
    say(`Node.js: map.get(key), Buffer, ${how}`, got, bufferFloor.name, bufferIs, GOAL);
  }
  if (finders) {
    say(`Node.js: map.get(key), text, ${how}`, gotText, 'native lookup in a bare table, latin1 string', textFound, '');
    say(`Node.js: map.get(key), Buffer, ${how}`, got, 'native lookup in a bare table, into an allocUnsafe', found, '');
  }
  say(`Node.js: map.get(key), text, ${how}`, gotText, 'a Map', alone, '');
  say(`Node.js: map.get(key), Buffer, ${how}`, got, 'a Map, value copied', copied, '');
}

/** A loop over keys for each call: one loop for all of them would be compiled for none of them. */
function reader(read) {
  return new Function('read', 'return (keys) => { for (const key of keys) read(key); };')(read);
}

function fastest(calls, keys) {
  const times = medians(Object.values(calls), keys, WARM_UP);
  const at = times.indexOf(Math.min(...times));
  return { name: Object.keys(calls)[at], reader: Object.values(calls)[at] };
}
