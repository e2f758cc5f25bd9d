// Events to a listener in Node.js, beside native calls of a listener: `events.mjs COUNT ROUNDS`.
// The listener is held up at its first call, until all of the events wait.
import { key, median, native, p2pmap, say, value } from './load.mjs';

const BATCH = 256;
const GOAL = '>= 2 M/s';
const [events, rounds] = process.argv.slice(2).map(Number);
/** What the listener looks at. */
let seen;

const map = await p2pmap.open('bench');
const keys = Array.from({ length: events }, (_, number) => key(number));
const [ours, read, floor] = [[], [], []];
for (let round = 0; round < rounds; round++) {
  ours.push(await told(2 * round, (count) => () => count()));
  read.push(
    await told(2 * round + 1, (count) => (event) => {
      seen = [event.key, event.value];
      count();
    }),
  );
  floor.push(called());
}
await map.close();
const rate = (took) => (events * 1e9) / median(took);
const what = native ? 'native calls of it' : 'calls of it from JavaScript';
say('Node.js: events to a listener', rate(ours), what, rate(floor), GOAL);
say('Node.js: the same, looking at key and value', rate(read), `${what}, which looks at nothing`, rate(floor), '');

/** Nanoseconds in which a listener is told of so many puts. It makes them itself, so that it is told when all of them wait. */
function told(round, make) {
  value.writeUInt32LE(round);
  return new Promise((resolve) => {
    let left = 1;
    let start;
    const subscription = map.subscribe(
      make(() => {
        if (--left > 0) return;
        if (start === undefined) {
          for (const key of keys) map.put(key, value);
          left = events;
          start = process.hrtime.bigint();
        } else {
          resolve(Number(process.hrtime.bigint() - start));
          subscription.unsubscribe();
        }
      }),
    );
    map.put('first', value);
  });
}

/** The same for calls of a listener with one object. */
function called() {
  const event = {};
  let left = events;
  const listener = () => {
    left--;
  };
  const start = process.hrtime.bigint();
  while (left > 0) {
    const batch = Math.min(left, BATCH);
    if (native) native.call(listener, event, batch);
    else for (let at = 0; at < batch; at++) listener(event);
  }
  return Number(process.hrtime.bigint() - start);
}
