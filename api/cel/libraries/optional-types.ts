// Values that may be absent: `optional.of(x)`, and the macros that go on with the value where there is one.
import type { Expr } from '../ast.ts';
import { type Macro, type MacroNodes, present, variableName } from '../macros.ts';

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

export const optionalMacros: readonly Macro[] = [
  mapping('optMap', (make, value) => make.call('optional.of', value)),
  mapping('optFlatMap', (_make, value) => value),
];
