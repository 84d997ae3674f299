/** Networks as numbers: base address and prefix length. */
interface Network {
  readonly base: number;
  readonly bits: number;
}

/** The first free network of `nodeBits` within `cluster` that is not in `used`; undefined when all are taken. */
export function nextPodCidr(cluster: string, nodeBits: number, used: ReadonlySet<string>): string | undefined {
  const { base, bits } = parse(cluster);
  const size = 2 ** (32 - nodeBits);
  const count = 2 ** (nodeBits - bits);
  for (let index = 0; index < count; index++) {
    const cidr = `${dotted(base + index * size)}/${nodeBits}`;
    if (!used.has(cidr)) return cidr;
  }
  return undefined;
}

function parse(cidr: string): Network {
  const [address = '', bits = '32'] = cidr.split('/');
  return { base: address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), bits: Number(bits) };
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
