import type { KindDefinition } from '#api/kind.ts';
import { heldClusterIps } from '#api/core/service/rules.ts';
import { type Service, service } from '#api/core/service/service.ts';
import type { KubeObject, ObjectMeta } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { type IPAddress, ipAddress } from '#api/networking/ip-address.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import type { AlongObject, Registry } from '../registry/contract.ts';

/** As the registry takes them, which does not look into the objects. */
export const addressKind = ipAddress as unknown as KindDefinition;
export const serviceKind = service as unknown as KindDefinition;

interface ClusterIpClaimsDeps {
  readonly registry: () => Registry;
  readonly clock: Clock;
  readonly log: Log;
}

export const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
export const allocatorName = 'ipallocator.k8s.io';
export const familyLabel = 'ipaddress.kubernetes.io/ip-family';

/** How long the write of a Service may take after that of its address, where another server makes two writes of it: upstream's limit of a request. */
export const claimGraceMs = 60_000;
/** So many releases are remembered; one that is forgotten only lets its address wait for its grace. */
const maxReleased = 4_096;

/**
 * IPAddress objects. One is stored in one commit with the Service that it belongs to, so that neither is ever alone, whichever server of
 * the store was asked; who finds an address taken meanwhile tries again. When a Service goes its addresses follow; what a crash
 * leaves of that may be taken over, and is removed by cluster-ip-repair.ts.
 */
export class ClusterIpClaims {
  readonly #deps: ClusterIpClaimsDeps;
  /** Addresses that Services held that are gone, by name: their release is asynchronous. */
  readonly #released = new Set<string>();
  /** Never aborted: a claim with an unknown outcome would stay until the repair loop removes it. */
  readonly #signal = new AbortController().signal;

  constructor(deps: ClusterIpClaimsDeps) {
    this.#deps = deps;
  }

  /** What to store with a Service that takes an address; undefined where another object has it. */
  claim(address: string, { metadata }: Service): readonly AlongObject[] | undefined {
    const registry = this.#deps.registry();
    // Servers of a few kinds, as tests start them, are alone on their store.
    if (!servesClaims(registry)) return [];
    const claim = { kind: addressKind, object: newClaim(address, metadata) };
    const found = registry.peek(addressKind, '', address);
    if (found === undefined) return [claim];
    if (!this.#mayTakeOver(found.object() as IPAddress, metadata)) return undefined;
    return [{ ...claim, replaces: Number(found.resourceVersion) }];
  }

  /** A Service is gone, or does not hold these addresses any more. */
  forget(addresses: readonly string[], owner: ObjectMeta): void {
    for (const address of addresses) this.#released.add(releaseKey(address, owner));
    for (const oldest of this.#released) {
      if (this.#released.size <= maxReleased) break;
      this.#released.delete(oldest);
    }
  }

  /** Starts to give addresses back that a Service held. */
  release(addresses: readonly string[], owner: ObjectMeta): void {
    this.forget(addresses, owner);
    if (!servesClaims(this.#deps.registry())) return;
    for (const address of addresses) {
      this.#remove(address, owner).catch((error: unknown) => {
        if (hasReason(error, 'NotFound', 'Conflict')) return;
        this.#deps.log.warn({ err: error, address }, 'cannot release a cluster IP, leaving it to repair');
      });
    }
  }

  /**
   * Whose Service does not exist, for sure. A claim in the very name of the Service that is written is its own: of two writes of one
   * Service the store takes one.
   */
  #mayTakeOver({ metadata, spec }: IPAddress, next: ObjectMeta): boolean {
    if (metadata.labels?.[managedByLabel] !== allocatorName) return false;
    const { namespace, name } = spec.parentRef;
    const parent = { namespace, name } as ObjectMeta;
    const address = metadata.name ?? '';
    if (!refersTo(spec, parent) || this.#isHeld(address, parent)) return false;
    if (refersTo(spec, next) || this.#released.has(releaseKey(address, parent))) return true;
    return this.#deps.clock.nowMs() - Date.parse(metadata.creationTimestamp ?? '') > claimGraceMs;
  }

  #isHeld(address: string, { namespace = '', name = '' }: ObjectMeta): boolean {
    const holder = this.#deps.registry().peek(serviceKind, namespace, name);
    return holder !== undefined && heldClusterIps(holder.object() as Service).includes(address);
  }

  async #remove(address: string, owner: ObjectMeta): Promise<void> {
    const registry = this.#deps.registry();
    const context = internalContext({}, this.#signal);
    const found = (await registry.get(addressKind, address, '', context)).object() as IPAddress;
    // A new Service of the same name may have it by now.
    if (!refersTo(found.spec, owner) || this.#isHeld(address, owner)) return;
    await registry.delete(addressKind, address, exactly(found), context);
  }
}

/** Deletes this object and no later one of its name. */
export function exactly({ metadata }: IPAddress) {
  const none = { gracePeriodSeconds: undefined, propagationPolicy: undefined, orphanDependents: undefined };
  return { ...none, uid: metadata.uid, resourceVersion: undefined };
}

export function refersTo({ parentRef }: IPAddress['spec'], { namespace, name }: ObjectMeta): boolean {
  const { group = '', resource, namespace: parentNamespace, name: parentName } = parentRef;
  return group === '' && resource === 'services' && parentNamespace === namespace && parentName === name;
}

export function newClaim(address: string, { namespace, name }: ObjectMeta): KubeObject {
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: address, labels: { [familyLabel]: family, [managedByLabel]: allocatorName } },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  } as KubeObject;
}

export function servesClaims(registry: Registry): boolean {
  return registry.find(addressKind.group, addressKind.version, addressKind.names.plural) !== undefined;
}

function releaseKey(address: string, { namespace, name }: ObjectMeta): string {
  return `${address} ${namespace}/${name}`;
}
