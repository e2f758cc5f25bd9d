// One of several processes, each in its own language, that share the map `services`: a small service registry.
// Usage: node services.mjs <name> <bootstrap address or ""> <services file> <part> <parts>
// Then it takes commands on standard input, and answers each with one line.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Node } from 'p2pmap';

const [name, bootstrap, file, part, parts] = process.argv.slice(2);
const node = await Node.open({ bootstrap: bootstrap || undefined, env: true });
const services = await node.map('services', { codec: 'utf8' });
for (const addr of node.addrs) console.log(`addr ${addr}`);

let events = 0;
const latencies = [];
services.subscribe(onEvent, { snapshot: true });

// `http 80/tcp www # World Wide Web` is the entry `http/tcp` -> `80 www`.
readFileSync(file, 'utf8')
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((line) => line !== '')
  .filter((_, index) => index % parts === Number(part))
  .forEach((line) => {
    const [service, portAndProtocol, ...aliases] = line.split(/\s+/);
    const [port, protocol] = portAndProtocol.split('/');
    services.put(`${service}/${protocol}`, [port, ...aliases].join(' '));
  });

for await (const line of createInterface({ input: process.stdin })) {
  const [command, key, ...rest] = line.split(' ');
  if (command === 'quit') break;
  console.log(await run(command, key, rest.join(' ')));
}
await node.close();
process.exit(); // Standard input, still open, would keep it alive.

/** Prints every change but the pings, which say how long a write took to get here. */
function onEvent({ kind, key, value, local, author }) {
  if (kind === 'synced') return;
  if (key.startsWith('~ping/')) {
    if (kind === 'put' && !local) latencies.push(nowMicros() - Number(value));
    return;
  }
  events++;
  console.log(`event ${kind} ${key} ${local ? 'local' : 'remote'} ${author}`);
}

async function run(command, key, value) {
  switch (command) {
    case 'put':
      services.put(key, value);
      return 'ok';
    case 'remove':
      return `ok ${services.remove(key)}`;
    case 'ping':
      for (let left = Number(key); left > 0; left--) {
        services.put(`~ping/${name}`, String(nowMicros()));
        await pause(5);
      }
      services.remove(`~ping/${name}`);
      return 'ok';
    case 'report': {
      const { live, digest } = services.status();
      return `report entries=${live} digest=${digest} events=${events} latency_us=${median(latencies) ?? '-'}`;
    }
    default:
      return 'error unknown command';
  }
}

/** The wall clock, in microseconds since the Unix epoch. */
function nowMicros() {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
