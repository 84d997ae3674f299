// What the API server keeps in its own store: the system's namespaces and priority classes, and the Service by which pods find it.
import type { V1ConfigMap, V1Endpoints, V1EndpointSlice, V1Namespace, V1Service } from '#api/generated/types.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { systemPriorityClasses } from '#api/scheduling/priority-class.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import type { Registry } from '../registry/contract.ts';
import type { DefaultServiceRange } from './default-service-range.ts';
import type { IpRange } from './ip-range.ts';
import { keepObjects } from './keep-objects.ts';
import type { ServerLeases } from './server-leases.ts';

interface BootstrapDeps {
  readonly registry: () => Registry;
  readonly ipRange: IpRange;
  /** Its label. */
  readonly serviceRange: DefaultServiceRange;
  /** Who else serves the same store. */
  readonly leases: ServerLeases;
  /** What other API servers need to know to believe the same clients. */
  readonly trust: () => Readonly<Record<string, string>>;
  /** Where pods reach this server. */
  readonly advertise: () => { readonly address: string; readonly port: number };
  readonly clock: Clock;
  readonly log: Log;
}

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const serviceName = 'kubernetes';
const leaveLimitMs = 2_000;
const trustMapName = 'extension-apiserver-authentication';

/** Makes and repairs those objects, at start and every ten seconds. */
export class Bootstrap implements Service {
  readonly name = 'system objects';
  readonly #deps: BootstrapDeps;

  constructor(deps: BootstrapDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    await keepObjects({ what: 'the system objects', reconcile: (life) => this.#reconcile(life), clock, log }, signal, ready);
    await this.#leave(signal.reason);
  }

  /** Clients need not try this server any more. Where that cannot be said, its lease ends by itself. */
  async #leave(reason: unknown): Promise<void> {
    const { advertise, clock, leases, log } = this.#deps;
    using limit = clock.deadline(new AbortController().signal, leaveLimitMs);
    try {
      await leases.release(advertise().address, limit.signal);
    } catch (err) {
      log.warn({ err, reason }, 'the lease of this server is left to end by itself');
    }
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    for (const name of systemNamespaces) {
      const namespace: V1Namespace = { metadata: { name } };
      await this.#ensure({ group: '', plural: 'namespaces', namespace: '' }, namespace as KubeObject, signal);
    }
    for (const priorityClass of systemPriorityClasses) {
      await this.#ensure({ group: 'scheduling.k8s.io', plural: 'priorityclasses', namespace: '' }, priorityClass, signal);
    }
    const { advertise, serviceRange, leases, log } = this.#deps;
    await serviceRange.keep(signal);
    const { address, port } = advertise();
    await leases.renew(address, signal);
    await this.#keepTrust(signal);
    try {
      await this.#keepService(await leases.addresses(address, signal), port, signal);
    } catch (err) {
      if (signal.aborted) throw err;
      // A user's quota may prevent this; to change the quota the server must be serving.
      log.warn({ err }, 'the Service by which pods find this server cannot be kept, trying again');
    }
  }

  async #keepService(addresses: readonly string[], port: number, signal: AbortSignal): Promise<void> {
    const wanted = wantedObjects(addresses, port, this.#deps.ipRange.at(1));
    await this.#ensure({ group: '', plural: 'services', namespace: 'default' }, wanted.service as KubeObject, signal);
    await this.#ensure({ group: '', plural: 'endpoints', namespace: 'default' }, wanted.endpoints as KubeObject, signal, (found) =>
      sameJson((found as V1Endpoints).subsets, wanted.endpoints.subsets) ? undefined : { ...found, subsets: wanted.endpoints.subsets },
    );
    await this.#ensure(
      { group: 'discovery.k8s.io', plural: 'endpointslices', namespace: 'default' },
      wanted.slice as KubeObject,
      signal,
      (found) => {
        const { endpoints, ports } = found as unknown as V1EndpointSlice;
        const isSame = sameJson(endpoints, wanted.slice.endpoints) && sameJson(ports, wanted.slice.ports);
        return isSame ? undefined : ({ ...found, endpoints: wanted.slice.endpoints, ports: wanted.slice.ports } as KubeObject);
      },
    );
  }

  /** Publishes the CAs that authenticate clients, for extension API servers (upstream's clusterauthenticationtrust). */
  async #keepTrust(signal: AbortSignal): Promise<void> {
    const trust = this.#deps.trust();
    if (Object.keys(trust).length === 0) return;
    const object: V1ConfigMap = { metadata: { name: trustMapName, namespace: 'kube-system' }, data: { ...trust } };
    await this.#ensure({ group: '', plural: 'configmaps', namespace: 'kube-system' }, object as KubeObject, signal, (found) => {
      const { data = {} } = found as V1ConfigMap;
      const isThere = Object.entries(trust).every(([key, value]) => data[key] === value);
      return isThere ? undefined : ({ ...found, data: { ...data, ...trust } } as KubeObject);
    });
  }

  /** Creates the object if it is missing; `repair` returns the corrected form of an existing one, undefined where it is correct. */
  async #ensure(
    { group, plural, namespace }: { readonly group: string; readonly plural: string; readonly namespace: string },
    object: KubeObject,
    signal: AbortSignal,
    repair?: (found: KubeObject) => KubeObject | undefined,
  ): Promise<void> {
    const registry = this.#deps.registry();
    const kind = registry.find(group, 'v1', plural);
    if (kind === undefined) return;
    const context = internalContext({ namespace }, signal);
    const name = object.metadata.name ?? '';
    try {
      const found = (await registry.get(kind, name, '', context)).object();
      if (repair?.(found) === undefined) return;
      await registry.change(kind, name, (current) => repair(structuredClone(current)) ?? current, context);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      await registry.createObject(kind, object, context);
    }
  }
}

function wantedObjects(
  addresses: readonly string[],
  port: number,
  clusterIp: string,
): { service: V1Service; endpoints: V1Endpoints; slice: V1EndpointSlice } {
  return {
    service: {
      metadata: { name: serviceName, namespace: 'default', labels: { provider: 'kubernetes', component: 'apiserver' } },
      spec: {
        clusterIP: clusterIp,
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
        sessionAffinity: 'None',
        type: 'ClusterIP',
      },
    },
    endpoints: {
      metadata: { name: serviceName, namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ name: 'https', port, protocol: 'TCP' }] }],
    },
    slice: {
      metadata: { name: serviceName, namespace: 'default', labels: { 'kubernetes.io/service-name': serviceName } },
      addressType: 'IPv4',
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    },
  };
}

/** Equal as JSON; the server writes these lists itself, so their order is stable. */
function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
