export * from './index.cjs';
import p2pmap = require('./index.cjs');
export default p2pmap;
