// What evaluating an expression costs, in the best and the worst case, before it is evaluated. What the expression does not tell itself,
// how long a text of the input can be for example, a cost model tells. Upstream: cel-go/checker/cost.go.
import type { Call, Comprehension, Expr, Identifier, ListLiteral, MapLiteral, Select, StructLiteral } from './ast.ts';
import type { CheckedExpression } from './checker.ts';
import { coreCallCost } from './core-costs.ts';
import { add, fixed, largest, multiply, nothing, type Range, union } from './estimate.ts';
import { extendPath, startPath } from './cost-paths.ts';
import { CostSizes } from './cost-sizes.ts';
import type { CelType } from './types.ts';

/** A part of an expression, or what its elements would be, as cost models see it. */
export interface CostNode {
  /** The way to it from a variable: fields, `@items`, `@keys`, `@values`, `@indices`; empty where there is none. */
  readonly path: readonly string[];
  readonly type: CelType;
  /** Undefined for elements of a list. */
  readonly expr: Expr | undefined;
  /** Known from the expression itself. */
  readonly size: Range | undefined;
}

export interface CallCost {
  readonly cost: Range;
  /** Of the result, where that is a text, bytes, a list or a map. */
  readonly size?: Range;
}

export interface ModelledCall {
  readonly function: string;
  readonly overload: string;
  readonly target: CostNode | undefined;
  readonly args: readonly CostNode[];
}

export interface CostModel {
  /** The number of characters, bytes or elements; undefined where the model does not know. */
  size(node: CostNode): Range | undefined;
  /** Without the costs of target and arguments; undefined where the core's estimate holds. */
  call(call: ModelledCall): CallCost | undefined;
  /** What `has(a.b)` costs. */
  readonly presenceCost: bigint;
}

const one = fixed(1n);
const listCost = fixed(10n);
const mapCost = fixed(30n);
const structCost = fixed(40n);
const noEntries: Range = { min: largest, max: 0n };

export function estimateCost(checked: CheckedExpression, model: CostModel): Range {
  return new Estimator(checked, model).cost(checked.expr);
}

class Estimator {
  readonly #checked: CheckedExpression;
  readonly #model: CostModel;
  readonly #sizes: CostSizes;

