/** True for addresses of the pool that may be given: all but its first and last. */
export function usableAddress(cidr: string, ip: string): boolean {
  const { first, last } = range(cidr);
  const value = toNumber(ip);
  return value > first && value < last;
}

/** The wished address where it is free and in the pool, else undefined; without a wish the lowest free one. */
export function nextAddress(cidr: string, taken: ReadonlySet<string>, wished: string | undefined): string | undefined {
  if (wished !== undefined && wished !== '') return usableAddress(cidr, wished) && !taken.has(wished) ? wished : undefined;
  const { first, last } = range(cidr);
  for (let value = first + 1; value < last; value++) {
    const ip = toText(value);
    if (!taken.has(ip)) return ip;
  }
  return undefined;
}

function range(cidr: string): { readonly first: number; readonly last: number } {
  const [address = '', bits = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(toNumber(address) / size) * size;
  return { first, last: first + size - 1 };
}

function toNumber(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
