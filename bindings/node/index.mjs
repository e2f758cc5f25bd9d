// The same module as `require('p2pmap')` gives, so that both share one native half.
import p2pmap from './index.cjs';

export const { open, generateIdentity, Node, P2pMap, Batch, Stamp, version } = p2pmap;
export default p2pmap;
