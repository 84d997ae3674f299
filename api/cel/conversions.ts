// Conversions between types of values that an expression spells out: `int('5')`, `timestamp('…')`. They are made when a program is built,
// so that those that fail are refused then. Upstream: ConvertToType in cel-go/common/types.
import { goQuote } from '../meta/go-form.ts';
import type { LiteralValue } from './ast.ts';
import { parseNanoseconds, parseRfc3339, secondsText, type Time, timestampText } from './time-text.ts';

/** A value that is known before anything is evaluated. Of lists and maps no more than that. */
export type Constant =
  | LiteralValue
  | { readonly type: 'duration'; readonly nanoseconds: bigint }
  | { readonly type: 'timestamp'; readonly seconds: bigint; readonly nanoseconds: number }
  | { readonly type: 'type' | 'list' | 'map' };

export class ConversionProblem extends Error {}

const longNames: Readonly<Record<string, string>> = {
  null: 'null_type',
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
};

/** What each conversion takes. */
const accepted: Readonly<Record<string, ReadonlySet<string>>> = {
  bool: new Set(['bool', 'string']),
  bytes: new Set(['bytes', 'string']),
  double: new Set(['double', 'int', 'string', 'uint']),
  duration: new Set(['duration', 'string']),
  int: new Set(['int', 'double', 'duration', 'string', 'timestamp', 'uint']),
  string: new Set(['string', 'bool', 'bytes', 'double', 'duration', 'int', 'timestamp', 'uint']),
  timestamp: new Set(['timestamp', 'int', 'string']),
  uint: new Set(['uint', 'double', 'int', 'string']),
};

export function isConversion(name: string): boolean {
  return name in accepted || name === 'dyn' || name === 'type';
}

/** Throws a ConversionProblem with upstream's message. */
export function convert(name: string, value: Constant): Constant {
  if (name === 'dyn') return value;
  if (name === 'type') return { type: 'type' };
  if (accepted[name]?.has(value.type) !== true) throw new ConversionProblem(`no such overload: ${name}(${longName(value.type)})`);
  const converted = name === value.type ? value : converters[name]?.(value);
  if (converted === undefined) throw new ConversionProblem(`type conversion error from '${longName(value.type)}' to '${longName(name)}'`);
  return converted;
}

function longName(type: string): string {
  return longNames[type] ?? type;
}

/** Undefined where the value cannot be converted. */
const converters: Readonly<Record<string, (value: Constant) => Constant | undefined>> = {
  bool: (value) => (value.type === 'string' ? toBool(value.value) : undefined),
  bytes: (value) => (value.type === 'string' ? { type: 'bytes', value: Buffer.from(value.value) } : undefined),
  double: (value) => {
    const number = value.type === 'string' ? parseDouble(value.value) : isWhole(value) ? Number(value.value) : undefined;
    return number === undefined ? undefined : { type: 'double', value: number };
  },
  duration: (value) => {
    const nanoseconds = value.type === 'string' ? parseNanoseconds(value.value) : undefined;
    return nanoseconds === undefined ? undefined : { type: 'duration', nanoseconds };
  },
  int: (value) => wholeNumber('int', value),
  uint: (value) => wholeNumber('uint', value),
  string: (value) => {
    const text = toText(value);
    return text === undefined ? undefined : { type: 'string', value: text };
  },
  timestamp: (value) => toTimestamp(value),
};

function isWhole(value: Constant): value is Constant & { type: 'int' | 'uint' } {
  return value.type === 'int' || value.type === 'uint';
}

function toBool(text: string): Constant | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return { type: 'bool', value: true };
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? { type: 'bool', value: false } : undefined;
}

const bounds = {
  int: { min: -(2n ** 63n), max: 2n ** 63n - 1n, digits: /^[-+]?[0-9]+$/, problem: 'integer overflow' },
  uint: { min: 0n, max: 2n ** 64n - 1n, digits: /^[0-9]+$/, problem: 'unsigned integer overflow' },
} as const;

