// Pools of addresses for load balancers: networks (`172.31.254.0/24`) and ranges (`192.168.77.200-192.168.77.220`) of IPv4.
import { ipFamilyOf } from '#api/meta/ip.ts';

/** Addresses from the first to the last, as numbers. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a network or a range. Of a network, the first and the last address are not used unless it has but one or two. Throws an Error
 * that says what is wrong.
 */
export function parseRange(text: string): AddressRange {
  const [from = '', to, ...rest] = text.split('-').map((part) => part.trim());
  if (to !== undefined) {
    if (rest.length > 0 || ipFamilyOf(from) !== 4 || ipFamilyOf(to) !== 4)
      throw new Error(`${JSON.stringify(text)} is not a range of IPv4 addresses`);
    const range = { first: toNumber(from), last: toNumber(to) };
    if (range.first > range.last) throw new Error(`${JSON.stringify(text)} ends before it begins`);
    return range;
  }
  const [address = '', bits = '32', ...more] = from.split('/');
  if (more.length > 0 || ipFamilyOf(address) !== 4 || !/^\d{1,2}$/.test(bits) || Number(bits) > 32)
    throw new Error(`${JSON.stringify(text)} is neither an IPv4 network such as 10.9.8.0/24 nor a range such as 10.9.8.10-10.9.8.20`);
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(toNumber(address) / size) * size;
  const edge = size > 2 ? 1 : 0;
  return { first: first + edge, last: first + size - 1 - edge };
}

/** Whether one of the ranges has the address. */
export function holdsAddress(ranges: readonly AddressRange[], ip: string): boolean {
  if (ipFamilyOf(ip) !== 4) return false;
  const value = toNumber(ip);
  return ranges.some(({ first, last }) => value >= first && value <= last);
}

/** The lowest address of the first range that has one which is not taken; undefined where none is left. */
export function firstFree(ranges: readonly AddressRange[], isTaken: (ip: string) => boolean): string | undefined {
  for (const { first, last } of ranges) {
    for (let value = first; value <= last; value++) {
      const ip = toText(value);
      if (!isTaken(ip)) return ip;
    }
  }
  return undefined;
}

function toNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
