// Amounts of resources, as Kubernetes writes them: `500m`, `1536Mi`, `1e3`. Exact at any size: digits are a bigint times a power
// of ten. The rules are upstream's resource.Quantity, quirks included: a text that upstream takes for canonical stays as it came.

type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** `digits` × 10^`exponent`. Values are plain data and never change. */
export interface Quantity {
  readonly digits: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
  /** The canonical text where it is known already. */
  readonly text?: string | undefined;
}

/** The text is no quantity; the message is upstream's. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const wrongNumber = 'unable to parse numeric part of quantity';
const wrongSuffix = "unable to parse quantity's suffix";

const binaryPowers: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const decimalPowers: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimalSuffixes: ReadonlyMap<number, string> = new Map(Object.entries(decimalPowers).map(([suffix, power]) => [power, suffix]));
const nano = -9;
/** Digits that upstream's fast form (an int64) holds. */
const maxFastDigits = 18;
const maxBinary = 2n ** 63n - 1n;
/** Upstream reads texts of any length; but no real quantity is that long, and millions of digits take seconds to parse. */
const maxTextLength = 10_000;

const form = /^([+-]?)(0*)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

/** What is canonical as it stands, unless it holds three zeros: nearly everything that people write. */
const plain = /^[1-9](?:[0-9]{0,11}[mkMGT]?|[0-9]{0,2}[KMGT]i)$/;

/** Reads a quantity. Throws QuantityError. */
export function parseQuantity(text: string): Quantity {
  if (text === '') throw new QuantityError(wrongFormat);
  if (text.length > maxTextLength) throw new QuantityError(wrongNumber);
  if (text === '0') return { digits: 0n, exponent: 0, format: 'DecimalSI', text };
  if (isPlain(text)) return parsePlain(text);
  const parts = form.exec(text);
  if (parts === null) throw new QuantityError(wrongFormat);
  const [, sign = '', zeros = '', significant = '', fraction = '', suffix = ''] = parts;
  const { base, power, format } = interpretSuffix(suffix);
  if (significant === '' && zeros === '' && fraction === '') {
    // A lone sign means zero to upstream's scanner; a lone point or suffix has no number.
    if (text === '+' || text === '-') return { digits: 0n, exponent: 0, format };
    throw new QuantityError(wrongNumber);
  }
  const whole = significant === '' ? '0' : significant;
  const unsigned = BigInt(whole + fraction);
  const digits = sign === '-' ? -unsigned : unsigned;
  if (isFast(whole, fraction, base, power)) {
    const keep = isKept(whole + fraction, base, power, fraction.length);
    const exponent = (base === 10 ? power : 0) - fraction.length;
    const scaled = base === 2 ? digits << BigInt(power) : digits;
    return { digits: scaled, exponent, format, text: keep ? text : undefined };
  }
  return bounded(base === 2 ? digits << BigInt(power) : digits, (base === 10 ? power : 0) - fraction.length, format);
}

function isPlain(text: string): boolean {
  return plain.test(text) && !text.includes('000');
}

/** Without looking for its parts. The number in front is at most twelve digits, or three and forty binary places: exact. */
function parsePlain(text: string): Quantity {
  const number = Number.parseInt(text, 10);
  const last = text.at(-1) ?? '';
  if (last !== 'i') return { digits: BigInt(number), exponent: decimalPowers[last] ?? 0, format: 'DecimalSI', text };
  const power = binaryPowers[text.slice(-2)] ?? 0;
  return { digits: BigInt(number * 2 ** power), exponent: 0, format: 'BinarySI', text };
}

