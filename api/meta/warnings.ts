import { type Visit, Walk } from './walk.ts';

/** What a client should know about an object that is fine otherwise, collected on a walk through it. */
export class Warnings extends Walk {
  readonly found: string[] = [];

  /** Warnings about one value by one rule. */
  static of<Value>(path: string, value: Value, visit: Visit<Value, Warnings, undefined>): string[];
  static of<Value, Context>(path: string, value: Value, visit: Visit<Value, Warnings, Context>, context: Context): string[];
  static of<Value, Context>(path: string, value: Value, visit: Visit<Value, Warnings, Context>, context?: Context): string[] {
    const warnings = new Warnings(path);
    visit(value, warnings, context as Context);
    return warnings.found;
  }

  /** `<path of the member>: <text>`; '' is the value at hand itself. */
  warn(member: string, text: string): void {
    this.found.push(`${this.path(member)}: ${text}`);
  }

  /** Whole texts, with their paths. */
  addAll(texts: readonly string[]): void {
    for (const text of texts) this.found.push(text);
  }
}
