// The APIService of every group version that this server answers itself: clients see them in the list of APIServices, as upstream's.
// They follow from the served kinds; what others put under these names is put right again.
import { type ApiService, withLocalAvailable } from '#api/apiregistration/api-service.ts';
import { apiRegistrationGroup, priorityOf } from '#api/groups.ts';
import type { KindDefinition } from '#api/kind.ts';
import { equalValues } from '#api/meta/equality.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import { everything } from '../list-everything.ts';
import type { DeleteRequest, Registry } from '../registry/contract.ts';
import { keepObjects } from './keep-objects.ts';

interface LocalApiServicesDeps {
  readonly registry: () => Registry;
  /** What clients find. */
  readonly kinds: () => readonly KindDefinition[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Who keeps an APIService; `onstart` is what upstream says of built-in ones. */
const managedLabel = 'kube-aggregator.kubernetes.io/automanaged';
const anyState: DeleteRequest = {
  gracePeriodSeconds: undefined,
  propagationPolicy: undefined,
  orphanDependents: undefined,
  uid: undefined,
  resourceVersion: undefined,
};

/** Makes, repairs and removes them, at start and every ten seconds. */
export class LocalApiServices implements Service {
  readonly name = 'local API services';
  readonly #deps: LocalApiServicesDeps;

  constructor(deps: LocalApiServicesDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    await keepObjects({ what: 'the local API services', reconcile: (life) => this.#reconcile(life), clock, log }, signal, ready);
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    const registry = this.#deps.registry();
    const kind = registry.find(apiRegistrationGroup, 'v1', 'apiservices');
    if (kind === undefined) return;
    const { items } = await registry.list(kind, everything, internalContext({ namespace: '' }, signal));
    const found = new Map([...items].map((item) => [item.object().metadata.name ?? '', item.object() as ApiService]));
    const wanted = wantedServices(this.#deps.kinds());
    await Promise.all(wanted.map((service) => this.#keep(kind, service, found.get(service.metadata.name ?? ''), signal)));
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    const gone = [...found.values()].filter(({ metadata }) => metadata.labels?.[managedLabel] !== undefined && !names.has(metadata.name));
    await Promise.all(gone.map((service) => this.#remove(kind, service, signal)));
  }

  async #keep(kind: KindDefinition, wanted: ApiService, found: ApiService | undefined, signal: AbortSignal): Promise<void> {
    const registry = this.#deps.registry();
    const { clock } = this.#deps;
    const name = wanted.metadata.name ?? '';
    const context = internalContext({ namespace: '' }, signal);
    if (found === undefined) {
      await unless('AlreadyExists', registry.createObject(kind, wanted as KubeObject, context));
      return;
    }
    if (!equalValues(found.spec, wanted.spec) || found.metadata.labels?.[managedLabel] !== 'onstart') {
      const labels = { ...found.metadata.labels, ...wanted.metadata.labels };
      const change = (current: KubeObject): KubeObject =>
        ({ ...current, metadata: { ...current.metadata, labels }, spec: wanted.spec }) as KubeObject;
      await unless('NotFound', registry.change(kind, name, change, context));
    }
    const status = withLocalAvailable(found, clock.nowMs());
    if (equalValues(status, found)) return;
    const change = (current: KubeObject): KubeObject => withLocalAvailable(current as ApiService, clock.nowMs()) as KubeObject;
    await unless('NotFound', registry.change(kind, name, change, internalContext({ namespace: '', subresource: 'status' }, signal)));
  }

  async #remove(kind: KindDefinition, { metadata }: ApiService, signal: AbortSignal): Promise<void> {
    const request = { ...anyState, uid: metadata.uid };
    await unless('NotFound', this.#deps.registry().delete(kind, metadata.name ?? '', request, internalContext({ namespace: '' }, signal)));
  }
}

/** One for each group version; the group of APIServices itself has none. */
function wantedServices(kinds: readonly KindDefinition[]): ApiService[] {
  const versions = new Map(kinds.map(({ group, version }) => [`${version}.${group}`, { group, version }]));
  return [...versions].flatMap(([name, { group, version }]) => {
    const priority = group === apiRegistrationGroup ? undefined : priorityOf({ group, version });
    if (priority === undefined) return [];
    const spec = { ...(group === '' ? {} : { group }), version, groupPriorityMinimum: priority.group, versionPriority: priority.version };
    return [{ metadata: { name, labels: { [managedLabel]: 'onstart' } }, spec }];
  });
}

/** Another server may have created it. */
async function unless(reason: 'AlreadyExists' | 'NotFound', act: Promise<unknown>): Promise<void> {
  await act.catch((error: unknown) => {
    if (!hasReason(error, reason)) throw error;
  });
}
