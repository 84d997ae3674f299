import type { Json } from '#api/meta/object.ts';
import type { Duplicates, ParsedJson } from './json.ts';
import { NumberText } from './json-parser.ts';

/** A value that its type cannot take; the message is what upstream's decoder says. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** A field that its struct has from another one that it embeds. */
interface EmbeddedField {
  readonly name: string;
  readonly inside: string;
}

/** One step into a value: a struct's field, a map's key (in brackets, so to say), or an index. */
export type Step = string | EmbeddedField | number | readonly [string];

/** A decoding that waits, so that types which hold themselves do not recurse on the input's depth. */
interface Waiting {
  readonly decode: (value: Json, state: DecodeState) => Json | undefined;
  readonly value: { [key: string]: Json };
  /** Where it lies. */
  readonly place: Place;
}

/** A path as a chain, so that deep ones share their beginnings. */
interface Place {
  readonly outer: Place | undefined;
  readonly steps: readonly Step[];
  readonly structs: readonly string[];
}

/** As many problems as upstream collects. */
const maxProblems = 100;

/** What one decoding of one body knows: where it is, and what it found. */
export class DecodeState {
  readonly duplicates: Duplicates | undefined;
  readonly hasNumberTexts: boolean;
  readonly steps: Step[] = [];
  /** Go's names of the structs around. */
  readonly structs: string[] = [];
  readonly waiting: Waiting[] = [];
  #outer: Place | undefined;
  readonly #problems = new Set<string>();
  #mismatch: string | undefined;

  constructor({ duplicates, hasNumberTexts }: Omit<ParsedJson, 'value'>) {
    this.duplicates = duplicates;
    this.hasNumberTexts = hasNumberTexts;
  }

  /** `unknown field "…"` and `duplicate field "…"`, in the order found, each once. */
  get problems(): readonly string[] {
    return [...this.#problems];
  }

  /** The first value of a wrong type: Go goes on after it, and fails in the end. */
  get mismatch(): string | undefined {
    return this.#mismatch;
  }

  /** Starts over at another place. */
  enter(place: Place): void {
    this.#outer = place;
    this.steps.length = 0;
    this.structs.length = 0;
  }

  place(): Place {
    return { outer: this.#outer, steps: [...this.steps], structs: [...this.structs] };
  }

  unknown(field: string): void {
    this.#add('unknown', field);
  }

  duplicate(field: string): void {
    this.#add('duplicate', field);
  }

  /** Notes that `value` does not fit Go's type `goType`. Answers undefined, so that decoders can return it. */
  mismatched(value: Json, goType: string): undefined {
    this.#mismatch ??= `json: cannot unmarshal ${valueText(value, goType)} into Go ${this.#target()} of type ${goType}`;
    return undefined;
  }

  /** Notes that a value is no good, in its type's own words. Answers undefined, too. */
  refused(why: string): undefined {
    this.#mismatch ??= why;
    return undefined;
  }

  #add(what: 'unknown' | 'duplicate', field: string): void {
    if (this.#problems.size >= maxProblems) return;
    const path = pathText(this.#allSteps());
    this.#problems.add(`${what} field ${JSON.stringify(path === '' ? field : `${path}.${field}`)}`);
  }

  #allSteps(): Step[] {
    const parts: (readonly Step[])[] = [this.steps];
    for (let outer = this.#outer; outer !== undefined; outer = outer.outer) parts.push(outer.steps);
    return parts.toReversed().flat();
  }

  #target(): string {
    const fields = this.#allSteps().flatMap((step) => {
      if (typeof step === 'string') return [step];
      return isEmbedded(step) ? [step.inside, step.name] : [];
    });
    let struct = this.structs.at(-1);
    for (let outer = this.#outer; struct === undefined && outer !== undefined; outer = outer.outer) struct = outer.structs.at(-1);
    return fields.length === 0 || struct === undefined ? 'value' : `struct field ${struct}.${fields.join('.')}`;
  }
}

function isEmbedded(step: Step): step is EmbeddedField {
  return typeof step === 'object' && 'inside' in step;
}

/** `spec.containers[0].env`: map keys look like fields. */
function pathText(steps: readonly Step[]): string {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else {
      const name = typeof step === 'string' ? step : isEmbedded(step) ? step.name : step[0];
      text += text === '' ? name : `.${name}`;
    }
  }
  return text;
}

/** How Go calls a JSON value that does not fit; numbers show themselves where a number was wanted. */
export function valueText(value: Json, goType: string): string {
  if (value === null) return 'null';
  const wantsNumber = /^(u?int|float)/.test(goType);
  if (value instanceof NumberText) return wantsNumber ? `number ${value.text}` : 'number';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return wantsNumber ? `number ${value}` : 'number';
    case 'boolean':
      return 'bool';
    default:
      return Array.isArray(value) ? 'array' : 'object';
  }
}
