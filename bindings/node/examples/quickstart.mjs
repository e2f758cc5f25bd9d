// Two nodes in one process share a map. Run: node quickstart.mjs
import { open } from 'p2pmap';

const seed = await open('flags', { codec: 'json' });
const flags = await open('flags', { codec: 'json', bootstrap: seed.addrs });

flags.subscribe(({ kind, key, value, local }) => {
  console.log(`${kind} ${key} = ${JSON.stringify(value)} (${local ? 'local' : 'from a peer'})`);
});

flags.put('dark_mode', { on: true });
for await (const { key } of seed.watch({ snapshot: true })) {
  if (key === 'dark_mode') break;
}
console.log('the seed reads', seed.get('dark_mode'));

seed.put('new_search', { on: false });
for await (const { key } of flags.watch({ snapshot: true })) {
  if (key === 'new_search') break;
}
console.log('both hold', [...flags.keys()]);

await flags.close();
await seed.close();
