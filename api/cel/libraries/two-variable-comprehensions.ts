// The macros over lists and maps that name the index or key besides the value: `m.all(key, value, …)`, `transformMap` and its like.
import type { Expr } from '../ast.ts';
import { declareFunctions } from '../declarations.ts';
import {
  accumulator,
  all,
  exists,
  existsOne,
  type Fold,
  gather,
  type Macro,
  MacroProblem,
  onlyWhere,
  present,
  refuseAccumulator,
  variableName,
} from '../macros.ts';
import type { Library } from '../types.ts';

export function twoVariableLibrary(): Library {
  return { functions: declareFunctions(insertion), variables: [], macros: twoVariableMacros };
}

const insert = 'cel.@mapInsert';

const ontoMap = { initial: (make) => make.emptyMap(), condition: gather.condition, result: gather.result } satisfies Partial<Fold>;

function fold(name: string, args: number, how: (key: string) => Fold): Macro {
  const expand: Macro['expand'] = (make, [first, second, ...rest], range) => {
    const [key, value] = variables(first, second);
    const { initial, condition, step, result } = how(key);
    const parts = { initial: initial(make), condition: condition(make), step: step(make, rest), result: result(make) };
    return make.comprehension({ range, variable: key, variable2: value, accumulator, ...parts });
  };
  return { name, isMember: true, args, expand };
}

function variables(first: Expr | undefined, second: Expr | undefined): [string, string] {
  const notSimple = 'argument must be a simple name';
  const names: [string, string] = [variableName(first, notSimple), variableName(second, notSimple)];
  if (names[0] === names[1]) throw new MacroProblem(present(second).at, `duplicate variable name: ${names[0]}`);
  refuseAccumulator(names[0], first);
  refuseAccumulator(names[1], second);
  return names;
}

function insertValue(key: string): Fold {
  return {
    ...ontoMap,
    step: (make, args) => onlyWhere(make, args, make.call(insert, make.result(), make.identifier(key), present(args.at(-1)))),
  };
}

function insertEntries(): Fold {
  return { ...ontoMap, step: (make, args) => onlyWhere(make, args, make.call(insert, make.result(), present(args.at(-1)))) };
}

const twoVariableMacros: readonly Macro[] = [
  fold('all', 3, () => all),
  fold('exists', 3, () => exists),
  fold('existsOne', 3, () => existsOne),
  fold('exists_one', 3, () => existsOne),
  fold('transformList', 3, () => gather),
  fold('transformList', 4, () => gather),
  fold('transformMap', 3, insertValue),
  fold('transformMap', 4, insertValue),
  fold('transformMapEntry', 3, insertEntries),
  fold('transformMapEntry', 4, insertEntries),
];

const insertion = `
${insert}
  @mapInsert_map_key_value: (map(K, V), K, V) -> map(K, V)
  @mapInsert_map_map: (map(K, V), map(K, V)) -> map(K, V)
`;
