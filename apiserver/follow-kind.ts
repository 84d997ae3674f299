// Follows all objects of a kind as the watch cache has them, inside the server: lists, then watches, and starts over where the watch
// ends (it was too slow, or the cache began anew). Subscribers are called synchronously, in the store's order.
import type { KindDefinition } from '#api/kind.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from './internal-context.ts';
import { everything } from './list-everything.ts';
import type { Encoded, Registry } from './registry/contract.ts';
import { WorkSlice } from './work-slice.ts';

/** What is done with objects that come and go. */
export interface Follower {
  /** `added` is also an object that comes to match the selector. */
  readonly set: (encoded: Encoded, how: 'added' | 'modified') => void;
  readonly remove: (encoded: Encoded) => void;
  /** A list is over: of what was known before, only these (by `keyText`) are still there. */
  readonly retain: (keys: ReadonlySet<string>) => void;
}

interface FollowOptions {
  readonly registry: Registry;
  readonly kind: KindDefinition;
  /** Default: all objects. */
  readonly fieldSelector?: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Between attempts: doubled while the objects cannot be read, as while a KMS plugin is away. */
const retry = { initialMs: 100, maxMs: 5_000 };
/** Objects decoded in one go before others have their turn. */
const objectsPerTurn = 200;

/** Ready once all objects are known. */
export function followKind(options: FollowOptions, follower: Follower): Service {
  const { kind, clock, log } = options;
  return {
    name: kind.names.plural,
    run: async (signal, ready) => {
      const backoff = new Backoff(retry);
      const listed = (): void => {
        backoff.reset();
        ready();
      };
      while (!signal.aborted) {
        try {
          await followOnce(options, follower, signal, listed);
        } catch (error) {
          if (signal.aborted) return;
          log.warn({ err: error, kind: kind.names.plural }, 'lost track of objects, starting over');
        }
        await clock.sleep(backoff.next(), signal).catch(() => undefined);
      }
    },
  };
}

async function followOnce(
  { registry, kind, fieldSelector = '' }: FollowOptions,
  follower: Follower,
  signal: AbortSignal,
  listed: () => void,
): Promise<void> {
  const context = internalContext({}, signal);
  const { items, resourceVersion } = await registry.list(kind, { ...everything, fieldSelector, skipsUnreadable: true }, context);
  const keys = new Set<string>();
  const slice = new WorkSlice(objectsPerTurn);
  // What is known counts until the list is over: a second one must not remove what is relied on.
  for (const item of items) {
    keys.add(keyText(keyOf(item.object())));
    follower.set(item, 'added');
    slice.spend(1);
    if (slice.isOver) await slice.rest();
  }
  follower.retain(keys);
  listed();
  const watch = { allowBookmarks: false, sendInitialEvents: undefined, timeoutSeconds: undefined };
  for await (const frames of await registry.watch(kind, { ...everything, fieldSelector, resourceVersion, ...watch }, context)) {
    for (const { type, encoded } of frames) {
      if (type === 'ERROR') return;
      if (type === 'DELETED') follower.remove(encoded);
      else if (type !== 'BOOKMARK') follower.set(encoded, type === 'ADDED' ? 'added' : 'modified');
    }
  }
}
