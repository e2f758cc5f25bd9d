// The same from CommonJS.

import p2pmap = require('p2pmap');

async function main(): Promise<void> {
  using map: p2pmap.P2pMap = await p2pmap.open('names');
  map.put('key', Buffer.from(p2pmap.version));
}

void main();
