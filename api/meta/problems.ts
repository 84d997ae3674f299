import * as checks from './field-checks.ts';
import { duplicate, type FieldProblem, forbiddenField, invalid, notSupported, required, valueNotFound } from './field-problem.ts';
import { dnsLabelProblems, dnsSubdomainProblems, portNameProblems, portNumberProblems, qualifiedNameProblems } from './names.ts';
import { type Visit, Walk } from './walk.ts';

/**
 * What is wrong with an object, collected on a walk through it. `member` names a member of the current value, '' the value itself.
 * The words are those of field-problem.ts and field-checks.ts, which are only asked for them where something is wrong.
 */
export class Problems extends Walk {
  readonly found: FieldProblem[] = [];

  /** Problems of one value by one rule. */
  static of<Value>(path: string, value: Value, visit: Visit<Value, Problems, undefined>): FieldProblem[];
  static of<Value, Context>(path: string, value: Value, visit: Visit<Value, Problems, Context>, context: Context): FieldProblem[];
  static of<Value, Context>(path: string, value: Value, visit: Visit<Value, Problems, Context>, context?: Context): FieldProblem[] {
    const problems = new Problems(path);
    visit(value, problems, context as Context);
    return problems.found;
  }

  add(problem: FieldProblem): void {
    this.found.push(problem);
  }

  addAll(problems: readonly FieldProblem[]): void {
    for (const problem of problems) this.found.push(problem);
  }

  required(member: string, why = ''): void {
    this.add(required(this.path(member), why));
  }

  invalid(member: string, value: unknown, why: string): void {
    this.add(invalid(this.path(member), value, why));
  }

  /** `Invalid value` once for each message. */
  invalidEach(member: string, value: unknown, messages: readonly string[]): void {
    // Nearly always there is none, and a loop over nothing makes an iterator all the same.
    if (messages.length === 0) return;
    for (const message of messages) this.invalid(member, value, message);
  }

  notSupported(member: string, value: unknown, supported: readonly string[]): void {
    this.add(notSupported(this.path(member), value, supported));
  }

  duplicate(member: string, value: unknown): void {
    this.add(duplicate(this.path(member), value));
  }

  forbidden(member: string, why: string): void {
    this.add(forbiddenField(this.path(member), why));
  }

  notFound(member: string, value: unknown): void {
    this.add(valueNotFound(this.path(member), value));
  }

  /** One of the supported values; required when missing. */
  oneOf(member: string, value: string | undefined, supported: readonly string[]): void {
    if (value === undefined || !supported.includes(value)) this.addAll(checks.oneOf(this.path(member), value, supported));
  }

  /** As `oneOf`, but may be missing. */
  oneOfIfSet(member: string, value: string | undefined, supported: readonly string[]): void {
    if (value !== undefined && !supported.includes(value)) this.notSupported(member, value, supported);
  }

  /** Zero is fine, as is nothing. */
  notNegative(member: string, value: number | undefined): void {
    if (value !== undefined && value < 0) this.addAll(checks.notNegative(this.path(member), value));
  }

  dnsLabel(member: string, value: string): void {
    this.invalidEach(member, value, dnsLabelProblems(value));
  }

  dnsSubdomain(member: string, value: string): void {
    this.invalidEach(member, value, dnsSubdomainProblems(value));
  }

  qualifiedName(member: string, value: string): void {
    this.invalidEach(member, value, qualifiedNameProblems(value));
  }

  /** A port by number or by name. */
  port(member: string, port: number | string | undefined): void {
    if (typeof port === 'string') this.invalidEach(member, port, portNameProblems(port));
    else this.invalidEach(member, port ?? 0, portNumberProblems(port ?? 0));
  }
}
