// Finds the type of every part of an expression and the overloads that its calls may mean. Names are resolved to full ones on the way, so
// the tree that comes out may differ from the one that went in; both are left unchanged. Upstream: cel-go/checker/checker.go.
import type {
  Call,
  CelProblem,
  Comprehension,
  Expr,
  Identifier,
  ListLiteral,
  LiteralValue,
  MapLiteral,
  Offset,
  Select,
  StructLiteral,
} from './ast.ts';
import type { Environment } from './environment.ts';
import { findLocal, qualifiedName, type Scope } from './scope.ts';
import { isDynamic, optionalOf, Substitutions, TypesTooComplex } from './substitutions.ts';
import { formatCall } from './type-text.ts';
import type { CelType, FunctionDeclaration, Overload } from './types.ts';
import { isWellKnown, wellKnownName } from './well-known.ts';

export interface CheckedExpression {
  /** With names resolved: variables by their full names, functions of a namespace without a receiver. */
  readonly expr: Expr;
  /** The type of each part of `expr`. */
  readonly types: ReadonlyMap<Expr, CelType>;
  /** The overloads that each call of `expr` may mean: several where types are known only later. */
  readonly overloads: ReadonlyMap<Expr, readonly string[]>;
  /** The values of names that stand for numbers. */
  readonly constants: ReadonlyMap<Expr, bigint>;
}

/** In the order in which upstream finds the problems. */
export function check(expr: Expr, environment: Environment): CheckedExpression | readonly CelProblem[] {
  const checker = new Checker(environment);
  try {
    const checked = checker.run(expr);
    return checker.problems.length > 0 ? checker.problems : checked;
  } catch (err) {
    if (!(err instanceof TypesTooComplex)) throw err;
    return [{ at: undefined, message: 'the types of the expression are too complex' }];
  }
}

const dyn: CelType = { kind: 'dyn' };
const bool: CelType = { kind: 'bool' };
const error: CelType = { kind: 'error' };
const literalTypes: Readonly<Record<LiteralValue['type'], CelType>> = {
  null: { kind: 'null' },
  bool,
  int: { kind: 'int' },
  uint: { kind: 'uint' },
  double: { kind: 'double' },
  string: { kind: 'string' },
  bytes: { kind: 'bytes' },
};

class Checker {
  readonly problems: CelProblem[] = [];
  readonly #environment: Environment;
  readonly #substitutions = new Substitutions();
  readonly #types = new Map<Expr, CelType>();
  readonly #overloads = new Map<Expr, readonly string[]>();
  readonly #constants = new Map<Expr, bigint>();
  #scope: Scope | undefined;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  run(expr: Expr): CheckedExpression {
    const checked = this.#check(expr);
    for (const [part, type] of this.#types) this.#types.set(part, this.#substitutions.resolve(type, true));
    return { expr: checked, types: this.#types, overloads: this.#overloads, constants: this.#constants };
  }

  #check(expr: Expr): Expr {
    switch (expr.kind) {
      case 'literal':
        return this.#typed(expr, literalTypes[expr.literal.type]);
      case 'identifier':
        return this.#checkIdentifier(expr);
      case 'select':
        return this.#checkSelect(expr);
      case 'call':
        return this.#checkCall(expr);
      case 'list':
        return this.#checkList(expr);
      case 'map':
        return this.#checkMap(expr);
      case 'struct':
        return this.#checkStruct(expr);
      case 'comprehension':
        return this.#checkComprehension(expr);
    }
  }

