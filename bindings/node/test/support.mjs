// What the tests share.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { Node, open } from 'p2pmap';

const PATIENCE_MS = 20_000;

/** Waits until `condition` returns something true, and returns that. */
export async function eventually(condition, what = condition) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(5)) {
    const result = await condition();
    if (result) return result;
  }
  throw new Error(`never true: ${what}`);
}

/** Opens maps and nodes that are closed when the test `t` ends. */
export function opener(t) {
  const all = [];
  t.after(() => Promise.all(all.map((thing) => thing.close())));
  const kept = (thing) => {
    all.push(thing);
    return thing;
  };
  return {
    open: async (...args) => kept(await open(...args)),
    node: async (options) => kept(await Node.open(options)),
  };
}

/** The first events of a watch. */
export async function take(watch, count) {
  const events = [];
  while (events.length < count) {
    const { value, done } = await watch.next();
    if (done) break;
    events.push(value);
  }
  return events;
}

/** Runs JavaScript, with `p2pmap` to import, in a process of its own. Returns its exit code and what it printed. */
export async function run(source, { env = {}, flags = [] } = {}) {
  const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', source], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
  });
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const [code, signal] = await once(child, 'close');
  return { code: code ?? signal, output: await output, errors: await errors };
}

export async function collect(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

/** For `assert.throws` and `assert.rejects`: an Error with this code. */
export function coded(code) {
  return (error) => error instanceof Error && error.code === code;
}
