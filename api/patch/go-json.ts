// Text as Go writes it, where upstream's wire form carries such text: path elements, the last-applied annotation, messages.
import type { Json } from '../meta/object.ts';
import { isObject } from './json-object.ts';

const escaped = /[<>&\u2028\u2029]/g;
const needsEscape = /[^ !#-%'-;=?-[\]-~]/;

/** JSON as encoding/json writes it: keys sorted, `<`, `>` and `&` escaped. */
export function goJson(value: Json): string {
  return JSON.stringify(sorted(value)).replace(escaped, escapeOne);
}

/** One string as encoding/json writes it. */
export function goJsonString(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text).replace(escaped, escapeOne) : `"${text}"`;
}

/** A value as fmt's `%v` prints it: `map[name:web ports:[80 443]]`. */
export function goText(value: Json | undefined): string {
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isObject(value)) return String(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goText(value[key])}`);
  return `map[${entries.join(' ')}]`;
}

/** How Go's decoder names what it found, null apart. */
export function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function escapeOne(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Copies with keys in order. Keys that look like numbers come first in JavaScript whatever one does; upstream has none of these. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] as Json)]),
  );
}
