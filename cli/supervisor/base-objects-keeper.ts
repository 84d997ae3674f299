import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { connect } from '#client/rest.ts';
import { makeBaseObjects, markControlPlane } from '../cluster/base-objects.ts';
import { adminEndpoint } from '../cluster/kubeconfig.ts';
import type { ClusterConfig, Layout } from '../cluster/layout.ts';

interface BaseObjectsKeeperDeps {
  readonly layout: Layout;
  readonly config: () => ClusterConfig;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the cluster's base objects and marks its node once, each as soon as that can be, and then holds no connection. */
export function baseObjectsKeeper(deps: BaseObjectsKeeperDeps): Service {
  return {
    name: 'base objects',
    run: async (signal, ready) => {
      ready();
      await makeAll(deps, signal);
      await aborted(signal);
    },
  };
}

async function makeAll({ layout, config, clock, log }: BaseObjectsKeeperDeps, signal: AbortSignal): Promise<void> {
  await using client = connect(adminEndpoint(layout), { clock, component: 'coxswain' });
  const steps = [() => makeBaseObjects(client, signal), () => markControlPlane(client, config().nodeName, signal)];
  for (const step of steps) {
    // Others wait for these objects, so this one hurries at first.
    const backoff = new Backoff({ initialMs: 50, maxMs: 500, factor: 1.1 });
    while (!signal.aborted) {
      try {
        await step();
        break;
      } catch (err) {
        if (signal.aborted) return;
        log[backoff.steps > 100 ? 'warn' : 'debug']({ err }, 'the base objects of the cluster could not be made yet');
        await clock.sleep(backoff.next(), signal).catch(() => undefined);
      }
    }
  }
}
