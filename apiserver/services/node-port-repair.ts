// Keeps the store's record of node ports as the Services have them: makes it, adds what is missing, frees what is leaked. Every
// server does; guarded writes keep them from undoing each other's work.
import type { Service } from '#api/core/service/service.ts';
import type { Clock } from '#base/clock.ts';
import type { Service as Part } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type ActionRecorder, referenceTo } from '#client/events.ts';
import { internalContext } from '../internal-context.ts';
import { everything } from '../list-everything.ts';
import type { Registry } from '../registry/contract.ts';
import type { Store } from '../storage/contract.ts';
import { WorkSlice } from '../work-slice.ts';
import { serviceKind } from './cluster-ip-claims.ts';
import { keepObjects } from './keep-objects.ts';
import { nodePortsKey } from './node-port-claims.ts';
import { PortBitmap, type PortRange } from './port-bitmap.ts';
import { planPortRepair } from './port-repair-plan.ts';

interface NodePortRepairDeps {
  readonly store: Pick<Store, 'get' | 'put' | 'isSoleWriter'>;
  readonly registry: Registry;
  readonly range: PortRange;
  readonly events: ActionRecorder;
  readonly clock: Clock;
  readonly log: Log;
}

const intervalMs = 180_000;
const attempts = 5;
const objectsPerTurn = 200;

export class NodePortRepair {
  readonly #deps: NodePortRepairDeps;
  #leaks: ReadonlyMap<number, number> = new Map();

  constructor(deps: NodePortRepairDeps) {
    this.#deps = deps;
  }

  /** One look. The record is read before the Services: what is given out in between makes its write fail. */
  async look(signal: AbortSignal): Promise<void> {
    const { store, range, log } = this.#deps;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const found = await store.get(nodePortsKey, signal);
      const stored = found === undefined ? undefined : PortBitmap.decode(found.value);
      const plan = planPortRepair(stored, await this.#services(signal), range, this.#leaks);
      if (stored === undefined || !stored.equals(plan.bitmap)) {
        const options = { expectedRevision: found?.modRevision ?? 0 };
        const result = await store.put(nodePortsKey, plan.bitmap.encode(), options, signal);
        if (!result.ok) continue;
      }
      this.#leaks = plan.leaks;
      if (plan.cleaned.length > 0) log.warn({ ports: plan.cleaned }, 'node ports that no Service has are free again');
      for (const { service, reason, note } of plan.troubles) {
        log.warn({ service: `${service.metadata.namespace}/${service.metadata.name}`, reason }, note);
        this.#deps.events.record({ regarding: referenceTo(service), type: 'Warning', reason, action: 'PortAllocation', note });
      }
      return;
    }
    throw new Error('the record of node ports keeps changing');
  }

  /** Those with ports, as they are now on whichever server. */
  async #services(signal: AbortSignal): Promise<readonly Service[]> {
    const { items } = await this.#deps.registry.list(serviceKind, everything, internalContext({}, signal));
    const slice = new WorkSlice(objectsPerTurn);
    const services: Service[] = [];
    for (const item of items) {
      const service = item.object() as Service;
      if (service.spec.type === 'NodePort' || service.spec.type === 'LoadBalancer') services.push(service);
      slice.spend(1);
      if (slice.isOver) await slice.rest();
    }
    return services;
  }
}

/** Lets it look at the start and every three minutes; nothing where memory is authoritative. */
export function nodePortRepair(deps: NodePortRepairDeps): Part[] {
  if (deps.store.isSoleWriter || deps.registry.find('', 'v1', 'services') === undefined) return [];
  const { clock, log } = deps;
  const repair = new NodePortRepair(deps);
  const what = 'node ports';
  const reconcile = (signal: AbortSignal) => repair.look(signal);
  return [{ name: what, run: async (signal, ready) => await keepObjects({ what, reconcile, intervalMs, clock, log }, signal, ready) }];
}
