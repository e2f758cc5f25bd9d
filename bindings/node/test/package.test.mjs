import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as esm from 'p2pmap';

const exec = promisify(execFile);
const packageFolder = fileURLToPath(new URL('..', import.meta.url));

test('import and require give the same module', () => {
  const cjs = createRequire(import.meta.url)('p2pmap');
  for (const name of ['open', 'Node', 'P2pMap', 'Batch', 'Stamp', 'version']) assert.equal(esm[name], cjs[name], name);
  assert.deepEqual(Object.keys(esm).filter((name) => name !== 'default').sort(), Object.keys(cjs).sort());
});

test('the version is that of the package', () => {
  assert.equal(esm.version, createRequire(import.meta.url)('p2pmap/package.json').version);
});

test('the tarball installs without a network, and its quickstart runs', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'p2pmap-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const npm = (...args) => exec('npm', args, { cwd: folder });
  await npm('pack', packageFolder, '--ignore-scripts', '--pack-destination', folder);
  const [tarball] = readdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  await npm('install', '--offline', `./${tarball}`);
  const installed = join(folder, 'node_modules', 'p2pmap');
  const { scripts } = createRequire(import.meta.url)(join(installed, 'package.json'));
  assert.ok(!Object.keys(scripts).some((name) => /install|prepare/.test(name)), 'no install scripts');
  assert.ok(!readdirSync(installed).includes('src'));
  const { stdout } = await exec(process.execPath, [join(installed, 'examples', 'quickstart.mjs')], { cwd: folder });
  assert.match(stdout, /the seed reads \{ on: true \}/);
  assert.match(stdout, /both hold \[ 'dark_mode', 'new_search' \]/);
});