  #typed<T extends Expr>(expr: T, type: CelType): T {
    this.#types.set(expr, type);
    return expr;
  }

  #typeOf(expr: Expr): CelType {
    return this.#types.get(expr) ?? error;
  }

  #report(at: Offset | undefined, message: string): void {
    this.problems.push({ at, message });
  }

  #undeclared(at: Offset, name: string): void {
    this.#report(at, `undeclared reference to '${name}' (in container '${this.#environment.container}')`);
  }

  #mismatch(at: Offset, expected: CelType, actual: CelType): void {
    this.#report(at, `expected type '${this.#format(expected)}' but found '${this.#format(actual)}'`);
  }

  #format(type: CelType): string {
    return this.#substitutions.format(type);
  }

  #checkIdentifier(expr: Identifier): Expr {
    const local = findLocal(this.#scope, expr.name);
    if (local !== undefined && !expr.name.startsWith('.')) return this.#typed(expr, local);
    const found = this.#global(expr.name, local !== undefined, expr.at);
    if (found !== undefined) return found;
    this.#undeclared(expr.at, expr.name);
    return this.#typed(expr, error);
  }

  /** A name that is none of a comprehension's; with a dot in front where one of those hides it. */
  #global(name: string, isHidden: boolean, at: Offset): Identifier | undefined {
    const found = this.#environment.findName(name);
    if (found === undefined) return undefined;
    const identifier: Identifier = { kind: 'identifier', at, name: isHidden ? `.${found.name}` : found.name };
    if (found.constant !== undefined) this.#constants.set(identifier, found.constant);
    return this.#typed(identifier, found.type);
  }

  #checkSelect(expr: Select): Expr {
    const path = expr.testOnly ? undefined : qualifiedName(expr);
    if (path !== undefined) {
      const local = findLocal(this.#scope, path.root);
      const isField = local !== undefined && !path.root.startsWith('.');
      const found = isField ? undefined : this.#global(path.name, local !== undefined, expr.at);
      if (found !== undefined) return found;
    }
    const operand = this.#check(expr.operand);
    const type = this.#fieldType(operand, expr, false);
    const checked: Select = operand === expr.operand ? expr : { ...expr, operand };
    return this.#typed(checked, expr.testOnly ? bool : this.#substitutions.resolve(type));
  }

  /** `a.?b`. */
  #checkOptionalSelect(expr: Call): Expr {
    const [operand, field] = expr.args;
    if (expr.args.length !== 2 || expr.target !== undefined || operand === undefined || field === undefined) {
      const how = expr.target === undefined ? '' : ' member call with';
      this.#report(expr.at, `unsupported optional field selection: incorrect signature.${how} argument count: ${expr.args.length}`);
      return this.#typed(expr, error);
    }
    if (field.kind !== 'literal' || field.literal.type !== 'string') {
      this.#report(field.at, 'unsupported optional field selection: the name of a field is no string');
      return this.#typed(expr, error);
    }
    const checked = this.#check(operand);
    const type = this.#fieldType(checked, { at: expr.at, field: field.literal.value }, true);
    const call: Call = { ...expr, args: [checked, field] };
    this.#types.set(field, { kind: 'string' });
    this.#overloads.set(call, ['select_optional_field']);
    return this.#typed(call, this.#substitutions.resolve(type));
  }

  #fieldType(operand: Expr, { at, field }: { readonly at: Offset; readonly field: string }, isOptional: boolean): CelType {
    const operandType = this.#substitutions.resolve(this.#typeOf(operand));
    const inner = optionalOf(operandType);
    const result = this.#memberType(inner ?? operandType, at, field);
    return inner !== undefined || isOptional ? { kind: 'opaque', name: 'optional_type', parameters: [result] } : result;
  }

  #memberType(target: CelType, at: Offset, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return target.value;
      case 'object':
        return this.#messageField(target.name, at, field) ?? error;
      case 'param':
        // Whatever it turns out to be must not narrow what was assumed here.
        this.#substitutions.isAssignable(dyn, target);
        return dyn;
      default:
        if (!isDynamic(target) && target.kind !== 'error') {
          this.#report(at, `type '${this.#format(target)}' does not support field selection`);
        }
        return dyn;
    }
  }

  #messageField(message: string, at: Offset, field: string): CelType | undefined {
    if (!this.#environment.isMessage(message)) {
      this.#report(at, `unexpected failed resolution of '${message}'`);
      return undefined;
    }
    const type = this.#environment.findField(message, field);
    if (type === undefined) this.#report(at, `undefined field '${field}'`);
    return type;
  }

  #checkCall(expr: Call): Expr {
    if (expr.function === '_?._') return this.#checkOptionalSelect(expr);
    const args = expr.args.map((arg) => this.#check(arg));
    if (expr.target === undefined) {
      const found = this.#environment.findFunction(expr.function);
      if (found !== undefined) return this.#resolveCall(withParts(expr, undefined, args, found.name), found);
      this.#undeclared(expr.at, expr.function);
      return this.#typed({ ...expr, args }, error);
    }
    const namespace = qualifiedName(expr.target);
    const inNamespace = namespace === undefined ? undefined : this.#environment.findFunction(`${namespace.name}.${expr.function}`);
    if (inNamespace !== undefined) {
      return this.#resolveCall({ ...expr, function: inNamespace.name, target: undefined, args }, inNamespace);
    }
    const target = this.#check(expr.target);
    const found = this.#environment.findFunction(expr.function);
    if (found !== undefined) return this.#resolveCall(withParts(expr, target, args, expr.function), found);
    this.#undeclared(expr.at, expr.function);
    return this.#typed({ ...expr, target, args }, error);
  }

  #resolveCall(call: Call, declared: FunctionDeclaration): Expr {
    const isMember = call.target !== undefined;
    const given = call.target === undefined ? call.args : [call.target, ...call.args];
    const candidates = declared.overloads.filter(
      (overload) => overload.isMember === isMember && !this.#environment.disabledOverloads.has(overload.id),
    );
    if ((call.function === '_&&_' || call.function === '_||_') && candidates[0] !== undefined) return this.#logical(call, candidates[0]);
    const types = given.map((part) => this.#typeOf(part));
    const ids: string[] = [];
    let result: CelType | undefined;
    for (const overload of candidates) {
      const { parameters, result: declaredResult } = this.#substitutions.instantiate(overload);
      if (!this.#substitutions.areAssignable(types, parameters)) continue;
      ids.push(overload.id);
      const type = this.#substitutions.resolve(declaredResult);
      if (result === undefined) result = type;
      else if (!isDynamic(result) && !this.#substitutions.isExactly(type, result)) result = dyn;
    }
    if (result === undefined) {
      const shown = types.map((type) => this.#substitutions.resolve(type, true));
      this.#report(call.at, `found no matching overload for '${declared.name}' applied to '${formatCall(shown, isMember)}'`);
      return this.#typed(call, error);
    }
    this.#overloads.set(call, ids);
    return this.#typed(call, result);
  }

  #logical(call: Call, { id }: Overload): Expr {
    const wrong = call.args.filter((arg) => {
      const type = this.#typeOf(arg);
      const isBool = this.#substitutions.isAssignable(type, bool);
      if (!isBool) this.#mismatch(arg.at, bool, type);
      return !isBool;
    });
    if (wrong.length > 0) return this.#typed(call, error);
    this.#overloads.set(call, [id]);
    return this.#typed(call, bool);
  }

  #checkList(expr: ListLiteral): Expr {
    const optional = new Set(expr.optional);
    let type: CelType | undefined;
    const elements = expr.elements.map((element, at) => {
      const checked = this.#check(element);
      const own = optional.has(at) ? this.#unwrapped(checked) : this.#typeOf(checked);
      type = this.#join(type, own);
      return checked;
    });
    const checked = isSame(elements, expr.elements) ? expr : { ...expr, elements };
    return this.#typed(checked, { kind: 'list', element: type ?? this.#substitutions.newVariable() });
  }

  #checkMap(expr: MapLiteral): Expr {
    let keyType: CelType | undefined;
    let valueType: CelType | undefined;
    const entries = expr.entries.map((entry) => {
      const key = this.#check(entry.key);
      keyType = this.#join(keyType, this.#typeOf(key));
      const value = this.#check(entry.value);
      valueType = this.#join(valueType, entry.optional ? this.#unwrapped(value) : this.#typeOf(value));
      return key === entry.key && value === entry.value ? entry : { ...entry, key, value };
    });
    const key = keyType ?? this.#substitutions.newVariable();
    const value = valueType ?? this.#substitutions.newVariable();
    const checked = isSame(entries, expr.entries) ? expr : { ...expr, entries };
    return this.#typed(checked, { kind: 'map', key, value });
  }

  /** What an optional entry adds where it is not empty. */
  #unwrapped(expr: Expr): CelType {
    const type = this.#typeOf(expr);
    const inner = optionalOf(type);
    if (inner === undefined && !isDynamic(type)) {
      this.#mismatch(expr.at, { kind: 'opaque', name: 'optional_type', parameters: [type] }, type);
    }
    return inner ?? type;
  }

  /** The type that holds for an entry and those before it. */
  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    if (this.#substitutions.isAssignable(previous, current)) return this.#substitutions.mostGeneral(previous, current);
    return dyn;
  }

  #checkStruct(expr: StructLiteral): Expr {
    const found = this.#environment.findType(expr.typeName);
    if (found === undefined) {
      this.#undeclared(expr.at, expr.typeName);
      return this.#typed(expr, error);
    }
    const type = this.#substitutions.resolve(found.type, true);
    const isMessage = type.kind === 'object' || isWellKnown(type);
    if (!isMessage) this.#report(expr.at, `'${'name' in type ? type.name : type.kind}' is not a message type`);
    const message = type.kind === 'object' ? type.name : isMessage ? wellKnownName(type) : found.name;
    const fields = expr.fields.map((field) => {
      const value = this.#check(field.value);
      const fieldType = this.#messageField(message, field.at, field.name) ?? error;
      const valueType = field.optional ? this.#unwrapped(value) : this.#typeOf(value);
      if (!this.#substitutions.isAssignable(fieldType, valueType)) {
        const text = `expected type of field '${field.name}' is '${this.#format(fieldType)}'`;
        this.#report(field.at, `${text} but provided type is '${this.#format(valueType)}'`);
      }
      return { ...field, value };
    });
    return this.#typed({ ...expr, typeName: found.name, fields }, isMessage ? type : error);
  }

  #checkComprehension(expr: Comprehension): Expr {
    const range = this.#check(expr.range);
    const initial = this.#check(expr.initial);
    const accumulator = this.#typeOf(initial);
    const outer = this.#scope;
    const withResult: Scope = { outer, variables: new Map([[expr.accumulator, accumulator]]) };
    this.#scope = { outer: withResult, variables: this.#loopVariables(expr, range) };
    const condition = this.#check(expr.condition);
    this.#require(condition, bool);
    const step = this.#check(expr.step);
    this.#require(step, accumulator);
    this.#scope = withResult;
    const result = this.#check(expr.result);
    this.#scope = outer;
    const checked: Comprehension = { ...expr, range, initial, condition, step, result };
    return this.#typed(checked, this.#substitutions.resolve(this.#typeOf(result)));
  }

  #loopVariables({ variable, variable2 }: Comprehension, range: Expr): ReadonlyMap<string, CelType> {
    const [one, two] = this.#rangeTypes(range, variable2 !== undefined);
    return new Map(
      variable2 === undefined || variable2 === variable
        ? [[variable, one]]
        : [
            [variable, one],
            [variable2, two],
          ],
    );
  }

  #rangeTypes(range: Expr, hasTwo: boolean): [CelType, CelType] {
    const type = this.#substitutions.resolve(this.#typeOf(range));
    switch (type.kind) {
      case 'list':
        return hasTwo ? [{ kind: 'int' }, type.element] : [type.element, error];
      case 'map':
        return [type.key, type.value];
      case 'dyn':
      case 'error':
      case 'param':
        this.#substitutions.isAssignable(dyn, type);
        return [dyn, dyn];
      default:
        this.#report(
          range.at,
          `expression of type '${this.#format(type)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [error, error];
    }
  }

  #require(expr: Expr, type: CelType): void {
    if (!this.#substitutions.isAssignable(type, this.#typeOf(expr))) this.#mismatch(expr.at, type, this.#typeOf(expr));
  }
}

/** The call itself where nothing of it changes: most names are full ones already. */
function withParts(call: Call, target: Expr | undefined, args: readonly Expr[], name: string): Call {
  const stays = call.target === target && call.function === name && isSame(args, call.args);
  return stays ? call : { ...call, target, function: name, args };
}

function isSame<T>(list: readonly T[], other: readonly T[]): boolean {
  return list.length === other.length && list.every((one, at) => one === other[at]);
}
