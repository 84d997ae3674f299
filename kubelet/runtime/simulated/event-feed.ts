import type { RuntimeEvent } from '../contract.ts';

/** A follower this far behind has to look at everything anyway, so what it missed is replaced by that. */
const maxWaiting = 1_000;

interface Follower {
  waiting: RuntimeEvent[];
  wake: () => void;
}

/** Hands every event to every follower. */
export class EventFeed {
  readonly #followers = new Set<Follower>();

  publish(event: RuntimeEvent): void {
    for (const follower of this.#followers) {
      if (follower.waiting.length >= maxWaiting) follower.waiting = [{ type: 'everything' }];
      else follower.waiting.push(event);
      follower.wake();
    }
  }

  /** Begins with `everything`; ends when the signal aborts. */
  async *follow(signal: AbortSignal): AsyncGenerator<RuntimeEvent, void, undefined> {
    const follower: Follower = { waiting: [{ type: 'everything' }], wake: () => undefined };
    const onAbort = (): void => follower.wake();
    signal.addEventListener('abort', onAbort);
    this.#followers.add(follower);
    try {
      while (!signal.aborted) {
        const event = follower.waiting.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (follower.wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#followers.delete(follower);
    }
  }
}
