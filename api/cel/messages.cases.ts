// Messages that upstream's tests use, with the fields that they use.
import { parseType } from './declarations.ts';
import type { MessageType } from './environment.ts';

const fields: readonly (readonly [message: string, fields: string])[] = [
  [
    'google.expr.proto2.test.TestAllTypes',
    'map_int64_nested_type: map(int, google.expr.proto2.test.NestedTestAllTypes); map_string_string: map(string, string); nestedgroup: google.expr.proto2.test.TestAllTypes.NestedGroup; repeated_int32: list(int); repeated_int64: list(int); repeated_nested_message: list(google.expr.proto2.test.TestAllTypes.NestedMessage); single_bool_wrapper: wrapper(bool); single_bytes_wrapper: wrapper(bytes); single_double_wrapper: wrapper(double); single_duration: duration; single_float: double; single_float_wrapper: wrapper(double); single_int32: int; single_int32_wrapper: wrapper(int); single_int64: int; single_int64_wrapper: wrapper(int); single_nested_message: google.expr.proto2.test.TestAllTypes.NestedMessage; single_string: string; single_string_wrapper: wrapper(string); single_struct: map(string, dyn); single_timestamp: timestamp; single_uint32_wrapper: wrapper(uint); single_uint64_wrapper: wrapper(uint); single_value: dyn',
  ],
  [
    'google.expr.proto3.test.TestAllTypes',
    'map_int64_nested_type: map(int, google.expr.proto3.test.NestedTestAllTypes); map_string_string: map(string, string); repeated_int32: list(int); repeated_int64: list(int); repeated_nested_message: list(google.expr.proto3.test.TestAllTypes.NestedMessage); single_bool_wrapper: wrapper(bool); single_bytes_wrapper: wrapper(bytes); single_double_wrapper: wrapper(double); single_duration: duration; single_float: double; single_float_wrapper: wrapper(double); single_int32: int; single_int32_wrapper: wrapper(int); single_int64: int; single_int64_wrapper: wrapper(int); single_nested_message: google.expr.proto3.test.TestAllTypes.NestedMessage; single_string: string; single_string_wrapper: wrapper(string); single_struct: map(string, dyn); single_timestamp: timestamp; single_uint32_wrapper: wrapper(uint); single_uint64_wrapper: wrapper(uint); single_value: dyn',
  ],
  ['google.expr.proto3.test.NestedTestAllTypes', ''],
  ['google.expr.proto2.test.NestedTestAllTypes', ''],
  ['google.expr.proto3.test.TestAllTypes.NestedMessage', 'bb: int'],
  ['google.expr.proto2.test.TestAllTypes.NestedGroup', 'nested_id: int'],
];

export function testMessages(): Map<string, MessageType> {
  return new Map(
    fields.map(([name, text]) => {
      const entries = (text === '' ? [] : text.split('; ')).map((field): [string, MessageType['type']] => {
        const colon = field.indexOf(': ');
        return [field.slice(0, colon), parseType(field.slice(colon + 2))];
      });
      return [name, { type: parseType(name), fields: new Map(entries) }];
    }),
  );
}
