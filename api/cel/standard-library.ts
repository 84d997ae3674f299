// The standard library of CEL: its functions with the names of their overloads, and the types that are values
// (https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions).
import { declareFunctions, parseType } from './declarations.ts';
import type { FunctionDeclaration, Library, VariableDeclaration } from './types.ts';

export function standardLibrary(): Library {
  const functions = [
    ...declareFunctions(standardFunctions),
    comparison('_<_', 'less'),
    comparison('_<=_', 'less_equals'),
    comparison('_>_', 'greater'),
    comparison('_>=_', 'greater_equals'),
  ];
  return { functions, variables: typeNames.map(typeVariable) };
}

const typeNames = [
  'bool',
  'bytes',
  'double',
  'google.protobuf.Duration',
  'int',
  'list',
  'map',
  'null_type',
  'string',
  'google.protobuf.Timestamp',
  'type',
  'uint',
];

const typesByName: Readonly<Record<string, string>> = {
  'google.protobuf.Duration': 'duration',
  'google.protobuf.Timestamp': 'timestamp',
  list: 'list(dyn)',
  map: 'map(dyn, dyn)',
  null_type: 'null',
  type: 'type',
};

/** A type's name is a variable that holds the type. */
function typeVariable(name: string): VariableDeclaration {
  return { name, type: { kind: 'type', of: parseType(typesByName[name] ?? name) } };
}

/** What can be compared with what, in the order in which overloads are tried; numbers also across their types. */
const comparable = [
  ['bool', 'bool'],
  ['int64', 'int64'],
  ['int64', 'double'],
  ['int64', 'uint64'],
  ['uint64', 'uint64'],
  ['uint64', 'double'],
  ['uint64', 'int64'],
  ['double', 'double'],
  ['double', 'int64'],
  ['double', 'uint64'],
  ['string', 'string'],
  ['bytes', 'bytes'],
  ['timestamp', 'timestamp'],
  ['duration', 'duration'],
] as const;

function comparison(name: string, prefix: string): FunctionDeclaration {
  const overloads = comparable.map(([left, right]) => {
    const parameters = [left, right].map((part) => parseType(part.replace('64', '')));
    return { id: `${prefix}_${left}${left === right ? '' : `_${right}`}`, isMember: false, parameters, result: parseType('bool') };
  });
  return { name, overloads };
}

/** The overloads that compare numbers of different types: an environment may do without them. */
export const crossTypeComparisons: readonly string[] = ['less', 'less_equals', 'greater', 'greater_equals'].flatMap((prefix) =>
  comparable.flatMap(([left, right]) => (left === right ? [] : [`${prefix}_${left}_${right}`])),
);

