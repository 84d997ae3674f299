import type { KindDefinition } from '#api/kind.ts';
import type { Clock } from '#base/clock.ts';
import { runServices, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from '../../internal-context.ts';
import { everything } from '../../list-everything.ts';
import type { Registry } from '../../registry/contract.ts';
import { type PolicyKind, policyKinds, type RbacPolicy } from './policy.ts';

export interface PolicyFeedDeps {
  readonly policy: RbacPolicy;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

const retryMs = 100;

/** Keeps the policy as the watch cache has it; ready once all of it is known. */
export function policyFeed(deps: PolicyFeedDeps): Service {
  return {
    name: 'access policy',
    run: async (signal, ready) => {
      const parts = policyKinds.flatMap((plural) => {
        const kind = deps.registry.find('rbac.authorization.k8s.io', 'v1', plural);
        return kind === undefined ? [] : [follow(deps, plural, kind)];
      });
      await runServices(signal, parts, ready);
    },
  };
}

function follow(deps: PolicyFeedDeps, plural: PolicyKind, kind: KindDefinition): Service {
  return {
    name: plural,
    run: async (signal, ready) => {
      let isReady = false;
      while (!signal.aborted) {
        try {
          await followOnce(deps, plural, kind, signal, () => {
            if (!isReady) ready();
            isReady = true;
          });
        } catch (error) {
          if (signal.aborted) return;
          deps.log.warn({ err: error, kind: plural }, 'lost track of the access policy, starting over');
        }
        await deps.clock.sleep(retryMs, signal).catch(() => undefined);
      }
    },
  };
}

/** Lists, then watches until the watch ends: it was too slow, or the cache started over. */
async function followOnce(
  { policy, registry }: PolicyFeedDeps,
  plural: PolicyKind,
  kind: KindDefinition,
  signal: AbortSignal,
  caughtUp: () => void,
): Promise<void> {
  const context = internalContext({}, signal);
  const { items, resourceVersion } = await registry.list(kind, everything, context);
  policy.replace(
    plural,
    [...items].map((item) => item.object()),
  );
  caughtUp();
  const request = { ...everything, resourceVersion, allowBookmarks: false, sendInitialEvents: undefined, timeoutSeconds: undefined };
  for await (const frames of await registry.watch(kind, request, context)) {
    for (const { type, encoded } of frames) {
      if (type === 'ERROR') return;
      if (type === 'DELETED') policy.remove(plural, encoded.object());
      else if (type !== 'BOOKMARK') policy.set(plural, encoded.object());
    }
  }
}
