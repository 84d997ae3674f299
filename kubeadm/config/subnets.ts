import { BlockList, isIP } from 'node:net';

/** True when two networks (`ADDRESS/BITS`) share an address; false for texts that are no networks. */
export function subnetsOverlap(a: string, b: string): boolean {
  const [one, two] = [partsOf(a), partsOf(b)];
  if (one === undefined || two === undefined || one.family !== two.family) return false;
  return holds(one, two.address) || holds(two, one.address);
}

interface Subnet {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function holds({ address, bits, family }: Subnet, other: string): boolean {
  const list = new BlockList();
  list.addSubnet(address, bits, family);
  return list.check(other, family);
}

function partsOf(cidr: string): Subnet | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  const version = isIP(address);
  const isNumber = /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
  return version === 0 || !isNumber ? undefined : { address, bits: Number(bits), family: version === 4 ? 'ipv4' : 'ipv6' };
}