const standardFunctions = `
_?_:_
  conditional: (bool, A, A) -> A
_&&_
  logical_and: (bool, bool) -> bool
_||_
  logical_or: (bool, bool) -> bool
!_
  logical_not: (bool) -> bool
@not_strictly_false
  not_strictly_false: (bool) -> bool
_==_
  equals: (A, A) -> bool
_!=_
  not_equals: (A, A) -> bool
_+_
  add_bytes: (bytes, bytes) -> bytes
  add_double: (double, double) -> double
  add_duration_duration: (duration, duration) -> duration
  add_duration_timestamp: (duration, timestamp) -> timestamp
  add_timestamp_duration: (timestamp, duration) -> timestamp
  add_int64: (int, int) -> int
  add_list: (list(A), list(A)) -> list(A)
  add_string: (string, string) -> string
  add_uint64: (uint, uint) -> uint
_-_
  subtract_double: (double, double) -> double
  subtract_duration_duration: (duration, duration) -> duration
  subtract_int64: (int, int) -> int
  subtract_timestamp_duration: (timestamp, duration) -> timestamp
  subtract_timestamp_timestamp: (timestamp, timestamp) -> duration
  subtract_uint64: (uint, uint) -> uint
_*_
  multiply_double: (double, double) -> double
  multiply_int64: (int, int) -> int
  multiply_uint64: (uint, uint) -> uint
_/_
  divide_double: (double, double) -> double
  divide_int64: (int, int) -> int
  divide_uint64: (uint, uint) -> uint
_%_
  modulo_int64: (int, int) -> int
  modulo_uint64: (uint, uint) -> uint
-_
  negate_double: (double) -> double
  negate_int64: (int) -> int
@in
  in_list: (A, list(A)) -> bool
  in_map: (A, map(A, B)) -> bool
_[_]
  index_list: (list(A), int) -> A
  index_map: (map(A, B), A) -> B
size
  size_bytes: (bytes) -> int
  bytes_size: bytes.() -> int
  size_list: (list(A)) -> int
  list_size: list(A).() -> int
  size_map: (map(A, B)) -> int
  map_size: map(A, B).() -> int
  size_string: (string) -> int
  string_size: string.() -> int
type
  type: (A) -> type(A)
dyn
  to_dyn: (A) -> dyn
bool
  bool_to_bool: (bool) -> bool
  string_to_bool: (string) -> bool
bytes
  bytes_to_bytes: (bytes) -> bytes
  string_to_bytes: (string) -> bytes
double
  double_to_double: (double) -> double
  int64_to_double: (int) -> double
  string_to_double: (string) -> double
  uint64_to_double: (uint) -> double
duration
  duration_to_duration: (duration) -> duration
  string_to_duration: (string) -> duration
int
  int64_to_int64: (int) -> int
  double_to_int64: (double) -> int
  duration_to_int64: (duration) -> int
  string_to_int64: (string) -> int
  timestamp_to_int64: (timestamp) -> int
  uint64_to_int64: (uint) -> int
string
  string_to_string: (string) -> string
  bool_to_string: (bool) -> string
  bytes_to_string: (bytes) -> string
  double_to_string: (double) -> string
  duration_to_string: (duration) -> string
  int64_to_string: (int) -> string
  timestamp_to_string: (timestamp) -> string
  uint64_to_string: (uint) -> string
timestamp
  timestamp_to_timestamp: (timestamp) -> timestamp
  int64_to_timestamp: (int) -> timestamp
  string_to_timestamp: (string) -> timestamp
uint
  uint64_to_uint64: (uint) -> uint
  double_to_uint64: (double) -> uint
  int64_to_uint64: (int) -> uint
  string_to_uint64: (string) -> uint
contains
  contains_string: string.(string) -> bool
endsWith
  ends_with_string: string.(string) -> bool
startsWith
  starts_with_string: string.(string) -> bool
matches
  matches: (string, string) -> bool
  matches_string: string.(string) -> bool
getFullYear
  timestamp_to_year: timestamp.() -> int
  timestamp_to_year_with_tz: timestamp.(string) -> int
getMonth
  timestamp_to_month: timestamp.() -> int
  timestamp_to_month_with_tz: timestamp.(string) -> int
getDayOfYear
  timestamp_to_day_of_year: timestamp.() -> int
  timestamp_to_day_of_year_with_tz: timestamp.(string) -> int
getDayOfMonth
  timestamp_to_day_of_month: timestamp.() -> int
  timestamp_to_day_of_month_with_tz: timestamp.(string) -> int
getDate
  timestamp_to_day_of_month_1_based: timestamp.() -> int
  timestamp_to_day_of_month_1_based_with_tz: timestamp.(string) -> int
getDayOfWeek
  timestamp_to_day_of_week: timestamp.() -> int
  timestamp_to_day_of_week_with_tz: timestamp.(string) -> int
getHours
  timestamp_to_hours: timestamp.() -> int
  timestamp_to_hours_with_tz: timestamp.(string) -> int
  duration_to_hours: duration.() -> int
getMinutes
  timestamp_to_minutes: timestamp.() -> int
  timestamp_to_minutes_with_tz: timestamp.(string) -> int
  duration_to_minutes: duration.() -> int
getSeconds
  timestamp_to_seconds: timestamp.() -> int
  timestamp_to_seconds_tz: timestamp.(string) -> int
  duration_to_seconds: duration.() -> int
getMilliseconds
  timestamp_to_milliseconds: timestamp.() -> int
  timestamp_to_milliseconds_with_tz: timestamp.(string) -> int
  duration_to_milliseconds: duration.() -> int
`;