function interpretSuffix(suffix: string): { base: 2 | 10; power: number; format: QuantityFormat } {
  const decimal = Object.hasOwn(decimalPowers, suffix) ? decimalPowers[suffix] : undefined;
  if (decimal !== undefined) return { base: 10, power: decimal, format: 'DecimalSI' };
  const binary = Object.hasOwn(binaryPowers, suffix) ? binaryPowers[suffix] : undefined;
  if (binary !== undefined) return { base: 2, power: binary, format: 'BinarySI' };
  if (/^[eE][-+]?[0-9]+$/.test(suffix)) {
    const power = Number(suffix.slice(1));
    if (Math.abs(power) <= 10_000) return { base: 10, power, format: 'DecimalExponent' };
  }
  throw new QuantityError(wrongSuffix);
}

/** True where upstream keeps the number in an int64, without rounding or bounds. */
function isFast(whole: string, fraction: string, base: 2 | 10, power: number): boolean {
  if (base === 10) return whole.length + fraction.length <= maxFastDigits && power - fraction.length >= nano;
  return fraction === '' && 15 - whole.length - Math.trunc((power * 3) / 10) - 1 >= 0;
}

/** True where upstream takes the text as canonical without looking closer. */
function isKept(digits: string, base: 2 | 10, power: number, fractionLength: number): boolean {
  if (base === 2) return (BigInt(digits) & 7n) !== 0n;
  return (power - fractionLength) % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
}

/** Rounds to nano away from zero, caps binary amounts, and turns binary fractions below one into decimals. */
function bounded(digits: bigint, exponent: number, format: QuantityFormat): Quantity {
  const negative = digits < 0n;
  let [size, power] = roundUp(negative ? -digits : digits, exponent, nano);
  let shown = format;
  if (format === 'BinarySI') {
    if (compareScaled(size, power, maxBinary, 0) > 0) [size, power] = [maxBinary, 0];
    if (size > 0n && compareScaled(size, power, 1n, 0) < 0) shown = 'DecimalSI';
  }
  return { digits: negative ? -size : size, exponent: power, format: shown };
}

/** Raises the exponent to at least `to`, rounding away from zero. */
function roundUp(digits: bigint, exponent: number, to: number): [bigint, number] {
  if (exponent >= to) return [digits, exponent];
  const divisor = 10n ** BigInt(to - exponent);
  const quotient = digits / divisor;
  if (quotient * divisor === digits) return [quotient, to];
  return [digits < 0n ? quotient - 1n : quotient + 1n, to];
}

function compareScaled(left: bigint, leftExponent: number, right: bigint, rightExponent: number): number {
  const low = Math.min(leftExponent, rightExponent);
  const a = left * 10n ** BigInt(leftExponent - low);
  const b = right * 10n ** BigInt(rightExponent - low);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The canonical text: no fraction, the largest suffix that leaves none. */
export function formatQuantity(quantity: Quantity): string {
  const { digits, exponent, format, text } = quantity;
  if (text !== undefined) return text;
  if (digits === 0n) return '0';
  if (format === 'BinarySI') {
    const [whole] = roundUp(digits, exponent, 0);
    const value = exponent > 0 ? digits * 10n ** BigInt(exponent) : whole;
    const exact = compareScaled(digits, exponent, value, 0) === 0;
    if (exact && (value >= 1024n || value <= -1024n)) return formatBinary(value);
  }
  return formatDecimal(digits, exponent, format);
}

function formatBinary(value: bigint): string {
  let rest = value;
  let step = 0;
  while (rest % 1024n === 0n && step < binarySuffixes.length - 1) {
    rest /= 1024n;
    step++;
  }
  return `${rest}${binarySuffixes[step]}`;
}

function formatDecimal(digits: bigint, exponent: number, format: QuantityFormat): string {
  let rest = digits;
  let power = exponent;
  while (rest % 10n === 0n) {
    rest /= 10n;
    power++;
  }
  while (power % 3 !== 0 || (format !== 'DecimalExponent' && power > 18)) {
    rest *= 10n;
    power--;
  }
  if (format === 'DecimalExponent') return power === 0 ? `${rest}` : `${rest}e${power}`;
  return `${rest}${decimalSuffixes.get(power) ?? ''}`;
}

/** A parsed quantity for a text, or the value itself. Numbers are what YAML and JSON allow in place of texts. */
function toQuantity(value: Quantity | string | number): Quantity {
  return typeof value === 'object' ? value : parseQuantity(String(value));
}

/** Canonical form of a text, as a decoded and re-encoded Quantity reads. Throws QuantityError. */
export function canonicalQuantity(text: string): string {
  if (isPlain(text)) return text;
  return formatQuantity(parseQuantity(text.trim()));
}

/** True when the text can be read as a quantity. */
export function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}

