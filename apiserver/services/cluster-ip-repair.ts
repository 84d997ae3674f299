// Puts right what a crash between the write of an IPAddress and that of its Service leaves behind, and gives IPAddress objects to Services
// that were stored without. Upstream's pkg/registry/core/service/ipallocator/controller/repairip.go.
import { heldClusterIps } from '#api/core/service/rules.ts';
import { type Service, service } from '#api/core/service/service.ts';
import type { KindDefinition } from '#api/kind.ts';
import { type KubeObject, keyOf, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { IPAddress } from '#api/networking/ip-address.ts';
import type { Clock } from '#base/clock.ts';
import type { Service as Part } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { followKind } from '../follow-kind.ts';
import { internalContext } from '../internal-context.ts';
import type { Encoded, Registry } from '../registry/contract.ts';
import { addressKind, allocatorName, exactly, managedByLabel, newClaim, refersTo, servesClaims } from './cluster-ip-claims.ts';
import { keepObjects } from './keep-objects.ts';

const serviceKind = service as unknown as KindDefinition;

export interface ClusterIpRepairDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long the write of a Service may take after that of its address: upstream's limit of a request. */
const graceMs = 60_000;

/** Looks at changed Services and addresses only. */
export class ClusterIpRepair {
  readonly #deps: ClusterIpRepairDeps;
  readonly #services = new Map<string, Service['metadata']>();
  readonly #addresses = new Set<string>();

  constructor(deps: ClusterIpRepairDeps) {
    this.#deps = deps;
  }

  /** What feeds it. */
  parts(): Part[] {
    const { registry, clock, log } = this.#deps;
    const follower = (changed: (encoded: Encoded) => void) => ({ set: changed, remove: changed, retain: () => undefined });
    const onService = (encoded: Encoded): void => this.#touch(encoded.object() as Service);
    const onAddress = (encoded: Encoded): void => void this.#addresses.add((encoded.object() as IPAddress).metadata.name ?? '');
    return [
      followKind({ registry, kind: serviceKind, clock, log }, follower(onService)),
      followKind({ registry, kind: addressKind, clock, log }, follower(onAddress)),
    ];
  }

  /** One look. What cannot be decided yet is looked at again the next time. */
  async look(signal: AbortSignal): Promise<void> {
    const services = [...this.#services];
    this.#services.clear();
    for (const [key, metadata] of services) {
      try {
        if (await this.#settleService(metadata, signal)) continue;
        this.#services.set(key, metadata);
      } catch (error) {
        this.#services.set(key, metadata);
        this.#deps.log.warn({ err: error, service: key }, 'cannot check the addresses of a Service, trying again');
      }
    }
    for (const name of this.#addresses) if (await this.#settleAddress(name, signal)) this.#addresses.delete(name);
  }

  #touch(changed: Service): void {
    this.#services.set(keyText(keyOf(changed)), changed.metadata);
    for (const address of heldClusterIps(changed)) this.#addresses.add(address);
  }

  /** Makes the IPAddress objects that a Service lacks; false where another object has one, which may be about to be removed. */
  async #settleService({ namespace = '', name = '' }: Service['metadata'], signal: AbortSignal): Promise<boolean> {
    const { registry, log } = this.#deps;
    const found = await this.#find<Service>(serviceKind, namespace, name, signal);
    if (found === undefined) return true;
    let isSettled = true;
    for (const address of heldClusterIps(found)) {
      const claim = await this.#find<IPAddress>(addressKind, '', address, signal);
      if (claim !== undefined && refersTo(claim, found.metadata)) continue;
      if (claim !== undefined) {
        log.warn({ service: keyText(keyOf(found)), address }, 'the cluster IP of a Service belongs to another object');
        isSettled = false;
        continue;
      }
      try {
        await registry.createObject(addressKind, newClaim(address, found.metadata), internalContext({}, signal));
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists', 'Invalid')) throw error;
      }
    }
    return isSettled;
  }

  /** Removes an address that no Service has; false where its Service may still come. */
  async #settleAddress(name: string, signal: AbortSignal): Promise<boolean> {
    const { registry, clock, log } = this.#deps;
    const claim = await this.#find<IPAddress>(addressKind, '', name, signal);
    if (claim?.metadata.labels?.[managedByLabel] !== allocatorName) return true;
    const { group = '', resource, namespace = '', name: parent } = claim.spec.parentRef;
    const isService = group === '' && resource === 'services';
    const owner = isService ? await this.#find<Service>(serviceKind, namespace, parent, signal) : undefined;
    if (owner !== undefined && heldClusterIps(owner).includes(name)) return true;
    const ageMs = clock.nowMs() - Date.parse(claim.metadata.creationTimestamp ?? '');
    if (ageMs <= graceMs) return false;
    log.warn({ address: name, service: `${namespace}/${parent}` }, 'an IPAddress has no Service, removing it');
    await registry.delete(addressKind, name, exactly(claim), internalContext({}, signal)).catch((error: unknown) => {
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
    });
    return true;
  }

  async #find<T extends KubeObject>(kind: KindDefinition, namespace: string, name: string, signal: AbortSignal): Promise<T | undefined> {
    try {
      return (await this.#deps.registry.get(kind, name, '', internalContext({ namespace }, signal))).object() as T;
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

/** The parts that feed it and let it look every ten seconds. */
export function clusterIpRepair(deps: ClusterIpRepairDeps): Part[] {
  if (!servesClaims(deps.registry)) return [];
  const repair = new ClusterIpRepair(deps);
  const { clock, log } = deps;
  const what = 'the addresses of Services';
  const reconcile = (signal: AbortSignal) => repair.look(signal);
  return [
    ...repair.parts(),
    { name: what, run: async (signal, ready) => await keepObjects({ what, reconcile, clock, log }, signal, ready) },
  ];
}
