// Joins two connections byte for byte, for a proxy that has agreed to an upgrade on both sides.
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';

interface TunnelOptions {
  readonly clock: Clock;
  /** Closed after so long without a byte either way; 0 means never. */
  readonly idleMs: number;
}

/** How long what one side said last may take to reach the other when the first is gone. */
const lingerMs = 2_000;

/**
 * Pipes both ways with back-pressure until both sides have ended or either breaks. The end of one side is passed on as an end
 * (half-close), so answers still come back. Never rejects; both sockets are destroyed at the end.
 */
export async function joinSockets(left: Duplex, right: Duplex, { clock, idleMs }: TunnelOptions, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  let lastTrafficMs = clock.monotonicMs();
  const end = (): void => over.abort(new Error('tunnel closed'));
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();

  const watch = (from: Duplex, to: Duplex): void => {
    from.on('error', () => from.destroy());
    from.on('data', () => {
      lastTrafficMs = clock.monotonicMs();
    });
    from.on('close', () => {
      if (to.destroyed) return end();
      // What `from` said last is still on its way; what `to` still sends is irrelevant.
      if (!to.writableEnded) to.end();
      clock.sleep(to.writableFinished ? 0 : lingerMs, over.signal).then(end, () => undefined);
      to.once('finish', end);
    });
  };
  watch(left, right);
  watch(right, left);
  left.pipe(right);
  right.pipe(left);

  try {
    while (!over.signal.aborted) {
      const leftMs = idleMs === 0 ? Number.MAX_SAFE_INTEGER : lastTrafficMs + idleMs - clock.monotonicMs();
      if (leftMs <= 0) break;
      await clock.sleep(leftMs, over.signal);
    }
  } catch (error) {
    if (!over.signal.aborted) throw error;
  } finally {
    end();
    signal.removeEventListener('abort', end);
    left.destroy();
    right.destroy();
  }
}