function wholeNumber(type: 'int' | 'uint', value: Constant): Constant | undefined {
  const { min, max, digits, problem } = bounds[type];
  switch (value.type) {
    case 'string': {
      const number = digits.test(value.value) ? BigInt(value.value.replace(/^\+/, '')) : undefined;
      return number === undefined || number < min || number > max ? undefined : { type, value: number };
    }
    case 'duration':
      return { type, value: value.nanoseconds };
    case 'timestamp':
      return { type, value: value.seconds };
    case 'double': {
      const number = value.value;
      // The ends of the range are no doubles that upstream would trust.
      const isInside = type === 'int' ? number > -(2 ** 63) && number < 2 ** 63 : number >= 0 && number < 2 ** 64;
      if (!isInside) throw new ConversionProblem(problem);
      return { type, value: BigInt(Math.trunc(number)) };
    }
    case 'int':
    case 'uint':
      if (value.value < min || value.value > max) throw new ConversionProblem(problem);
      return { type, value: value.value };
    default:
      return undefined;
  }
}

/** As Go reads floating-point numbers, hexadecimal ones included; undefined also where the number is too large. */
function parseDouble(text: string): number | undefined {
  if (/^[-+]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/_(?![0-9a-f])|(?:^|[^0-9a-fx])_/i.test(text)) return undefined;
  const plain = text.replaceAll('_', '');
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain)) {
    const number = Number(plain);
    return Number.isFinite(number) ? number : undefined;
  }
  const {
    sign,
    whole,
    fraction = '',
    exponent = '',
  } = /^(?<sign>[-+]?)0x(?<whole>[0-9a-f]*)\.?(?<fraction>[0-9a-f]*)p(?<exponent>[-+]?\d+)$/i.exec(plain)?.groups ?? {};
  const digits = `${whole ?? ''}${fraction}`;
  if (whole === undefined || digits === '') return undefined;
  const number = Number(BigInt(`0x${digits}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  if (!Number.isFinite(number)) return undefined;
  return sign === '-' ? -number : number;
}

function toText(value: Constant): string | undefined {
  switch (value.type) {
    case 'bool':
    case 'int':
    case 'uint':
      return String(value.value);
    case 'double':
      return doubleText(value.value);
    case 'bytes':
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.value);
      } catch {
        throw new ConversionProblem('invalid UTF-8 in bytes, cannot convert to string');
      }
    case 'duration':
      return `${secondsText(value.nanoseconds)}s`;
    case 'timestamp':
      return timestampText(value.seconds, value.nanoseconds);
    default:
      return undefined;
  }
}

/** Go's `%g`: an exponent from 1e6 on and below 1e-4, of two digits at least. */
function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const exponent = value === 0 ? 0 : Number(value.toExponential().split('e')[1]);
  if (exponent >= -4 && exponent < 6) return exponent < 0 ? value.toFixed(-exponent + significantDigits(value) - 1) : String(value);
  return value.toExponential().replace(/e([-+])(\d)$/, 'e$10$2');
}

function significantDigits(value: number): number {
  return (value.toExponential().split('e')[0] ?? '').replace(/[-.]/g, '').length;
}

const firstSecond = -62_135_596_800n;
const lastSecond = 253_402_300_799n;

function toTimestamp(value: Constant): Constant | undefined {
  const time = value.type === 'string' ? readTime(value.value) : isWhole(value) ? { seconds: value.value, nanoseconds: 0 } : undefined;
  if (time === undefined) return undefined;
  if (time.seconds < firstSecond || time.seconds > lastSecond) throw new ConversionProblem('timestamp overflow');
  return { type: 'timestamp', ...time };
}

function readTime(text: string): Time | undefined {
  const time = parseRfc3339(text);
  if (time === 'malformed') throw new ConversionProblem(`invalid RFC 3339 timestamp ${goQuote(text)}`);
  return time;
}
