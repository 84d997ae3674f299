// How types are written in messages.
import type { CelType } from './types.ts';

/** As the checker's messages show a type: `map(string, wrapper(int))`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'error':
      return '!error!';
    case 'list':
      return `list(${formatType(type.element)})`;
    case 'map':
      return `map(${formatType(type.key)}, ${formatType(type.value)})`;
    case 'opaque':
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(formatType).join(', ')})`;
    case 'object':
    case 'param':
      return type.name;
    case 'type':
      return type.of === undefined ? 'type' : `type(${formatType(type.of)})`;
    case 'wrapper':
      return `wrapper(${type.of})`;
    default:
      return type.kind;
  }
}

/** The full names of types whose short names above are an abbreviation. */
const fullNames: Readonly<Record<string, string>> = {
  any: 'google.protobuf.Any',
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
  null: 'null_type',
  error: 'error',
};

/** As values that are types show themselves, and what is said of an expression's result. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeName(type.element)})`;
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.value)})`;
    case 'opaque':
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(typeName).join(', ')})`;
    case 'type':
      return type.of === undefined ? 'type' : `type(${typeName(type.of)})`;
    case 'param':
      return `<${type.name}>`;
    default:
      return fullNames[type.kind] ?? formatType(type);
  }
}

/** The arguments of a call, with the receiver before the dot: `string.(int, int)`. */
export function formatCall(types: readonly CelType[], isMember: boolean): string {
  const [target, ...rest] = types;
  if (isMember && target !== undefined) return `${formatType(target)}.(${rest.map(formatType).join(', ')})`;
  return `(${types.map(formatType).join(', ')})`;
}
