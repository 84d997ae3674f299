// Judges how leases went from one holder to the next: nobody leads while another one may believe that it does.
import type { LeaseVersion } from './operation.ts';

/** Times that differ more from the client's were written by a host whose clock was moved: they are not compared. */
const clockLimitMs = 30_000;

/** What is wrong, a line each; versions of all leases in the order the watch told them. */
export function checkLeases(versions: readonly LeaseVersion[]): string[] {
  const problems: string[] = [];
  const last = new Map<string, LeaseVersion>();
  for (const next of versions) {
    const before = last.get(next.name);
    last.set(next.name, next);
    if (before !== undefined) problems.push(...checkStep(before, next));
  }
  return problems;
}

/** By lease: how often somebody else came to lead. */
export function takeovers(versions: readonly LeaseVersion[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const holders = new Map<string, string>();
  for (const { name, holder } of versions) {
    if (holder === '') continue;
    const before = holders.get(name);
    holders.set(name, holder);
    if (before !== undefined && before !== holder) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function checkStep(before: LeaseVersion, next: LeaseVersion): string[] {
  const where = `${next.name} at ${next.revision}`;
  const isHandedOver = next.holder !== '' && next.holder !== before.holder;
  const transitions = before.transitions + (isHandedOver ? 1 : 0);
  const problems: string[] = [];
  if (next.transitions !== transitions) {
    problems.push(
      `${where} counts ${next.transitions} transitions and went from ${before.holder} to ${next.holder} after ${before.transitions}`,
    );
  }
  if (!isHandedOver || before.holder === '' || isOff(before) || isOff(next)) return problems;
  // Whoever takes over has seen the last renewal, and waited from then on.
  const earlyMs = before.renewedMs + before.durationSeconds * 1_000 - next.acquiredMs;
  if (earlyMs > 0) problems.push(`${where} was taken by ${next.holder} ${earlyMs} ms before ${before.holder} had lost it`);
  return problems;
}

function isOff({ renewedMs, heardMs }: LeaseVersion): boolean {
  return Math.abs(renewedMs - heardMs) > clockLimitMs;
}
