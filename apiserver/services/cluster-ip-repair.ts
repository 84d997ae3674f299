// Puts right what does not fit between Services and IPAddress objects: what a crash while a Service went left behind, what people
// changed, and Services that were stored without. Every server does; guarded writes keep them from undoing each other's work.
import { heldClusterIps } from '#api/core/service/rules.ts';
import type { Service } from '#api/core/service/service.ts';
import type { KindDefinition } from '#api/kind.ts';
import { holdsNetwork, ipFamilyOf, networkOf } from '#api/meta/ip.ts';
import { type KubeObject, keyOf, keyText } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { IPAddress } from '#api/networking/ip-address.ts';
import type { ServiceCIDR } from '#api/networking/service-cidr.ts';
import type { Clock } from '#base/clock.ts';
import type { Service as Part } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type ActionRecorder, referenceTo } from '#client/events.ts';
import { followKind } from '../follow-kind.ts';
import { internalContext } from '../internal-context.ts';
import { everything } from '../list-everything.ts';
import type { Encoded, Registry } from '../registry/contract.ts';
import { type Judgement, judgeClaim, judgeService } from './claim-trouble.ts';
import { addressKind, exactly, newClaim, refersTo, serviceKind, servesClaims } from './cluster-ip-claims.ts';
import { keepObjects } from './keep-objects.ts';
import { rangeKind } from './service-range-feed.ts';

type Changed = (encoded: Encoded, how?: 'added' | 'modified') => void;

interface ClusterIpRepairDeps {
  readonly registry: Registry;
  readonly events: ActionRecorder;
  readonly clock: Clock;
  readonly log: Log;
}

/** Looks at changed Services and addresses only, and after the first look not at those that were stored together. */
export class ClusterIpRepair {
  readonly #deps: ClusterIpRepairDeps;
  readonly #services = new Map<string, Service['metadata']>();
  readonly #addresses = new Set<string>();
  /** Services whose address another one has: looked at again when that changes. */
  readonly #contended = new Map<string, Map<string, Service['metadata']>>();
  #hasLooked = false;

  constructor(deps: ClusterIpRepairDeps) {
    this.#deps = deps;
  }

