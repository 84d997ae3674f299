import { isIPv4 } from 'node:net';

/** The IPv4 networks of a Service's source ranges, written with their base address, each once and none inside another. */
export function normalRanges(ranges: readonly string[]): readonly string[] {
  const parsed = ranges.flatMap((text) => {
    const [address = '', length = '32'] = text.trim().split('/');
    const bits = Number(length);
    return isIPv4(address) && /^\d+$/.test(length) && bits <= 32 ? [{ base: masked(toNumber(address), bits), bits }] : [];
  });
  const kept: { base: number; bits: number }[] = [];
  // Networks nest or are disjoint: the widest first, what lies in one of those is dropped.
  for (const one of parsed.toSorted((a, b) => a.bits - b.bits)) {
    if (!kept.some((wide) => masked(one.base, wide.bits) === wide.base)) kept.push(one);
  }
  return kept.map(({ base, bits }) => `${toText(base)}/${bits}`).toSorted();
}

/** True where one of the networks holds the address. */
export function isWithin(address: string, ranges: readonly string[]): boolean {
  return ranges.some((range) => {
    const [base = '', bits = '32'] = range.split('/');
    return masked(toNumber(address), Number(bits)) === toNumber(base);
  });
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function masked(value: number, bits: number): number {
  const size = 2 ** (32 - bits);
  return Math.floor(value / size) * size;
}
