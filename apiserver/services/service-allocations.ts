// Cluster IPs and node ports. Which are taken follows from the Services in the store: a watch tells the pools, from the first
// list on, so nothing has to be repaired after a restart and deleting a Service gives its numbers back.
import type { V1Service } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { hasReason, internalError } from '#api/meta/status.ts';
import { invalid, invalidObject, type FieldProblem } from '#api/meta/field-problem.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import type { ListRequest, Registry, WatchFrame } from '../registry/contract.ts';
import type { IpRange } from './ip-range.ts';
import { NumberPool, type PoolRefusal } from './number-pool.ts';
import { usedNodePorts } from './service-shape.ts';

export interface ServiceAllocationsDeps {
  readonly registry: () => Registry;
  readonly ipRange: IpRange;
  readonly nodePorts: { readonly first: number; readonly last: number };
  readonly clock: Clock;
  readonly log: Log;
}

/** For whom numbers are taken. */
export interface Claimant {
  readonly namespace: string;
  readonly name: string;
  readonly isDry: boolean;
  readonly signal: AbortSignal;
}

const everything: ListRequest = {
  labelSelector: '',
  fieldSelector: '',
  limit: undefined,
  continue: '',
  resourceVersion: '',
  resourceVersionMatch: '',
};
const retryMs = 1_000;

export class ServiceAllocations implements Service {
  readonly name = 'service allocations';
  readonly #deps: ServiceAllocationsDeps;
  readonly #ips: NumberPool;
  readonly #ports: NumberPool;

  constructor(deps: ServiceAllocationsDeps) {
    this.#deps = deps;
    const { ipRange, nodePorts, clock } = deps;
    const nowMs = (): number => clock.monotonicMs();
    this.#ips = new NumberPool({ first: 1, last: ipRange.size, reserved: reservedPart(ipRange.size, 16, 256), nowMs });
    const ports = nodePorts.last - nodePorts.first + 1;
    this.#ports = new NumberPool({ ...nodePorts, reserved: reservedPart(ports, 32, 128), nowMs });
  }

  /** Keeps the pools equal to the store. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#follow(signal, ready);
      } catch (error) {
        if (signal.aborted) return;
        this.#deps.log.warn({ err: error }, 'cannot follow the services, trying again');
        await this.#deps.clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
  }

  /** A free address, or `address` if it is free. Throws as upstream does. */
  async takeIp(address: string, claimant: Claimant): Promise<string> {
    const { ipRange } = this.#deps;
    if (address === '') {
      const offset = this.#ips.takeAny(ownerText(claimant), claimant.isDry);
      if (typeof offset === 'string') throw internalError('failed to allocate a serviceIP: range is full');
      return ipRange.at(offset);
    }
    const offset = ipRange.offsetOf(address);
    const refusal = offset === undefined ? 'out-of-range' : await this.#take(this.#ips, offset, claimant);
    if (refusal === undefined) return address;
    const why = refusal === 'taken' ? 'provided IP is already allocated' : 'the provided network does not match the current range';
    throw refused(claimant, invalid('spec.clusterIPs', [address], `failed to allocate IP ${address}: ${why}`));
  }

  /** A free port, or `port` if it is free; `field` is where it stands. */
  async takePort(port: number | undefined, field: string, claimant: Claimant): Promise<number> {
    if (port === undefined || port === 0) {
      const taken = this.#ports.takeAny(ownerText(claimant), claimant.isDry);
      if (typeof taken === 'string') throw internalError('failed to allocate a nodePort: range is full');
      return taken;
    }
    const refusal = await this.#take(this.#ports, port, claimant);
    if (refusal === undefined) return port;
    const { first, last } = this.#deps.nodePorts;
    const why =
      refusal === 'taken'
        ? 'provided port is already allocated'
        : `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    throw refused(claimant, invalid(field, port, why));
  }

  /** Takes a number that somebody asked for. The watch may lag behind a deletion, so the holder is looked at before refusing. */
  async #take(pool: NumberPool, number: number, claimant: Claimant): Promise<PoolRefusal | undefined> {
    const refusal = pool.take(number, ownerText(claimant), claimant.isDry);
    const holder = refusal === 'taken' ? pool.ownerOf(number) : undefined;
    if (holder === undefined) return refusal;
    const current = await this.#find(holder, claimant.signal);
    this.#note(holder, current);
    return pool.take(number, ownerText(claimant), claimant.isDry);
  }

  async #find(owner: string, signal: AbortSignal): Promise<V1Service | undefined> {
    const [namespace = '', name = ''] = owner.split('/');
    try {
      return (await this.#deps.registry().get(this.#kind, name, '', internalContext({ namespace }, signal))).object() as V1Service;
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async #follow(signal: AbortSignal, ready: () => void): Promise<void> {
    const registry = this.#deps.registry();
    const context = internalContext({}, signal);
    const list = await registry.list(this.#kind, everything, context);
    this.#ips.clear();
    this.#ports.clear();
    for (const item of list.items) this.#noteObject(item.object() as V1Service, false);
    ready();
    const request = {
      ...everything,
      resourceVersion: list.resourceVersion,
      allowBookmarks: false,
      sendInitialEvents: undefined,
      timeoutSeconds: undefined,
    };
    for await (const frames of await registry.watch(this.#kind, request, context)) {
      for (const frame of frames) this.#noteFrame(frame);
    }
  }

  #noteFrame({ type, encoded }: WatchFrame): void {
    if (type === 'ERROR') throw new Error('the watch of services was ended');
    if (type !== 'BOOKMARK') this.#noteObject(encoded.object() as V1Service, type === 'DELETED');
  }

  #noteObject(service: V1Service, isGone: boolean): void {
    this.#note(`${service.metadata?.namespace}/${service.metadata?.name}`, isGone ? undefined : service);
  }

  #note(owner: string, service: V1Service | undefined): void {
    const ips = (service?.spec?.clusterIPs ?? []).map((address) => this.#deps.ipRange.offsetOf(address));
    this.#ips.holds(
      owner,
      ips.filter((offset) => offset !== undefined),
    );
    this.#ports.holds(owner, service === undefined ? [] : usedNodePorts(service));
  }

  get #kind(): KindDefinition {
    const kind = this.#deps.registry().find('', 'v1', 'services');
    if (kind === undefined) throw new Error('services are not served');
    return kind;
  }
}

/** Upstream's share for those who ask by number: a part of the range, within bounds; nothing of small ranges. */
function reservedPart(size: number, parts: number, most: number): number {
  const least = 16;
  return size <= least ? 0 : Math.min(Math.max(least, Math.floor(size / parts)), most);
}

function ownerText({ namespace, name }: Claimant): string {
  return `${namespace}/${name}`;
}

function refused(claimant: Claimant, problem: FieldProblem): Error {
  return invalidObject({ group: '', kind: 'Service' }, claimant.name, [problem]);
}
