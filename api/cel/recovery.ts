// How the recognizer goes on after an error. Messages and the tokens that are skipped are those of upstream's parser, which ANTLR
// generated: its default strategy deletes a token that is too much, takes a single missing one for given, and otherwise leaves the rule and
// skips to what can follow one of the rules that are being recognized. Until the next token that fits, errors are not reported.
import type { CelProblem } from './ast.ts';
import { Lexer } from './lexer.ts';
import type { Source } from './source.ts';
import { describeTokens, type Token, type TokenType, tokenType } from './tokens.ts';

/** What can stand at a place of a rule. */
export interface Expectation {
  readonly tokens: ReadonlySet<TokenType>;
  /** The rule can end here, so what follows it can stand here as well. */
  readonly canEnd: boolean;
}

export interface RecognitionLimits {
  /** How deep a rule may lie in itself. */
  readonly recursion: number;
  readonly reportedErrors: number;
  readonly recoveries: number;
  /** Tokens that one recovery may skip. */
  readonly skippedTokens: number;
}

/** Leaves the rule; a message where one is due. */
export class RuleFailure extends Error {
  readonly at: Token;
  /** Tells the places of the grammar apart: two failures at the same token and place mean that nothing was gained. */
  readonly place: object;

  constructor(message: string, at: Token, place: object) {
    super(message);
    this.at = at;
    this.place = place;
  }
}

/** Ends the recognition; every problem has been reported. */
export class Hopeless extends Error {}

export class TokenReader {
  readonly #lexer: Lexer;
  readonly #problems: CelProblem[];
  readonly #limits: RecognitionLimits;
  /** From `#next` on: the current token and those that were looked at behind it. */
  #ahead: Token[] = [];
  #next = 0;
  /** What can follow each of the rules that are being recognized, the innermost last. */
  readonly #follows: Expectation[] = [];
  readonly #depths = new Map<string, number>();
  #consumed = 0;
  #reported = 0;
  #recoveries = 0;
  #isRecovering = false;
  #lastFailure: { readonly consumed: number; readonly places: Set<object> } | undefined;

  constructor(source: Source, problems: CelProblem[], limits: RecognitionLimits) {
    this.#problems = problems;
    this.#limits = limits;
    this.#lexer = new Lexer(source, ({ at, message }) => this.#reportAt(at, message));
  }

  get current(): Token {
    return this.peek(0);
  }

