import type { KindDefinition } from '#api/kind.ts';
import type { Service } from '#api/core/service/service.ts';
import type { KubeObject, ObjectMeta } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { type IPAddress, ipAddress } from '#api/networking/ip-address.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import type { Registry } from '../registry/contract.ts';

/** As the registry takes it, which does not look into the objects. */
export const addressKind = ipAddress as unknown as KindDefinition;

export interface ClusterIpClaimsDeps {
  readonly registry: () => Registry;
  readonly log: Log;
}

export const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
export const allocatorName = 'ipallocator.k8s.io';
const familyLabel = 'ipaddress.kubernetes.io/ip-family';

/**
 * IPAddress objects: whose create succeeds holds the address, whichever server of the store it asked. What a crash leaves behind is put
 * right by cluster-ip-repair.ts.
 */
export class ClusterIpClaims {
  readonly #deps: ClusterIpClaimsDeps;
  /** Addresses on their way back, which the next one here waits for. */
  readonly #returning = new Map<string, Promise<void>>();
  /** Never aborted: a claim whose outcome nobody knows would stay until it is repaired. */
  readonly #signal = new AbortController().signal;

  constructor(deps: ClusterIpClaimsDeps) {
    this.#deps = deps;
  }

  /** Whether the address is the Service's now; false where another object has it. */
  async claim(address: string, service: Service): Promise<boolean> {
    await this.#returning.get(address);
    const registry = this.#deps.registry();
    // Servers of a few kinds, as tests start them, are alone on their store.
    if (!servesClaims(registry)) return true;
    try {
      await registry.createObject(addressKind, newClaim(address, service.metadata), internalContext({}, this.#signal));
      return true;
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) return false;
      throw error;
    }
  }

  /** Starts to give the address back, if the Service of this name is the one that holds it. */
  release(address: string, owner: ObjectMeta): void {
    if (!servesClaims(this.#deps.registry())) return;
    const before = this.#returning.get(address) ?? Promise.resolve();
    const work = before
      .then(() => this.#remove(address, owner))
      .catch((error: unknown) => {
        if (!hasReason(error, 'NotFound'))
          this.#deps.log.warn({ err: error, address }, 'cannot release a cluster IP, leaving it to repair');
      })
      .finally(() => {
        if (this.#returning.get(address) === work) this.#returning.delete(address);
      });
    this.#returning.set(address, work);
  }

  async #remove(address: string, owner: ObjectMeta): Promise<void> {
    const registry = this.#deps.registry();
    const context = internalContext({}, this.#signal);
    const found = (await registry.get(addressKind, address, '', context)).object() as IPAddress;
    if (refersTo(found, owner)) await registry.delete(addressKind, address, exactly(found), context);
  }
}

/** Deletes this object and no later one of its name. */
export function exactly({ metadata }: IPAddress) {
  const none = { gracePeriodSeconds: undefined, propagationPolicy: undefined, orphanDependents: undefined };
  return { ...none, uid: metadata.uid, resourceVersion: undefined };
}

export function refersTo({ spec }: IPAddress, { namespace, name }: ObjectMeta): boolean {
  const { group = '', resource, namespace: parentNamespace, name: parentName } = spec.parentRef;
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
