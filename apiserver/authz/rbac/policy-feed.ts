import { rbacGroup } from '#api/rbac/rules.ts';
import type { Clock } from '#base/clock.ts';
import { runServices, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { followKind } from '../../follow-kind.ts';
import type { Encoded, Registry } from '../../registry/contract.ts';
import { policyKinds, type RbacPolicy } from './policy.ts';

interface PolicyFeedDeps {
  readonly policy: RbacPolicy;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps the policy as the watch cache has it; ready once all of it is known. */
export function policyFeed({ policy, registry, clock, log }: PolicyFeedDeps): Service {
  return {
    name: 'access policy',
    run: async (signal, ready) => {
      const parts = policyKinds.flatMap((plural) => {
        const kind = registry.find(rbacGroup, 'v1', plural);
        if (kind === undefined) return [];
        const follower = {
          set: (encoded: Encoded) => policy.set(plural, encoded.object()),
          remove: (encoded: Encoded) => policy.remove(plural, encoded.object()),
          retain: (keys: ReadonlySet<string>) => policy.retain(plural, keys),
        };
        return [followKind({ registry, kind, clock, log }, follower)];
      });
      await runServices(signal, parts, ready);
    },
  };
}
