// Plain scalars as upstream's YAML library (goyaml.v2, mostly YAML 1.1) understands them: `yes` is true, `0777` is octal.
import type { Json } from '#api/meta/object.ts';
import { NumberText } from './json-parser.ts';

const words: ReadonlyMap<string, Json> = new Map<string, Json>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, Json] => [word, null]),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word): [string, Json] => [word, true]),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word): [string, Json] => [word, false]),
]);
const float = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const integer = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const maxUnsigned = 2n ** 64n - 1n;
const minSigned = -(2n ** 63n);

/** The value of an unquoted scalar without a tag. */
export function plainScalar(text: string): Json {
  const word = words.get(text);
  if (word !== undefined) return word;
  const first = text[0] ?? '';
  if (!/[-+.0-9]/.test(first)) return text;
  const digits = text.replaceAll('_', '');
  if (integer.test(digits)) {
    const value = integerOf(digits);
    if (value >= minSigned && value <= maxUnsigned) return numberOf(value);
  }
  if (float.test(digits)) {
    const value = Number(digits);
    if (Number.isFinite(value)) return value;
  }
  return text;
}

function integerOf(digits: string): bigint {
  const [, sign, body = ''] = /^([-+]?)(.*)$/.exec(digits) ?? [];
  const magnitude = /^0[0-7]+$/.test(body) ? BigInt(`0o${body.slice(1)}`) : BigInt(body.toLowerCase());
  return sign === '-' ? -magnitude : magnitude;
}

function numberOf(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : (new NumberText(String(value)) as unknown as Json);
}
