// What the cost estimator remembers of the parts of an expression: the way to them from a variable of the input, how large they are, and
// how large their entries are. Variables of comprehensions lead back to what they run over.
import type { Expr } from './ast.ts';
import type { CheckedExpression } from './checker.ts';
import type { CostModel, CostNode } from './cost.ts';
import { extendPath, type Path, readPath } from './cost-paths.ts';
import { fixed, type Range, union, unknown } from './estimate.ts';
import { optionalOf } from './substitutions.ts';
import type { CelType } from './types.ts';

/** The sizes of a list's elements, or of a map's keys and values. */
export interface EntrySizes {
  readonly of: 'list' | 'map';
  readonly key: Range;
  readonly value: Range;
}

interface Local {
  readonly path: Path | undefined;
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
}

export class CostSizes {
  readonly #checked: CheckedExpression;
  readonly #model: CostModel;
  readonly #paths = new Map<Expr, Path | undefined>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, EntrySizes>();
  readonly #locals = new Map<string, Local[]>();

  constructor(checked: CheckedExpression, model: CostModel) {
    this.#checked = checked;
    this.#model = model;
  }

  typeOf(expr: Expr): CelType {
    return this.#checked.types.get(expr) ?? { kind: 'dyn' };
  }

  variable(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  /** A variable that holds a part of the expression. */
  push(name: string, expr: Expr): void {
    this.#push(name, { path: this.path(expr), size: this.size(expr), entries: this.entries(expr) });
  }

  /** A variable that runs over a list or map; `single` is a list's element or a map's key. */
  pushElement(name: string, range: Expr, what: 'key' | 'value' | 'single'): void {
    const entries = this.entries(range);
    const isList = (entries?.of ?? this.typeOf(range).kind) === 'list';
    const isKey = what === 'key' || (what === 'single' && !isList);
    const step = isKey ? (isList ? '@indices' : '@keys') : isList ? '@items' : '@values';
    this.#push(name, { path: extendPath(this.path(range), step), size: isKey ? entries?.key : entries?.value, entries: undefined });
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name) ?? [];
    stack.push(local);
    this.#locals.set(name, stack);
  }

  pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  path(expr: Expr): Path | undefined {
    const local = expr.kind === 'identifier' ? this.variable(expr.name) : undefined;
    return local === undefined ? this.#paths.get(expr) : local.path;
  }

  setPath(expr: Expr, path: Path | undefined): void {
    this.#paths.set(expr, path);
  }

  /** As cost models see it. Where an accumulator leads is not known to them. */
  node(expr: Expr): CostNode {
    const path = this.path(expr);
    const [root] = readPath(path);
    const visible = root === '@result' || root === '__result__' ? undefined : path;
    const [type, size] = [this.typeOf(expr), this.size(expr)];
    return {
      get path() {
        return readPath(visible);
      },
      type,
      expr,
      size,
    };
  }

  size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? literalSize(expr);
    if (known !== undefined) return known;
    const modelled = this.#model.size({ path: readPath(this.path(expr)), type: this.typeOf(expr), expr, size: undefined });
    if (modelled !== undefined) this.#sizes.set(expr, modelled);
    if (modelled !== undefined) return modelled;
    if (isScalar(this.typeOf(expr))) return fixed(1n);
    return expr.kind === 'identifier' ? this.variable(expr.name)?.size : undefined;
  }

  sizeOrUnknown(expr: Expr): Range {
    return this.size(expr) ?? unknown;
  }

  setSize(expr: Expr, size: Range | undefined): void {
    if (size !== undefined) this.#sizes.set(expr, size);
  }

  entries(expr: Expr): EntrySizes | undefined {
    return this.#entries.get(expr) ?? (expr.kind === 'identifier' ? this.variable(expr.name)?.entries : undefined);
  }

  setEntries(expr: Expr, entries: EntrySizes | undefined): void {
    if (entries !== undefined) this.#entries.set(expr, entries);
  }

  copy(to: Expr, from: Expr): void {
    this.setSize(to, this.size(from));
    this.setEntries(to, this.entries(from));
  }
}

/** Known only where both are. */
export function unionOfEntries(left: EntrySizes | undefined, right: EntrySizes | undefined): EntrySizes | undefined {
  if (left === undefined || right === undefined) return undefined;
  return { of: left.of, key: union(left.key, right.key), value: union(left.value, right.value) };
}

/** Texts count in code points. */
function literalSize(expr: Expr): Range | undefined {
  switch (expr.kind) {
    case 'literal': {
      const { literal } = expr;
      if (literal.type === 'string') return fixed(BigInt(Array.from(literal.value).length));
      return fixed(literal.type === 'bytes' ? BigInt(literal.value.length) : 1n);
    }
    case 'list':
      return fixed(BigInt(expr.elements.length));
    case 'map':
      return fixed(BigInt(expr.entries.length));
    default:
      return undefined;
  }
}

const scalarKinds: ReadonlySet<string> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

/** Of the same size whatever the value. */
function isScalar(type: CelType): boolean {
  const optional = optionalOf(type);
  if (optional !== undefined) return isScalar(optional);
  return scalarKinds.has(type.kind === 'wrapper' ? type.of : type.kind);
}