  /** What feeds it. */
  parts(): Part[] {
    const { registry, clock, log } = this.#deps;
    const follower = (changed: Changed) => ({ set: changed, remove: changed, retain: () => undefined });
    const onService: Changed = (encoded, how) => this.#touch(encoded.object() as Service, how === 'added');
    const onAddress: Changed = (encoded, how) => {
      const claim = encoded.object() as IPAddress;
      const owner = this.#ownerOf(claim);
      if (how === 'added' && owner !== undefined && this.#hasLooked) return;
      this.#touchAddress(claim.metadata.name ?? '');
      // It has lost what names it.
      if (how !== 'added' && owner !== undefined) this.#services.set(keyText(keyOf(owner)), owner.metadata);
    };
    return [
      followKind({ registry, kind: serviceKind, clock, log }, follower(onService)),
      followKind({ registry, kind: addressKind, clock, log }, follower(onAddress)),
    ];
  }

  /** One look. What cannot be decided yet is looked at again the next time. */
  async look(signal: AbortSignal): Promise<void> {
    const services = [...this.#services];
    this.#services.clear();
    const networks = services.length === 0 ? [] : await this.#networks(signal);
    for (const [key, metadata] of services) {
      try {
        await this.#settleService(metadata, networks, signal);
      } catch (error) {
        this.#services.set(key, metadata);
        this.#deps.log.warn({ err: error, service: key }, 'cannot check the addresses of a Service, trying again');
      }
    }
    for (const name of this.#addresses) if (await this.#settleAddress(name, signal)) this.#addresses.delete(name);
    this.#hasLooked = true;
  }

  #touch(changed: Service, isNew: boolean): void {
    const addresses = heldClusterIps(changed);
    const claims = addresses.map((address) => this.#deps.registry.peek(addressKind, '', address)?.object() as IPAddress | undefined);
    const isOwn = (claim: IPAddress | undefined): boolean => claim !== undefined && refersTo(claim.spec, changed.metadata);
    if (isNew && this.#hasLooked && claims.every(isOwn)) return;
    this.#services.set(keyText(keyOf(changed)), changed.metadata);
    for (const address of addresses) this.#touchAddress(address);
  }

  /** The Service that a claim names, where it has the address. */
  #ownerOf({ metadata, spec }: IPAddress): Service | undefined {
    const { namespace = '', name } = spec.parentRef;
    const owner = this.#deps.registry.peek(serviceKind, namespace, name)?.object() as Service | undefined;
    if (owner === undefined || !refersTo(spec, owner.metadata)) return undefined;
    return heldClusterIps(owner).includes(metadata.name ?? '') ? owner : undefined;
  }

  #touchAddress(address: string): void {
    this.#addresses.add(address);
    for (const [key, metadata] of this.#contended.get(address) ?? []) this.#services.set(key, metadata);
    this.#contended.delete(address);
  }

  async #settleService({ namespace = '', name = '' }: Service['metadata'], networks: Networks, signal: AbortSignal): Promise<void> {
    const service = await this.#find<Service>(serviceKind, namespace, name, signal);
    if (service === undefined) return;
    for (const address of heldClusterIps(service)) {
      const claim = await this.#find<IPAddress>(addressKind, '', address, signal);
      const { namespace: otherNamespace = '', name: otherName = '' } = claim?.spec.parentRef ?? {};
      const isOwn = otherNamespace === namespace && otherName === name;
      const other = isOwn || otherName === '' ? undefined : await this.#find<Service>(serviceKind, otherNamespace, otherName, signal);
      const judgement = judgeService({ service, address, isInRange: isInside(address, networks), claim, other });
      this.#record(service, judgement);
      if (judgement.do === 'contended') this.#contend(address, service);
      if (judgement.do === 'recreate' && claim !== undefined) await this.#delete(claim, signal);
      if (judgement.do === 'create' || judgement.do === 'recreate') await this.#create(address, service, signal);
    }
  }

  #contend(address: string, service: Service): void {
    const waiting = this.#contended.get(address) ?? new Map<string, Service['metadata']>();
    this.#contended.set(address, waiting.set(keyText(keyOf(service)), service.metadata));
  }

  /** False where the Service of an address may still come. */
  async #settleAddress(name: string, signal: AbortSignal): Promise<boolean> {
    const claim = await this.#find<IPAddress>(addressKind, '', name, signal);
    if (claim === undefined) return true;
    const { namespace = '', name: parent } = claim.spec.parentRef;
    const owner = await this.#find<Service>(serviceKind, namespace, parent, signal);
    const judgement = judgeClaim(claim, owner, this.#deps.clock.nowMs());
    this.#record(claim, judgement);
    if (judgement.do === 'delete') await this.#delete(claim, signal);
    return judgement.do !== 'wait';
  }

  #record(object: KubeObject, { trouble }: Judgement): void {
    if (trouble === undefined) return;
    const { reason, action, note } = trouble;
    this.#deps.log.warn({ object: keyText(keyOf(object)), reason }, note);
    this.#deps.events.record({ regarding: referenceTo(object), type: 'Warning', reason, action, note });
  }

  async #create(address: string, service: Service, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.registry.createObject(addressKind, newClaim(address, service.metadata), internalContext({}, signal));
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists', 'Invalid')) throw error;
    }
  }

  async #delete(claim: IPAddress, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.registry.delete(addressKind, claim.metadata.name ?? '', exactly(claim), internalContext({}, signal));
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
    }
  }

  /** Of all ServiceCIDRs, ready or not; undefined where there are no such objects. */
  async #networks(signal: AbortSignal): Promise<Networks> {
    const { registry } = this.#deps;
    if (registry.find(rangeKind.group, rangeKind.version, rangeKind.names.plural) === undefined) return undefined;
    const { items } = await registry.list(rangeKind, everything, internalContext({}, signal));
    const cidrs = [...items].flatMap((item) => (item.object() as ServiceCIDR).spec.cidrs ?? []);
    return cidrs.map(networkOf).filter((network) => network !== undefined);
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

type Networks = readonly NonNullable<ReturnType<typeof networkOf>>[] | undefined;

function isInside(address: string, networks: Networks): boolean {
  const own = networkOf(`${address}/${ipFamilyOf(address) === 6 ? 128 : 32}`);
  return networks === undefined || own === undefined || networks.some((network) => holdsNetwork(network, own));
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
