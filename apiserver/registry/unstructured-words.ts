import { namedStrings } from '#api/schema/facts-string-types.ts';

const mismatch = /^json: cannot unmarshal (\S+)(?: (\S+))? into Go .* of type (.+)$/;
const kinds: Readonly<Record<string, string>> = { array: 'slice', object: 'map' };
const simple = /^(bool|string|u?int\d*|float\d*)$/;

/**
 * What Go says of a value of a wrong type where it comes out of a map, as after a strategic merge, and not out of text: other words
 * for the same.
 */
export function unstructuredWords(message: string): string {
  const [, what = '', number = '', type = ''] = mismatch.exec(message) ?? [];
  if (type === '') return message;
  if (simple.test(type)) return `unrecognized type: ${type}`;
  if (Object.hasOwn(namedStrings, type)) return 'unrecognized type: string';
  const from = what === 'number' ? (number.includes('.') ? 'float64' : 'int64') : (kinds[what] ?? what);
  if (type.startsWith('[]')) return `cannot restore slice from ${from}`;
  if (type.startsWith('map[') || type === 'v1.ResourceList') return `cannot restore map from ${from}`;
  return `cannot restore struct from: ${from}`;
}
