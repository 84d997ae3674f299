import { type Visit, Walk } from './walk.ts';

/** More than any answer has room for: of 4,096 characters each warning takes one at least. */
const mostWarnings = 10_000;

/** What a client should know about an object that is fine otherwise, collected on a walk through it. */
export class Warnings extends Walk {
  readonly found: string[] = [];

  /** Looking for more is in vain. */
  get isFull(): boolean {
    return this.found.length >= mostWarnings;
  }

  /** Warnings about one value by one rule. */
  static of<Value>(path: string, value: Value, visit: Visit<Value, Warnings, undefined>): string[];
  static of<Value, Context>(path: string, value: Value, visit: Visit<Value, Warnings, Context>, context: Context): string[];
  static of<Value, Context>(path: string, value: Value, visit: Visit<Value, Warnings, Context>, context?: Context): string[] {
    const warnings = new Warnings(path);
    visit(value, warnings, context as Context);
    return warnings.found;
  }

  /** `<path of the member>: <text>`; '' is the current value itself. */
  warn(member: string, text: string): void {
    if (!this.isFull) this.found.push(`${this.path(member)}: ${text}`);
  }

  /** Whole texts, with their paths. */
  addAll(texts: readonly string[]): void {
    for (const text of texts) if (!this.isFull) this.found.push(text);
  }
}
