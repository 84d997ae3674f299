import { UsageError } from '#base/lifecycle.ts';

/** A range of IPv4 addresses, from which Services get theirs by their offset. */
export interface IpRange {
  readonly text: string;
  /** Usable addresses: all but the network's and the broadcast one. */
  readonly size: number;
  /** The address number `offset`, from 1 to `size`. */
  at(offset: number): string;
  /** The number of an address; undefined outside of the usable range. */
  offsetOf(address: string): number | undefined;
}

/** Reads a CIDR such as 10.96.0.0/12. Throws UsageError for what is none, or none that Services can live in. */
export function parseIpRange(text: string): IpRange {
  const [address = '', bitsText = '', ...rest] = text.split('/');
  const base = parseAddress(address);
  const bits = Number(bitsText);
  if (address.includes(':')) throw new UsageError(`the service range ${text} is IPv6, which is not supported yet`);
  if (base === undefined || rest.length > 0 || !/^\d+$/.test(bitsText) || bits < 8 || bits > 30) {
    throw new UsageError(`the service range ${JSON.stringify(text)} is not a CIDR with 8 to 30 bits`);
  }
  const total = 2 ** (32 - bits);
  const network = Math.floor(base / total) * total;
  const size = total - 2;
  return {
    text: `${formatAddress(network)}/${bits}`,
    size,
    at: (offset) => formatAddress(network + offset),
    offsetOf: (candidate) => {
      const value = parseAddress(candidate);
      const offset = value === undefined ? 0 : value - network;
      return offset >= 1 && offset <= size ? offset : undefined;
    },
  };
}

function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
