// Where in a commit a value was written. All writes of one of etcd's transactions have one revision there; the store's revisions are one
// for each write. So what is not the last write of its commit says how many come behind it: in white space after its JSON, which nobody
// who reads the key by other means need know of. Most values are the last of their commit and lie there as they are.

/** Revisions that a commit takes up: as many writes can be told apart. A lease takes no more keys with it (leases.ts). */
export const revisionsPerCommit = 1_024;

const bits = 10;
const space = 0x20;
const tab = 0x09;
const trailerBytes = bits + 1;

/** The bytes to store. */
export function withPlace(value: Uint8Array, behind: number): Uint8Array {
  if (behind === 0 && !hasPlace(value)) return value;
  const placed = Buffer.allocUnsafe(value.length + trailerBytes);
  placed.set(value);
  for (let bit = 0; bit < bits; bit++) placed[value.length + bit] = ((behind >> bit) & 1) === 1 ? tab : space;
  placed[value.length + bits] = tab;
  return placed;
}

/** The value in what was stored, and how many writes of its commit come behind it. */
export function splitPlace(stored: Uint8Array): { readonly value: Uint8Array; readonly behind: number } {
  const end = stored.length - trailerBytes;
  let behind = 0;
  for (let bit = 0; bit < bits; bit++) if (stored[end + bit] === tab) behind += 1 << bit;
  return { value: stored.subarray(0, end), behind };
}

/** Whether stored bytes end in a place. A value that happens to look so is stored with one. */
export function hasPlace(stored: Uint8Array): boolean {
  if (stored[stored.length - 1] !== tab || stored.length < trailerBytes) return false;
  for (let at = stored.length - trailerBytes; at < stored.length; at++) if (stored[at] !== tab && stored[at] !== space) return false;
  return true;
}