  peek(distance: number): Token {
    while (this.#ahead.length <= this.#next + distance) this.#ahead.push(this.#lexer.next());
    const token = this.#ahead[this.#next + distance];
    if (token === undefined) throw new RangeError(`no token at ${distance}`);
    return token;
  }

  isAt(type: TokenType): boolean {
    return this.current.type === type;
  }

  isAtFirstOf(rule: Expectation): boolean {
    return rule.tokens.has(this.current.type);
  }

  /** Before a rule that `follow` can come after. Rules may lie in themselves up to a limit. */
  enter(rule: string, follow: Expectation): void {
    const depth = (this.#depths.get(rule) ?? 0) + 1;
    if (depth > this.#limits.recursion) this.#giveUp(`expression recursion limit exceeded: ${this.#limits.recursion}`);
    this.#depths.set(rule, depth);
    this.#follows.push(follow);
  }

  leave(rule: string): void {
    this.#depths.set(rule, (this.#depths.get(rule) ?? 0) - 1);
    this.#follows.pop();
  }

  /** Within a rule that failed: reports why and skips to where one of the rules around it can go on. Throws what is no failure of a rule. */
  recoverFrom(error: unknown): void {
    if (!(error instanceof RuleFailure)) throw error;
    this.#report(error.at, error.message);
    this.#recover(error.place);
  }

  /** Takes the current token, which has been looked at already. */
  take(): Token {
    const token = this.current;
    this.#matched();
    this.#consume();
    return token;
  }

  /** Takes a token of that type. If another one stands there, tries to go on as if it did. */
  expect(expected: Expectation, type: TokenType, after: Expectation): Token {
    if (this.current.type === type) return this.take();
    this.#countRecovery();
    if (this.#deleteToken(expected)) return this.take();
    const found = this.current;
    if (!this.#withFollows(after).has(found.type)) throw this.mismatch(expected);
    this.#report(found, `missing ${describeTokens(expected.tokens)} at ${quote(found.text)}`);
    return { type, start: found.start, end: found.start, text: '' };
  }

  /** Before a choice: sees to it that one of its beginnings stands there. */
  sync(expected: Expectation): void {
    if (this.#isRecovering || expected.canEnd || expected.tokens.has(this.current.type)) return;
    if (!this.#deleteToken(expected)) throw this.mismatch(expected);
  }

  /** Like `sync` after a turn of a repetition: skips to what could go on. */
  syncRepetition(expected: Expectation): void {
    if (this.#isRecovering || expected.canEnd || expected.tokens.has(this.current.type)) return;
    this.#reportExtraneous(expected);
    const goal = new Set([...this.#withFollows(expected), ...this.#allFollows()]);
    while (!this.#isAtGoal(goal)) this.#consume();
  }

  mismatch(expected: Expectation): RuleFailure {
    const wanted = describeTokens(this.#withFollows(expected));
    return new RuleFailure(`mismatched input ${quote(this.current.text)} expecting ${wanted}`, this.current, expected);
  }

  /** No way to read the tokens up to the one at `distance`. */
  noAlternative(distance: number, place: object): RuleFailure {
    const offending = this.peek(distance);
    const text = this.current.type === tokenType.endOfText ? '<EOF>' : this.#lexer.textBetween(this.current.start, offending.end);
    return new RuleFailure(reservedName(`no viable alternative at input ${quote(text)}`), offending, place);
  }

  #matched(): void {
    this.#isRecovering = false;
    this.#lastFailure = undefined;
  }

  #consume(): void {
    if (this.current.type === tokenType.endOfText) return;
    this.#consumed += 1;
    this.#next += 1;
    if (this.#next < this.#ahead.length) return;
    this.#ahead = [];
    this.#next = 0;
  }

  #deleteToken(expected: Expectation): boolean {
    if (!this.#withFollows(expected).has(this.peek(1).type)) return false;
    this.#reportExtraneous(expected);
    this.#consume();
    this.#matched();
    return true;
  }

  #recover(place: object): void {
    this.#countRecovery();
    let left = this.#limits.skippedTokens;
    const skip = (): void => {
      if (left === 0) this.#giveUp(`error recovery token lookahead limit exceeded: ${this.#limits.skippedTokens}`);
      left -= 1;
      this.#consume();
    };
    const last = this.#lastFailure;
    if (last?.consumed === this.#consumed && last.places.has(place)) skip();
    const places = last?.places ?? new Set();
    this.#lastFailure = { consumed: this.#consumed, places: places.add(place) };
    const goal = this.#allFollows();
    while (!this.#isAtGoal(goal)) skip();
  }

  #isAtGoal(goal: ReadonlySet<TokenType>): boolean {
    return this.current.type === tokenType.endOfText || goal.has(this.current.type);
  }

  #countRecovery(): void {
    if (this.#recoveries === this.#limits.recoveries) {
      this.#reportAt(this.current.start, `Syntax error: error recovery attempt limit exceeded: ${this.#limits.recoveries}`);
      throw new Hopeless();
    }
    this.#recoveries += 1;
  }

  /** Ends the recognition with a problem of the whole text. */
  #giveUp(message: string): never {
    this.#problems.push({ at: undefined, message });
    throw new Hopeless();
  }

  #reportExtraneous(expected: Expectation): void {
    const { current } = this;
    this.#report(current, `extraneous input ${quote(current.text)} expecting ${describeTokens(this.#withFollows(expected))}`);
  }

  #report(at: Token, message: string): void {
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    this.#reportAt(at.start, `Syntax error: ${message}`);
  }

  #reportAt(at: number | undefined, message: string): void {
    if (this.#reported === this.#limits.reportedErrors) {
      this.#problems.push({ at, message: `Syntax error: More than ${this.#limits.reportedErrors} syntax errors` });
      throw new Hopeless();
    }
    this.#reported += 1;
    this.#problems.push({ at, message });
  }

  #withFollows(expected: Expectation): ReadonlySet<TokenType> {
    if (!expected.canEnd) return expected.tokens;
    const tokens = new Set(expected.tokens);
    for (const follow of this.#follows.toReversed()) {
      for (const type of follow.tokens) tokens.add(type);
      if (!follow.canEnd) return tokens;
    }
    return tokens.add(tokenType.endOfText);
  }

  #allFollows(): ReadonlySet<TokenType> {
    return new Set(this.#follows.flatMap(({ tokens }) => [...tokens]));
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}

/** A keyword where a name belongs is named as such. */
function reservedName(message: string): string {
  return message.replace(/no viable alternative at input '.(true|false|null)'/g, "mismatched input '$1' expecting IDENTIFIER");
}
