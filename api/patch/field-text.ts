// Paths of fields as messages show them: `.spec.containers[name="web"].image`.
import type { Json } from '../meta/object.ts';
import { goJsonString } from './go-json.ts';

/** One path element of a set, such as `f:spec` or `k:{"name":"web"}`. */
export function elementText(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${rest}`;
    case 'k': {
      const key = JSON.parse(rest) as Record<string, Json>;
      return `[${Object.keys(key)
        .sort()
        .map((name) => `${name}=${valueText(key[name] as Json)}`)
        .join(',')}]`;
    }
    case 'v':
      return `[=${valueText(JSON.parse(rest) as Json)}]`;
    default:
      return `[${rest}]`;
  }
}

/** A whole path. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

function valueText(value: Json): string {
  return typeof value === 'string' ? goJsonString(value) : String(value);
}
