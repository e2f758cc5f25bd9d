// Lines and tokens of the conformance scripts.

/** Decodes a token; `options` says whether `name=value` may stand here. */
export function decode(token, variables, options) {
  const option = options && /^([a-z0-9_.]+)=(.*)$/s.exec(token);
  if (option) return { name: option[1], value: decode(option[2], variables, false) };
  if (token.startsWith('$')) return variables.get(token.slice(1));
  if (token === '""') return Buffer.alloc(0);
  const star = token.lastIndexOf('*');
  if (star < 0) return unescape(token);
  const part = unescape(token.slice(0, star));
  return Buffer.alloc(part.length * Number(token.slice(star + 1)), part);
}

function unescape(token) {
  const plain = { '\\s': ' ', '\\n': '\n', '\\t': '\t', '\\\\': '\\' };
  const byte = (escape) => plain[escape] ?? String.fromCharCode(parseInt(escape.slice(2), 16));
  return Buffer.from(Buffer.from(token).toString('latin1').replace(/\\(x[0-9a-f]{2}|.)/g, byte), 'latin1');
}

/** Operations whose tokens from this index on may be options. */
export const OPTIONS_FROM = {
  node: 1, map: 3, open: 2, put: 3, keys: 1, values: 1, scan: 1, count: 1, subscribe: 2, watch: 2,
};

export function parse(line) {
  const words = line.split(' ');
  const awaited = words[0] === 'await';
  if (awaited) words.shift();
  const at = words.findIndex((word) => word === '->' || word === '=>');
  const step = { awaited, op: words[0], tokens: at < 0 ? words.slice(1) : words.slice(1, at) };
  if (words[at] === '->') step.expected = words.slice(at + 1);
  if (words[at] === '=>') step.variable = words[at + 1];
  return step;
}