  constructor(checked: CheckedExpression, model: CostModel) {
    this.#checked = checked;
    this.#model = model;
    this.#sizes = new CostSizes(checked, model);
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return nothing;
      case 'identifier':
        return this.#costIdentifier(expr);
      case 'select':
        return this.#costSelect(expr);
      case 'call':
        return this.#costCall(expr);
      case 'list':
        return this.#costList(expr);
      case 'map':
        return this.#costMap(expr);
      case 'struct':
        return this.#costStruct(expr);
      case 'comprehension':
        return isBinding(expr) ? this.#costBinding(expr) : this.#costComprehension(expr);
    }
  }

  #costIdentifier(expr: Identifier): Range {
    const variable = this.#sizes.variable(expr.name);
    this.#sizes.setPath(expr, variable === undefined ? startPath(expr.name) : variable.path);
    return one;
  }

  #costSelect(expr: Select): Range {
    if (expr.testOnly) return add(fixed(this.#model.presenceCost), this.cost(expr.operand));
    const operand = this.cost(expr.operand);
    const { kind } = this.#sizes.typeOf(expr.operand);
    this.#sizes.setPath(expr, extendPath(this.#sizes.path(expr.operand), expr.field));
    return kind === 'map' || kind === 'object' || kind === 'param' ? add(operand, one) : operand;
  }

  #costCall(expr: Call): Range {
    const [first] = expr.args;
    if (expr.function === 'dyn' && first !== undefined) {
      const cost = this.cost(first);
      this.#sizes.copy(expr, first);
      return add(one, cost);
    }
    const argCosts: Range[] = [];
    const args: CostNode[] = [];
    for (const arg of expr.args) {
      argCosts.push(this.cost(arg));
      args.push(this.#sizes.node(arg));
    }
    const overloads = this.#checked.overloads.get(expr) ?? [];
    if (overloads.length === 0) return nothing;
    const targetCost = expr.target === undefined ? nothing : this.cost(expr.target);
    const target = expr.target === undefined ? undefined : this.#sizes.node(expr.target);
    let cost: Range = noEntries;
    let size: Range | undefined;
    for (const overload of overloads) {
      const call = this.#callCost(expr, { function: expr.function, overload, target, args }, argCosts);
      cost = union(cost, call.cost);
      if (call.size !== undefined) size = size === undefined ? call.size : union(size, call.size);
      if ((overload === 'index_list' || overload === 'index_map') && first !== undefined) {
        size = this.#sizes.entries(first)?.value;
        this.#sizes.setPath(expr, extendPath(this.#sizes.path(first), overload === 'index_list' ? '@items' : '@values'));
      }
      size ??= this.#sizes.size(expr);
    }
    this.#sizes.setSize(expr, size);
    return add(targetCost, cost);
  }

  #callCost(expr: Call, call: ModelledCall, argCosts: readonly Range[]): CallCost {
    const sum = argCosts.reduce(add, nothing);
    const modelled = this.#model.call(call);
    if (modelled !== undefined) return { ...modelled, cost: add(modelled.cost, sum) };
    const { cost, size, entries } = coreCallCost(call, argCosts, sum, (arg) => this.#sizes.entries(arg));
    if (entries !== undefined) this.#sizes.setEntries(expr, entries);
    return size === undefined ? { cost } : { cost, size };
  }

  #costList(expr: ListLiteral): Range {
    let sum = nothing;
    let value = expr.elements.length === 0 ? nothing : noEntries;
    for (const element of expr.elements) {
      sum = add(sum, this.cost(element));
      value = union(value, this.#sizes.sizeOrUnknown(element));
    }
    this.#sizes.setEntries(expr, { of: 'list', key: one, value });
    return add(sum, listCost);
  }

  #costMap(expr: MapLiteral): Range {
    let sum = nothing;
    let key = expr.entries.length === 0 ? nothing : noEntries;
    let value = key;
    for (const entry of expr.entries) {
      sum = add(add(sum, this.cost(entry.key)), this.cost(entry.value));
      key = union(key, this.#sizes.sizeOrUnknown(entry.key));
      value = union(value, this.#sizes.sizeOrUnknown(entry.value));
    }
    this.#sizes.setEntries(expr, { of: 'map', key, value });
    return add(sum, mapCost);
  }

  #costStruct(expr: StructLiteral): Range {
    return expr.fields.map(({ value }) => this.cost(value)).reduce(add, structCost);
  }

  #costComprehension(expr: Comprehension): Range {
    const { range, initial, accumulator, variable, variable2, condition, step, result } = expr;
    const before = add(this.cost(range), this.cost(initial));
    this.#sizes.push(accumulator, initial);
    if (variable2 === undefined) {
      this.#sizes.pushElement(variable, range, 'single');
    } else {
      this.#sizes.pushElement(variable, range, 'key');
      this.#sizes.pushElement(variable2, range, 'value');
    }
    const condCost = this.cost(condition);
    const turn = add(this.cost(step), condCost);
    this.#sizes.pop(variable);
    if (variable2 !== undefined) this.#sizes.pop(variable2);
    const after = this.cost(result);
    this.#sizes.pop(accumulator);
    const turns = this.#sizes.sizeOrUnknown(range);
    if (initial.kind === 'literal') this.#sizes.setSize(expr, this.#sizes.size(initial));
    if (initial.kind === 'list' || initial.kind === 'map') {
      this.#sizes.setSize(expr, turns);
      this.#sizes.setEntries(expr, this.#sizes.entries(step));
    }
    return add(add(before, after), multiply(turns, turn));
  }

  /** `cel.bind(a, b, c)`: no turn of the loop is made. */
  #costBinding(expr: Comprehension): Range {
    const { range, initial, accumulator, result } = expr;
    const before = add(this.cost(range), this.cost(initial));
    this.#sizes.push(accumulator, initial);
    const after = this.cost(result);
    this.#sizes.pop(accumulator);
    this.#sizes.copy(expr, result);
    return add(before, after);
  }
}

function isBinding({ range, condition, accumulator }: Comprehension): boolean {
  const isEmpty = range.kind === 'list' && range.elements.length === 0;
  const never = condition.kind === 'literal' && condition.literal.type === 'bool' && !condition.literal.value;
  return isEmpty && never && accumulator !== '__result__';
}
