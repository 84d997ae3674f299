import { UsageError } from '#base/lifecycle.ts';

/** A range of IPv4 addresses, from which Services get theirs. Addresses are whole numbers here. */
export interface IpRange {
  readonly text: string;
  /** Usable addresses: all but the network's and the broadcast one. None where `last` lies before `first`. */
  readonly first: number;
  readonly last: number;
  /** The usable address number `offset`, from 1 on. */
  at(offset: number): string;
  /** Whether an address lies in the network, usable or not. */
  holds(address: number): boolean;
}

/** Reads a flag's CIDR, such as 10.96.0.0/12. Throws UsageError for what is none, or none that Services can live in. */
export function parseIpRange(text: string): IpRange {
  if (text.includes(','))
    throw new UsageError(`the service ranges ${text} are two: dual-stack Services are not supported, give one IPv4 range`);
  if (text.includes(':')) throw new UsageError(`the service range ${text} is IPv6, which is not supported yet`);
  const range = ipRangeOf(text);
  const bits = Number(text.slice(text.indexOf('/') + 1));
  if (range !== undefined && bits >= 8 && bits <= 30) return range;
  throw new UsageError(`the service range ${JSON.stringify(text)} is not a CIDR with 8 to 30 bits`);
}

/** The range of an IPv4 CIDR; undefined for other texts. */
export function ipRangeOf(text: string): IpRange | undefined {
  const [address = '', bitsText = '', ...rest] = text.split('/');
  const base = addressNumber(address);
  const bits = Number(bitsText);
  if (base === undefined || rest.length > 0 || !/^\d+$/.test(bitsText) || bits > 32) return undefined;
  const total = 2 ** (32 - bits);
  const network = Math.floor(base / total) * total;
  return {
    text: `${addressText(network)}/${bits}`,
    first: network + 1,
    last: network + total - 2,
    at: (offset) => addressText(network + offset),
    holds: (candidate) => candidate >= network && candidate < network + total,
  };
}

/** Undefined for what is no IPv4 address. */
export function addressNumber(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

export function addressText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
