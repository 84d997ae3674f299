// Whether a text that `format` is called on fits the arguments, where both are spelled out. Upstream: cel-go/ext/formatting.go.
import { goQuote } from '../meta/go-form.ts';
import type { Call, CelProblem, Expr } from './ast.ts';
import type { CheckedExpression } from './checker.ts';
import type { CelType } from './types.ts';

/** The problem of a call; undefined for good ones and for calls of which something is known only later. */
export function formatProblem(call: Call, checked: CheckedExpression): CelProblem | undefined {
  const { target, args } = call;
  const [list] = args;
  const isKnown = checked.overloads.get(call)?.includes('string_format') !== false;
  if (call.function !== 'format' || target?.kind !== 'literal' || target.literal.type !== 'string' || !isKnown) return undefined;
  if (args.length !== 1 || list?.kind !== 'list') return undefined;
  return new FormatReader(target.literal.value, list.elements, checked).problem(call);
}

class FormatProblem extends Error {
  /** The argument that is to blame. */
  readonly part: Expr | undefined;

  constructor(message: string, part?: Expr) {
    super(message);
    this.part = part;
  }
}

interface Clause {
  readonly takes: ReadonlySet<string>;
  readonly problem: string;
}

const whole = ['int', 'uint'];
const textTypes = ['list', 'map', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null', ...whole];
const textProblem = 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps';
const hex = clause([...whole, 'string', 'bytes'], 'only integers, byte buffers, and strings can be formatted as hex');

const clauses: Readonly<Record<string, Clause>> = {
  s: clause(textTypes, textProblem),
  d: clause(whole, 'decimal clause can only be used on integers'),
  f: clause(['double', 'string'], 'fixed-point clause can only be used on doubles'),
  e: clause(['double', 'string'], 'scientific clause can only be used on doubles'),
  b: clause([...whole, 'bool'], 'only integers and bools can be formatted as binary'),
  x: hex,
  X: hex,
  o: clause(whole, 'octal clause can only be used on integers'),
};

function clause(takes: readonly string[], problem: string): Clause {
  return { takes: new Set(takes), problem };
}

class FormatReader {
  /** Bytes, one character each: that is how upstream goes through the text. */
  readonly #text: string;
  readonly #args: readonly Expr[];
  readonly #checked: CheckedExpression;
  #at = 0;

  constructor(text: string, args: readonly Expr[], checked: CheckedExpression) {
    this.#text = Buffer.from(text).toString('latin1');
    this.#args = args;
    this.#checked = checked;
  }

  problem(call: Call): CelProblem | undefined {
    try {
      const used = this.#read();
      if (this.#args.length <= used) return undefined;
      const message = `too many arguments supplied to string.format (expected ${used}, got ${this.#args.length})`;
      return { at: call.at, message };
    } catch (err) {
      if (err instanceof FormatProblem) return { at: (err.part ?? call).at, message: err.message };
      throw err;
    }
  }

  /** How many arguments the text uses. */
  #read(): number {
    let used = 0;
    for (;;) {
      const percent = this.#text.indexOf('%', this.#at);
      if (percent < 0) return used;
      this.#at = percent + 1;
      if (this.#text[this.#at] === '%') {
        this.#at += 1;
        continue;
      }
      if (this.#at >= this.#text.length) throw new FormatProblem('unexpected end of string');
      const arg = this.#args[used];
      if (arg === undefined) throw new FormatProblem(`index ${used} out of range`);
      this.#check(this.#clause(), arg);
      used += 1;
    }
  }

  #clause(): Clause {
    const context = 'could not parse formatting clause: ';
    if (this.#text[this.#at] === '.') this.#precision(`${context}error while parsing precision: `);
    const letter = this.#text[this.#at] ?? '';
    this.#at += 1;
    const found = Object.hasOwn(clauses, letter) ? clauses[letter] : undefined;
    if (found === undefined) throw new FormatProblem(`${context}unrecognized formatting clause "${letter}"`);
    return found;
  }

  #precision(context: string): void {
    const digits = /^\d*/.exec(this.#text.slice(this.#at + 1))?.[0] ?? '';
    this.#at += 1 + digits.length;
    if (this.#at >= this.#text.length) throw new FormatProblem(`${context}could not find end of precision specifier`);
    const isTooLarge = digits !== '' && BigInt(digits) > 2n ** 63n - 1n;
    if (digits !== '' && !isTooLarge) return;
    const what = `strconv.Atoi: parsing ${goQuote(digits)}: ${isTooLarge ? 'value out of range' : 'invalid syntax'}`;
    throw new FormatProblem(`${context}error while converting precision to integer: ${what}`);
  }

  #check(wanted: Clause, arg: Expr): void {
    const bad = wanted === clauses['s'] ? this.#badText(wanted, arg) : this.#isOf(wanted, arg) ? undefined : arg;
    if (bad === undefined) return;
    throw new FormatProblem(`error during formatting: ${wanted.problem}, was given ${shortName(this.#typeOf(bad))}`, bad);
  }

  /** Entries of lists and maps that are spelled out are looked at, too. */
  #badText(wanted: Clause, arg: Expr): Expr | undefined {
    if (!this.#isOf(wanted, arg)) return arg;
    const parts = arg.kind === 'list' ? arg.elements : arg.kind === 'map' ? arg.entries.flatMap(({ key, value }) => [key, value]) : [];
    for (const part of parts) {
      const bad = this.#badText(wanted, part);
      if (bad !== undefined) return bad;
    }
    return undefined;
  }

  #typeOf(expr: Expr): CelType {
    return this.#checked.types.get(expr) ?? { kind: 'dyn' };
  }

  #isOf({ takes }: Clause, arg: Expr): boolean {
    const type = this.#typeOf(arg);
    return type.kind === 'dyn' || takes.has(type.kind === 'wrapper' ? type.of : type.kind);
  }
}

const shortNames: Readonly<Record<string, string>> = {
  any: 'google.protobuf.Any',
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
  null: 'null_type',
};

/** Without what the type is made of. */
function shortName(type: CelType): string {
  if (type.kind === 'opaque' || type.kind === 'object' || type.kind === 'param') return type.name;
  if (type.kind === 'wrapper') return type.of;
  return shortNames[type.kind] ?? type.kind;
}
