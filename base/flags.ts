// Command-line flags in the dialect of upstream's components: `--name=value`, `--name value`, `--switch`, `--switch=false`.
// A program declares its flags as one constant; parsing answers typed values, or throws a UsageError that names the flag.
import { formatDuration, parseDurationMs } from './duration.ts';
import { UsageError } from './lifecycle.ts';
import { versionText } from './version-flag.ts';

export interface Flag<V> {
  readonly help: string;
  readonly default: V;
  /** How the value is called in the help; undefined for switches. */
  readonly valueName: string | undefined;
  /** Gives the value of `text`; `previous` is what an earlier use of the same flag gave. Throws with a reason. */
  parse(text: string, previous: V | undefined): V;
  /** How the help writes the default; absent: as it is. */
  show?(value: V): string;
  /** A single letter that stands for it, without the dash. */
  readonly short?: string;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type FlagValues<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer V> ? V : never };

export interface Parsed<F extends Flags> {
  readonly values: FlagValues<F>;
  /** Names that stood on the command line. */
  readonly given: ReadonlySet<keyof F & string>;
  /** What is not a flag. */
  readonly positional: readonly string[];
}

/** Asked for `--help`: the program prints `text` and ends with 0. */
export class HelpRequested extends UsageError {
  readonly text: string;

  constructor(text: string) {
    super('help requested', { exitCode: 0 });
    this.text = text;
  }
}

export function stringFlag(initial: string, help: string, options: { short?: string; valueName?: string } = {}): Flag<string> {
  return { help, default: initial, valueName: options.valueName ?? 'string', parse: (text) => text, ...shortOf(options) };
}

export function intFlag(initial: number, help: string, options: { short?: string; min?: number; max?: number } = {}): Flag<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
  const parse = (text: string): number => {
    if (!/^[+-]?\d+$/.test(text)) throw new Error('must be a whole number');
    const value = Number(text);
    if (value < min || value > max) throw new Error(`must lie between ${min} and ${max}`);
    return value;
  };
  return { help, default: initial, valueName: 'int', parse, ...shortOf(options) };
}

export function boolFlag(initial: boolean, help: string, options: { short?: string } = {}): Flag<boolean> {
  const parse = (text: string): boolean => {
    if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
    if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
    throw new Error('must be true or false');
  };
  return { help, default: initial, valueName: undefined, parse, ...shortOf(options) };
}

/** A number with fractions. */
export function floatFlag(initial: number, help: string): Flag<number> {
  const parse = (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || Number.isNaN(value)) throw new Error('must be a number');
    return value;
  };
  return { help, default: initial, valueName: 'float', parse };
}

/** A Go duration (`1m30s`); the value is in milliseconds. */
export function durationFlag(initialMs: number, help: string): Flag<number> {
  const parse = (text: string): number => {
    const ms = parseDurationMs(text);
    if (ms === undefined) throw new Error('must be a duration such as 90s or 1m30s');
    return ms;
  };
  return { help, default: initialMs, valueName: 'duration', parse, show: (ms) => (ms === 0 ? '' : formatDuration(ms)) };
}

/** Comma-separated, and may be given several times. */
export function listFlag(initial: readonly string[], help: string): Flag<readonly string[]> {
  const parse = (text: string, previous: readonly string[] | undefined): readonly string[] => [
    ...(previous ?? []),
    ...text.split(',').filter((part) => part !== ''),
  ];
  return { help, default: initial, valueName: 'strings', parse };
}

/** The same, but keeps empty parts, for whoever refuses them. */
export function partsFlag(help: string): Flag<readonly string[]> {
  const parse = (text: string, previous: readonly string[] | undefined): readonly string[] => [
    ...(previous ?? []),
    ...(text === '' ? [] : text.split(',')),
  ];
  return { help, default: [], valueName: 'strings', parse };
}