/** The amount of a resource, undefined where there is none. Names are users' own: `constructor` may be one. */
export function amountOf(amounts: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return amounts !== undefined && Object.hasOwn(amounts, name) ? amounts[name] : undefined;
}

/** Negative, zero or positive, as in sorting. */
export function compareQuantities(left: Quantity | string | number, right: Quantity | string | number): number {
  const a = toQuantity(left);
  const b = toQuantity(right);
  return compareScaled(a.digits, a.exponent, b.digits, b.exponent);
}

/** -1, 0 or 1. */
export function signOfQuantity(value: Quantity | string | number): number {
  const { digits } = toQuantity(value);
  return digits < 0n ? -1 : digits > 0n ? 1 : 0;
}

/** The sum, in the format of the first, or of the second where the first is zero. */
export function addQuantities(left: Quantity | string | number, right: Quantity | string | number): Quantity {
  const a = toQuantity(left);
  const b = toQuantity(right);
  const low = Math.min(a.exponent, b.exponent);
  const digits = a.digits * 10n ** BigInt(a.exponent - low) + b.digits * 10n ** BigInt(b.exponent - low);
  return { digits, exponent: low, format: a.digits === 0n ? b.format : a.format };
}

/** The difference, formatted as `addQuantities` does. */
export function subtractQuantities(left: Quantity | string | number, right: Quantity | string | number): Quantity {
  const b = toQuantity(right);
  return addQuantities(left, { digits: -b.digits, exponent: b.exponent, format: b.format });
}

/** Rounds up (away from zero) to thousandths; upstream does so with every amount in a resource list. */
export function roundToMilli(quantity: Quantity): Quantity {
  if (quantity.exponent >= -3) return quantity;
  const [digits, exponent] = roundUp(quantity.digits, quantity.exponent, -3);
  return { digits, exponent, format: quantity.format };
}

/** True when the amount has no fraction. */
export function isWholeQuantity(value: Quantity | string | number): boolean {
  const { digits, exponent } = toQuantity(value);
  return exponent >= 0 || digits % 10n ** BigInt(-exponent) === 0n;
}

/** Whole units, rounded up: bytes of memory, counts of devices. Exact below 2^53. */
export function quantityValue(value: Quantity | string | number): number {
  return scaledNumber(toQuantity(value), 0);
}

/** Thousandths, rounded up: CPU. Exact below 2^53. */
export function quantityMillis(value: Quantity | string | number): number {
  return scaledNumber(toQuantity(value), -3);
}

function scaledNumber({ digits, exponent }: Quantity, unit: number): number {
  if (exponent < unit) return Number(roundUp(digits, exponent, unit)[0]);
  return Number(digits * 10n ** BigInt(exponent - unit));
}

/** CPU in millicores; undefined is 0. */
export function cpuMillis(value: string | undefined): number {
  if (value === undefined) return 0;
  const common = /^([0-9]{1,9})(m?)$/.exec(value);
  if (common !== null) return Number(common[1]) * (common[2] === 'm' ? 1 : 1_000);
  return quantityMillis(value);
}

/** Memory or storage in bytes; undefined is 0. */
export function quantityBytes(value: string | undefined): number {
  if (value === undefined) return 0;
  const common = /^([0-9]{1,6})([KMG])i$/.exec(value);
  if (common !== null) return Number(common[1]) * (common[2] === 'K' ? 1_024 : common[2] === 'M' ? 1_048_576 : 1_073_741_824);
  return quantityValue(value);
}
