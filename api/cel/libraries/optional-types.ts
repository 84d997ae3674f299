// Values that may be absent: `optional.of(x)`, and the macros that go on with the value where there is one.
import type { Expr } from '../ast.ts';
import { declareFunctions, parseType } from '../declarations.ts';
import { type Macro, type MacroNodes, present, variableName } from '../macros.ts';
import type { Library } from '../types.ts';

export function optionalLibrary(): Library {
  const variables = [{ name: 'optional_type', type: parseType('type(optional_type(dyn))') }];
  return { functions: declareFunctions(optionalFunctions), variables, macros: optionalMacros };
}

const targetVariable = '@target';

function mapping(name: string, wrap: (make: MacroNodes, value: Expr) => Expr): Macro {
  return {
    name,
    isMember: true,
    args: 2,
    expand(make, [variable, transform], target) {
      const variableText = variableName(variable, `${name}() variable name must be a simple identifier`);
      // The target stands in the expansion twice; unless it is a name it is given one, so that it is evaluated once.
      const isName = target.kind === 'identifier';
      const named = isName ? target : make.identifier(targetVariable);
      const mapped = make.bind(variableText, make.memberCall('value', named), present(transform));
      const hasValue = make.memberCall('hasValue', named);
      const either = make.call('_?_:_', hasValue, wrap(make, mapped), make.call('optional.none'));
      return isName ? either : make.bind(targetVariable, target, either);
    },
  };
}

const optionalMacros: readonly Macro[] = [
  mapping('optMap', (make, value) => make.call('optional.of', value)),
  mapping('optFlatMap', (_make, value) => value),
];

const optionalFunctions = `
_?._
  select_optional_field: (dyn, string) -> optional_type(V)
_[?_]
  list_optindex_optional_int: (list(V), int) -> optional_type(V)
  optional_list_optindex_optional_int: (optional_type(list(V)), int) -> optional_type(V)
  map_optindex_optional_value: (map(K, V), K) -> optional_type(V)
  optional_map_optindex_optional_value: (optional_type(map(K, V)), K) -> optional_type(V)
_[_]
  optional_list_index_int: (optional_type(list(V)), int) -> optional_type(V)
  optional_map_index_value: (optional_type(map(K, V)), K) -> optional_type(V)
optional.of
  optional_of: (V) -> optional_type(V)
optional.ofNonZeroValue
  optional_ofNonZeroValue: (V) -> optional_type(V)
optional.none
  optional_none: () -> optional_type(V)
optional.unwrap
  optional_unwrap: (list(optional_type(V))) -> list(V)
unwrapOpt
  optional_unwrapOpt: list(optional_type(V)).() -> list(V)
value
  optional_value: optional_type(V).() -> V
hasValue
  optional_hasValue: optional_type(V).() -> bool
or
  optional_or_optional: optional_type(V).(optional_type(V)) -> optional_type(V)
orValue
  optional_orValue_value: optional_type(V).(V) -> V
first
  list_first: list(V).() -> optional_type(V)
last
  list_last: list(V).() -> optional_type(V)
`;
