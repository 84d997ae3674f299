// The object that upstream compares a new one with. A Go type always has its structs and its fields without `omitempty`, so a new
// object owns them only as far as it gives them other values: `f:spec` of a new Pod has no `.`, `f:labels` has one.
import type { Json, JsonObject } from '../meta/object.ts';
import type { ObjectSchema, Schema } from '../schema/schema.ts';

/** The zero value of an object of the kind. */
export function zeroObject(schema: ObjectSchema): JsonObject {
  const zero: JsonObject = {};
  for (const [name, property] of Object.entries(schema.properties)) {
    if (property.presence === 'fill') zero[name] = zeroValue(property.schema);
  }
  return zero;
}

function zeroValue(schema: Schema): Json {
  switch (schema.type) {
    case 'object':
      return zeroObject(schema);
    case 'string':
      return schema.format === 'byte' ? null : '';
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
    case 'int-or-string':
      return 0;
    case 'quantity':
      return '0';
    case 'array':
    case 'map':
    case 'time':
    case 'micro-time':
    case 'any':
    case 'raw':
    case 'fields-v1':
      return null;
  }
}
