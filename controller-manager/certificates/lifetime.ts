const minMs = 600_000;
/** Clocks differ: certificates count from a little earlier on. */
const backdateMs = 300_000;
/** Certificates that last shorter lose nothing of their time to that. */
const shortMs = 8 * 3_600_000;

interface LifetimeWish {
  readonly expirationSeconds: number | undefined;
  /** The signer's longest. */
  readonly durationMs: number;
  readonly nowMs: number;
}

/** From when to when a certificate lasts: as long as asked for, at least ten minutes, at most as the signer has it. */
export function planLifetime({ expirationSeconds, durationMs, nowMs }: LifetimeWish): { notBeforeMs: number; notAfterMs: number } {
  const askedMs = expirationSeconds === undefined ? durationMs : expirationSeconds * 1_000;
  const lastsMs = askedMs >= durationMs ? durationMs : Math.max(minMs, askedMs);
  const notBeforeMs = nowMs - backdateMs;
  return { notBeforeMs, notAfterMs: (lastsMs < shortMs ? nowMs : notBeforeMs) + lastsMs };
}
