import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { connect } from '#client/rest.ts';
import { makeBaseObjects } from '../cluster/base-objects.ts';
import { adminEndpoint } from '../cluster/kubeconfig.ts';
import type { ClusterConfig, Layout } from '../cluster/layout.ts';

export interface BaseObjectsKeeperDeps {
  readonly layout: Layout;
  readonly config: () => ClusterConfig;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the cluster's base objects once, as soon as that can be, and then holds no connection. */
export function baseObjectsKeeper(deps: BaseObjectsKeeperDeps): Service {
  const { clock, log } = deps;
  return {
    name: 'base objects',
    run: async (signal, ready) => {
      ready();
      const backoff = new Backoff({ initialMs: 50, maxMs: 500, factor: 1.5 });
      while (!signal.aborted) {
        try {
          await makeOnce(deps, signal);
          return await aborted(signal);
        } catch (err) {
          if (signal.aborted) return;
          const ms = backoff.next();
          log[backoff.steps > 20 ? 'warn' : 'debug']({ err }, 'the base objects of the cluster could not be made yet');
          await clock.sleep(ms, signal).catch(() => undefined);
        }
      }
    },
  };
}

async function makeOnce({ layout, config, clock }: BaseObjectsKeeperDeps, signal: AbortSignal): Promise<void> {
  await using client = connect(adminEndpoint(layout), { clock, component: 'coxswain' });
  await makeBaseObjects(client, config(), signal);
}