/** `a=1,b=2`, and may be given several times. */
export function mapFlag(help: string): Flag<Readonly<Record<string, string>>> {
  const parse = (text: string, previous: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> => {
    const pairs = text.split(',').filter((part) => part !== '');
    const bad = pairs.find((pair) => !pair.includes('='));
    if (bad !== undefined) throw new Error(`${JSON.stringify(bad)} is not of the form key=value`);
    return {
      ...previous,
      ...Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])),
    };
  };
  return { help, default: {}, valueName: 'mapStringString', parse };
}

const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False']);

/** `A=true,B=false`: gates of features, and what is to become of them, in upstream's words where that is neither. */
export function gatesFlag(help: string): Flag<Readonly<Record<string, string>>> {
  const parse = (text: string, previous: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> => {
    const gates: Record<string, string> = { ...previous };
    for (const part of text.split(',').filter((one) => one !== '')) {
      const [name = '', ...rest] = part.split('=');
      const value = rest.join('=').trim();
      if (rest.length === 0) throw new Error(`missing bool value for ${name.trim()}`);
      if (!truths.has(value)) {
        throw new Error(
          `invalid value of ${name.trim()}=${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
        );
      }
      gates[name.trim()] = value;
    }
    return gates;
  };
  return { help, default: {}, valueName: 'mapStringBool', parse };
}

/** Reads `argv`. Throws UsageError (exit code 2) naming the flag, or HelpRequested. */
export function parseFlags<F extends Flags>(program: string, flags: F, argv: readonly string[], about = ''): Parsed<F> {
  const values: Record<string, unknown> = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flag.default]));
  const given = new Set<string>();
  const positional: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') {
      positional.push(...argv.slice(at + 1));
      break;
    }
    if (word === '-h' || word === '--help') throw new HelpRequested(helpText(program, flags, about));
    const versionAsked = versionText(program, word);
    if (versionAsked === '') continue;
    if (versionAsked !== undefined) throw new HelpRequested(versionAsked);
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(word);
    if (match === null || word === '-') {
      positional.push(word);
      continue;
    }
    const name = nameOf(flags, match[1] ?? '', word.startsWith('--'));
    const flag = name === undefined ? undefined : flags[name];
    if (name === undefined || flag === undefined) throw new UsageError(`unknown flag: ${word.split('=')[0]} (see ${program} --help)`);
    const text = match[2] ?? (flag.valueName === undefined ? 'true' : argv[++at]);
    if (text === undefined) throw new UsageError(`flag needs a value: --${name}`);
    try {
      values[name] = flag.parse(text, given.has(name) ? values[name] : undefined);
    } catch (error) {
      throw new UsageError(
        `invalid value ${JSON.stringify(text)} for --${name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    given.add(name);
  }
  return { values: values as FlagValues<F>, given: given as ReadonlySet<keyof F & string>, positional };
}

/** The text of `--help`: one flag a paragraph, sorted, with its default. */
export function helpText(program: string, flags: Flags, about: string): string {
  const lines = Object.entries(flags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => {
      const head = `${flag.short === undefined ? '      ' : `  -${flag.short}, `}--${name}${flag.valueName === undefined ? '' : ` ${flag.valueName}`}`;
      const initial = flag.show === undefined ? defaultText(flag.default) : flag.show(flag.default);
      return `${head.padEnd(44)} ${flag.help}${initial === '' ? '' : ` (default ${initial})`}`;
    });
  return `${about === '' ? '' : `${about}\n\n`}Usage:\n  ${program} [flags]\n\nFlags:\n${lines.join('\n')}\n`;
}

function defaultText(value: unknown): string {
  if (value === '' || value === false || value === undefined) return '';
  if (typeof value === 'object') return value !== null && Object.keys(value).length > 0 ? JSON.stringify(value) : '';
  return String(value);
}

function nameOf(flags: Flags, text: string, long: boolean): string | undefined {
  if (long || text.length > 1) return Object.hasOwn(flags, text) ? text : undefined;
  return Object.entries(flags).find(([, flag]) => flag.short === text)?.[0];
}

function shortOf(options: { short?: string }): { short?: string } {
  return options.short === undefined ? {} : { short: options.short };
}
