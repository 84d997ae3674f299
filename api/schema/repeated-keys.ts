// A key that comes twice in a struct, without strict validation: Go's decoder reads the second value into what the first has left. Structs keep the fields that the second does not name, maps their keys, and lists, element by element, the same.
import { cloneJson, getOwn, setOwn } from '../patch/json-object.ts';
import type { Json } from '../meta/object.ts';
import type { Duplicates } from './json.ts';
import { NumberText } from './json-parser.ts';
import type { Presence, Schema } from './schema.ts';

type JsonMap = { [key: string]: Json };

interface Again {
  readonly schema: Schema;
  readonly presence: Presence;
  readonly duplicates: Duplicates;
}

/** `value` read into what `before` has left (undefined: nothing), which this may change and keep; `value` stays as it is. */
export function readAgain(before: Json | undefined, value: Json, { schema, presence, duplicates }: Again): Json {
  // Null empties what hangs on a pointer, and leaves alone what is held by value.
  if (value === null)
    return before !== undefined && presence !== 'keep' && schema.type !== 'array' && schema.type !== 'map' ? before : null;
  switch (schema.type) {
    case 'object': {
      if (!isMap(value)) return cloneJson(value);
      const into: JsonMap = before !== undefined && isMap(before) ? before : {};
      for (const [key, member] of membersOf(value, duplicates)) {
        const property = schema.properties[key];
        const known = getOwn(into, key);
        const below = property && { schema: property.schema, presence: property.presence ?? 'keep', duplicates };
        setOwn(into, key, below === undefined ? cloneJson(member) : readAgain(known, member, below));
      }
      return into;
    }
    case 'map': {
      if (!isMap(value)) return cloneJson(value);
      const into: JsonMap = before !== undefined && isMap(before) ? before : {};
      const below = { schema: schema.values, presence: 'keep', duplicates } as const;
      for (const [key, member] of membersOf(value, duplicates)) setOwn(into, key, readAgain(undefined, member, below));
      return into;
    }
    case 'array': {
      if (!Array.isArray(value)) return cloneJson(value);
      const into: readonly Json[] = Array.isArray(before) ? before : [];
      const below = { schema: schema.items, presence: 'fill', duplicates } as const;
      return value.map((item, index) => readAgain(into[index], item, below));
    }
    default:
      return cloneJson(value);
  }
}

function membersOf(value: JsonMap, duplicates: Duplicates): Iterable<readonly [key: string, value: Json]> {
  return duplicates.get(value) ?? Object.entries(value);
}

function isMap(value: Json): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}
