import { safeEncode } from './random-name.ts';

/** FNV-1a over UTF-8, 32 bits, unsigned. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** FNV-1 over UTF-8, 64 bits, the highest byte first. */
export function fnv64(text: string): Buffer {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, hash * 0x100000001b3n) ^ BigInt(byte);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(hash);
  return bytes;
}

/** JSON with sorted keys and without undefined members: equal for equal values. */
function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => stableJson(one ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${stableJson(member)}`);
  return `{${members.join(',')}}`;
}

/**
 * The hash behind pod-template-hash and revision names: short, safe in names, the same for equal values. `collisionCount` gives
 * another hash for the same value, where two values met. Not upstream's number, which depends on Go's memory layout.
 */
export function objectHash(value: unknown, collisionCount?: number): string {
  const text = stableJson(value) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  return safeEncode(String(fnv32a(text)));
}
