// Which types agree with which, and what the type variables of one check stand for. Type variables are bound as calls are resolved; an
// attempt that fails leaves nothing behind. Upstream: cel-go/checker/types.go.
import { formatType } from './type-text.ts';
import type { CelType, Overload } from './types.ts';

const dyn: CelType = { kind: 'dyn' };

/** Types can double in size with each use of a variable, so their parts are counted: beyond this, checking ends. */
const effortLimit = 300_000;

/** Thrown where the types of an expression have grown out of all proportion. */
export class TypesTooComplex extends Error {
  override readonly name = 'TypesTooComplex';
}

export class Substitutions {
  readonly #bound = new Map<string, CelType>();
  /** What was bound before, newest last: undone when an attempt fails. */
  readonly #trail: [name: string, before: CelType | undefined][] = [];
  #variables = 0;
  #effort = 0;

  newVariable(): CelType {
    return { kind: 'param', name: `_var${this.#variables++}` };
  }

  /** The overload with fresh variables in place of its own. */
  instantiate(overload: Overload): Pick<Overload, 'parameters' | 'result'> {
    const { parameters, result } = overload;
    if (!parameters.some(isGeneric) && !isGeneric(result)) return overload;
    const fresh = new Map<string, CelType>();
    // The variables of the result come first: messages show their numbers.
    const renewed = this.#renew(result, fresh);
    return { parameters: parameters.map((type) => this.#renew(type, fresh)), result: renewed };
  }

  #renew(type: CelType, fresh: Map<string, CelType>): CelType {
    if (type.kind !== 'param') return withParts(type, (part) => this.#renew(part, fresh));
    const known = fresh.get(type.name) ?? this.newVariable();
    fresh.set(type.name, known);
    return known;
  }

  /** True where every type may stand where its counterpart is wanted; binds variables only then. */
  areAssignable(from: readonly CelType[], to: readonly CelType[]): boolean {
    const mark = this.#trail.length;
    if (this.#all(from, to)) return true;
    for (let at = this.#trail.length; at > mark; at--) {
      const [name, before] = this.#trail.pop() ?? ['', undefined];
      if (before === undefined) this.#bound.delete(name);
      else this.#bound.set(name, before);
    }
    return false;
  }

  isAssignable(from: CelType, to: CelType): boolean {
    return this.areAssignable([from], [to]);
  }

  /** The type with bound variables replaced; free ones become `dyn` where `freeAsDyn` says so. */
  resolve(type: CelType, freeAsDyn = false): CelType {
    this.#count();
    if (type.kind !== 'param') return withParts(type, (part) => this.resolve(part, freeAsDyn));
    const bound = this.#bound.get(type.name);
    if (bound !== undefined) return this.resolve(bound, freeAsDyn);
    return freeAsDyn ? dyn : type;
  }

  #count(): void {
    if (++this.#effort > effortLimit) throw new TypesTooComplex();
  }

  #all(from: readonly CelType[], to: readonly CelType[]): boolean {
    return from.length === to.length && from.every((type, at) => this.#assign(type, to[at] ?? dyn));
  }

  #assign(from: CelType, to: CelType): boolean {
    this.#count();
    if (to.kind === 'param') {
      const bound = this.#bind(from, to);
      if (bound !== 'cannot') return bound === 'agrees';
    }
    if (from.kind === 'param') return this.#bind(to, from) === 'agrees';
    if (isDynamic(from) || isDynamic(to) || from.kind === 'error' || to.kind === 'error') return true;
    if (from.kind === 'null') return isNullable(to);
    if (to.kind === 'null') return isNullable(from);
    if (from.kind === 'list' || from.kind === 'map' || from.kind === 'opaque') {
      return isSameConstructor(from, to) && this.#all(partsOf(from), partsOf(to));
    }
    if (from.kind === 'type') return to.kind === 'type';
    return bareKind(from) === bareKind(to) && nameOf(from) === nameOf(to);
  }

  /** `cannot` where the variable is free but may not become the type: it occurs within. */
  #bind(type: CelType, variable: CelType & { kind: 'param' }): 'agrees' | 'disagrees' | 'cannot' {
    if (type.kind === 'param' && type.name === variable.name) return 'agrees';
    const bound = this.#bound.get(variable.name);
    if (bound === undefined) {
      if (this.#occurs(variable.name, type)) return 'cannot';
      this.#set(variable.name, type);
      return 'agrees';
    }
    if (this.isExactly(type, bound)) return 'agrees';
    if (!this.#assign(type, bound)) return 'disagrees';
    const general = this.mostGeneral(type, bound);
    if (!this.#occurs(variable.name, general)) this.#set(variable.name, general);
    return 'agrees';
  }

  /** Of two types that agree, the one that says less. */
  mostGeneral(left: CelType, right: CelType): CelType {
    return this.#isLessSpecific(left, right) ? left : right;
  }

  #isLessSpecific(left: CelType, right: CelType): boolean {
    this.#count();
    if (isDynamic(left) || left.kind === 'param') return true;
    if (isDynamic(right) || right.kind === 'param') return false;
    if (left.kind === 'type') return right.kind === 'type';
    if (left.kind === 'list' || left.kind === 'map' || left.kind === 'opaque') {
      const others = partsOf(right);
      return isSameConstructor(left, right) && partsOf(left).every((part, at) => this.#isLessSpecific(part, others[at] ?? dyn));
    }
    return isExactly(left, right);
  }

  /** As messages show it. */
  format(type: CelType): string {
    this.#weigh(type);
    return formatType(type);
  }

  #weigh(type: CelType): void {
    this.#count();
    for (const part of partsOf(type)) this.#weigh(part);
  }

  isExactly(left: CelType, right: CelType): boolean {
    return isExactly(left, right, this.#counter);
  }

  readonly #counter = (): void => this.#count();

  #set(name: string, type: CelType): void {
    this.#trail.push([name, this.#bound.get(name)]);
    this.#bound.set(name, type);
  }

  #occurs(name: string, type: CelType): boolean {
    this.#count();
    if (type.kind !== 'param') return partsOf(type).some((part) => this.#occurs(name, part));
    if (type.name === name) return true;
    const bound = this.#bound.get(type.name);
    return bound !== undefined && this.#occurs(name, bound);
  }
}

/** True for types about which only evaluation will tell. */
export function isDynamic({ kind }: CelType): boolean {
  return kind === 'dyn' || kind === 'any';
}

/** The wrapped type of an optional, undefined for other types. */
export function optionalOf(type: CelType): CelType | undefined {
  return type.kind === 'opaque' && type.name === 'optional_type' ? type.parameters[0] : undefined;
}

/** The same type to the letter; a wrapper counts as what it wraps. */
export function isExactly(left: CelType, right: CelType, count?: () => void): boolean {
  if (left === right) return true;
  count?.();
  if (bareKind(left) !== bareKind(right) || nameOf(left) !== nameOf(right)) return false;
  const [parts, others] = [partsOf(left), partsOf(right)];
  return parts.length === others.length && parts.every((part, at) => isExactly(part, others[at] ?? dyn, count));
}

function isSameConstructor(left: CelType, right: CelType): boolean {
  return left.kind === right.kind && nameOf(left) === nameOf(right) && partsOf(left).length === partsOf(right).length;
}

/** What may be null: wrappers, and whatever is known by name only. */
function isNullable({ kind }: CelType): boolean {
  return kind === 'null' || kind === 'wrapper' || kind === 'opaque' || kind === 'object' || kind === 'duration' || kind === 'timestamp';
}

function bareKind(type: CelType): CelType['kind'] {
  return type.kind === 'wrapper' ? type.of : type.kind;
}

function nameOf(type: CelType): string | undefined {
  return type.kind === 'opaque' || type.kind === 'object' || type.kind === 'param' ? type.name : undefined;
}

function partsOf(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case 'list':
      return [type.element];
    case 'map':
      return [type.key, type.value];
    case 'opaque':
      return type.parameters;
    case 'type':
      return type.of === undefined ? [] : [type.of];
    default:
      return [];
  }
}

function isGeneric(type: CelType): boolean {
  return type.kind === 'param' || partsOf(type).some(isGeneric);
}

/** The type made of other parts; itself where all parts stay. */
function withParts(type: CelType, change: (part: CelType) => CelType): CelType {
  switch (type.kind) {
    case 'list': {
      const element = change(type.element);
      return element === type.element ? type : { kind: 'list', element };
    }
    case 'map': {
      const [key, value] = [change(type.key), change(type.value)];
      return key === type.key && value === type.value ? type : { kind: 'map', key, value };
    }
    case 'opaque': {
      const parameters = type.parameters.map(change);
      return parameters.every((part, at) => part === type.parameters[at]) ? type : { ...type, parameters };
    }
    case 'type': {
      const of = type.of === undefined ? undefined : change(type.of);
      return of === type.of ? type : { kind: 'type', of };
    }
    default:
      return type;
  }
}
