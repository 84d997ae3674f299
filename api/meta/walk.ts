/** Rules about one value at a path. `context` is further input. */
export type Visit<Value, At, Context> = (value: Value, at: At, context: Context) => void;
/** As `Visit`, for a value among others: its place in the list, or its key. */
type VisitOne<Value, At, Context, Place> = (value: Value, at: At, context: Context, place: Place) => void;

/**
 * A walk through an object, which knows where it stands. Rules are functions that are handed from value to value and not made anew,
 * and texts are made on demand: walking through an object that is fine makes nothing.
 */
export abstract class Walk {
  readonly #start: string;
  /** Members by name, items by number, entries by `[key]`. */
  readonly #steps: (string | number)[] = [];

  /** `start` is the path of the value that the walk begins at. */
  constructor(start: string) {
    this.#start = start;
  }

  /** The path of the current value, or of one of its members, `up` levels above it. */
  path(member = '', up = 0): string {
    let text = this.#start;
    for (const step of this.#steps.slice(0, this.#steps.length - up)) text += textOf(step);
    return member === '' ? text : `${text}.${member}`;
  }

  /** Visits a member, where it is there. */
  member<Value>(name: string, value: Value | undefined, visit: Visit<Value, this, undefined>): void;
  member<Value, Context>(name: string, value: Value | undefined, visit: Visit<Value, this, Context>, context: Context): void;
  member<Value, Context>(name: string, value: Value | undefined, visit: Visit<Value, this, Context>, context?: Context): void {
    if (value === undefined) return;
    this.#steps.push(name);
    visit(value, this, context as Context);
    this.#steps.pop();
  }

  /** Visits the items of a list. */
  each<Value>(name: string, list: readonly Value[] | undefined, visit: VisitOne<Value, this, undefined, number>): void;
  each<Value, Context>(
    name: string,
    list: readonly Value[] | undefined,
    visit: VisitOne<Value, this, Context, number>,
    context: Context,
  ): void;
  each<Value, Context>(
    name: string,
    list: readonly Value[] | undefined,
    visit: VisitOne<Value, this, Context, number>,
    context?: Context,
  ): void {
    if (list === undefined) return;
    this.#steps.push(name);
    for (let index = 0; index < list.length; index++) {
      this.#steps.push(index);
      visit(list[index] as Value, this, context as Context, index);
      this.#steps.pop();
    }
    this.#steps.pop();
  }

  /** Visits the entries of a map. */
  entries<Value>(name: string, map: Readonly<Record<string, Value>> | undefined, visit: VisitOne<Value, this, undefined, string>): void;
  entries<Value, Context>(
    name: string,
    map: Readonly<Record<string, Value>> | undefined,
    visit: VisitOne<Value, this, Context, string>,
    context: Context,
  ): void;
  entries<Value, Context>(
    name: string,
    map: Readonly<Record<string, Value>> | undefined,
    visit: VisitOne<Value, this, Context, string>,
    context?: Context,
  ): void {
    if (map === undefined) return;
    this.#steps.push(name);
    for (const key of Object.keys(map)) {
      this.#steps.push(`[${key}]`);
      visit(map[key] as Value, this, context as Context, key);
      this.#steps.pop();
    }
    this.#steps.pop();
  }
}

function textOf(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return step.startsWith('[') ? step : `.${step}`;
}
