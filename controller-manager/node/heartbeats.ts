import type { Clock } from '#base/clock.ts';

interface Heartbeat {
  readonly mark: string;
  readonly seenMs: number;
}

/** When each node was last heard of, by this process's own clock: the clocks of nodes may be wrong. */
export class Heartbeats {
  readonly #heard = new Map<string, Heartbeat>();

  /** How long the node has been silent, in milliseconds. `mark` is anything that changes with every sign of life. */
  silentMs(node: string, mark: string, clock: Clock): number {
    const nowMs = clock.monotonicMs();
    const known = this.#heard.get(node);
    if (known?.mark === mark) return nowMs - known.seenMs;
    this.#heard.set(node, { mark, seenMs: nowMs });
    return 0;
  }

  forget(node: string): void {
    this.#heard.delete(node);
  }
}
