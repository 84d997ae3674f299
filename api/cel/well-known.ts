// The messages of google.protobuf that have a type of their own in CEL: wrappers are nullable primitives, a Struct is a map.
import type { MessageType } from './environment.ts';
import { parseType } from './declarations.ts';
import type { CelType, Library } from './types.ts';

/** A message's name, its type and its fields. */
const messages: readonly (readonly [name: string, type: string, fields: string])[] = [
  ['Any', 'any', 'type_url: string; value: bytes'],
  ['Duration', 'duration', 'seconds: int; nanos: int'],
  ['Timestamp', 'timestamp', 'seconds: int; nanos: int'],
  ['Empty', 'google.protobuf.Empty', ''],
  ['Struct', 'map(string, dyn)', 'fields: map(string, dyn)'],
  ['Struct.FieldsEntry', 'google.protobuf.Struct.FieldsEntry', 'key: string; value: dyn'],
  [
    'Value',
    'dyn',
    'null_value: int; number_value: double; string_value: string; bool_value: bool; struct_value: map(string, dyn); list_value: list(dyn)',
  ],
  ['ListValue', 'list(dyn)', 'values: list(dyn)'],
  ['BoolValue', 'wrapper(bool)', 'value: bool'],
  ['BytesValue', 'wrapper(bytes)', 'value: bytes'],
  ['DoubleValue', 'wrapper(double)', 'value: double'],
  ['FloatValue', 'wrapper(double)', 'value: double'],
  ['Int64Value', 'wrapper(int)', 'value: int'],
  ['Int32Value', 'wrapper(int)', 'value: int'],
  ['UInt64Value', 'wrapper(uint)', 'value: uint'],
  ['UInt32Value', 'wrapper(uint)', 'value: uint'],
  ['StringValue', 'wrapper(string)', 'value: string'],
];

/** By their full names, as an environment takes them. */
export function wellKnownMessages(): Map<string, MessageType> {
  return new Map(
    messages.map(([name, type, fields]) => [`google.protobuf.${name}`, { type: parseType(type), fields: parseFields(fields) }]),
  );
}

/** Names of types that can be compared with the types of values, besides those of the standard library. */
export function wellKnownTypes(): Library {
  const names = ['google.protobuf.Empty', 'google.protobuf.Struct.FieldsEntry'];
  return { functions: [], variables: names.map((name) => ({ name, type: { kind: 'type', of: parseType(name) } })) };
}

/** Short names of types, which only environments with types of Kubernetes' own know, as if they were messages. */
export function schemaScalars(): Map<string, MessageType> {
  const names = ['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint'];
  const scalars = names.map((name): [string, MessageType] => [name, { type: parseType(name), fields: new Map() }]);
  return new Map([
    ...scalars,
    ['null_type', { type: parseType('null'), fields: new Map() }],
    ['list', { type: parseType('list(any)'), fields: new Map() }],
    ['map', { type: parseType('map(any, any)'), fields: { get: () => parseType('any') } }],
  ]);
}

export const wellKnownConstants: ReadonlyMap<string, bigint> = new Map([['google.protobuf.NullValue.NULL_VALUE', 0n]]);

function parseFields(text: string): Map<string, CelType> {
  const fields = text === '' ? [] : text.split('; ');
  return new Map(
    fields.map((field) => {
      const colon = field.indexOf(': ');
      return [field.slice(0, colon), parseType(field.slice(colon + 2))];
    }),
  );
}

const wrapperNames = { bool: 'Bool', bytes: 'Bytes', double: 'Double', int: 'Int64', uint: 'UInt64', string: 'String' } as const;

/** True for types that can be made by the name of their message: `google.protobuf.Int64Value{value: 1}`. */
export function isWellKnown(type: CelType): boolean {
  switch (type.kind) {
    case 'any':
    case 'duration':
    case 'timestamp':
    case 'dyn':
    case 'null':
    case 'wrapper':
      return true;
    case 'list':
      return type.element.kind === 'dyn';
    case 'map':
      return type.key.kind === 'string' && type.value.kind === 'dyn';
    default:
      return false;
  }
}

/** The message that makes a well-known type. */
export function wellKnownName(type: CelType): string {
  switch (type.kind) {
    case 'any':
      return 'google.protobuf.Any';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'null':
      return 'google.protobuf.NullValue';
    case 'wrapper':
      return `google.protobuf.${wrapperNames[type.of]}Value`;
    case 'list':
      return 'google.protobuf.ListValue';
    case 'map':
      return 'google.protobuf.Struct';
    default:
      return 'google.protobuf.Value';
  }
}
