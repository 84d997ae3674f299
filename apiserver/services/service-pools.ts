import type { Service } from '#api/core/service/service.ts';
import { heldClusterIps, heldNodePorts } from '#api/core/service/rules.ts';
import { type FieldProblem, invalid, invalidObject } from '#api/meta/field-problem.ts';
import { internalError } from '#api/meta/status.ts';
import type { IpRange } from './ip-range.ts';
import { NumberPool } from './number-pool.ts';

export interface ServicePoolsOptions {
  readonly ipRange: IpRange;
  readonly nodePorts: { readonly first: number; readonly last: number };
}

/** What one write of a Service has taken so far, to be kept or given back when it is over. */
export class Reservation {
  readonly owner: string;
  /** For refusals. */
  readonly serviceName: string;
  readonly ips: number[] = [];
  readonly ports: number[] = [];

  constructor(owner: string, serviceName: string) {
    this.owner = owner;
    this.serviceName = serviceName;
  }
}

const none: ReadonlySet<number> = new Set();

/** The addresses and ports that Services hold. */
export class ServicePools {
  readonly #options: ServicePoolsOptions;
  readonly #ips: NumberPool;
  readonly #ports: NumberPool;
  /** Of writes that are under way. */
  readonly #open = new Set<Reservation>();

  constructor(options: ServicePoolsOptions) {
    this.#options = options;
    const { ipRange, nodePorts } = options;
    this.#ips = new NumberPool({ first: 1, last: ipRange.size, reserved: reservedPart(ipRange.size, 16, 256) });
    const ports = nodePorts.last - nodePorts.first + 1;
    this.#ports = new NumberPool({ ...nodePorts, reserved: reservedPart(ports, 32, 128) });
  }

  /**
   * Takes what a stored Service holds, and gives back what it held before (`previous`) and what no write here is about to take. False
   * where another Service holds some of it.
   */
  learn(service: Service, previous: Service | undefined): boolean {
    const owner = service.metadata.uid ?? '';
    const [ips, ports] = [this.#offsets(service), heldNodePorts(service)];
    if (previous !== undefined) {
      const reserved = [...this.#open].filter((open) => open.owner === owner);
      const kept = new Set([...ips, ...reserved.flatMap((open) => open.ips)]);
      const keptPorts = new Set([...ports, ...reserved.flatMap((open) => open.ports)]);
      const before = previous.metadata.uid ?? '';
      this.#ips.release(idle(this.#offsets(previous), before === owner ? kept : none), before);
      this.#ports.release(idle(heldNodePorts(previous), before === owner ? keptPorts : none), before);
    }
    const results = [...ips.map((ip) => this.#ips.take(ip, owner)), ...ports.map((port) => this.#ports.take(port, owner))];
    return !results.includes('taken');
  }

  /** A free address. */
  takeAnyIp(reservation: Reservation): string {
    const offset = this.#ips.takeAny(reservation.owner);
    if (offset === undefined) throw internalError('failed to allocate a serviceIP: range is full');
    this.#hold(reservation).ips.push(offset);
    return this.#options.ipRange.at(offset);
  }

  /** The address that a Service asks for. Throws Invalid as upstream words it. */
  takeIp(address: string, reservation: Reservation): void {
    const offset = this.#options.ipRange.offsetOf(address);
    const result = offset === undefined ? 'out-of-range' : this.#ips.take(offset, reservation.owner);
    if (result === 'new' && offset !== undefined) this.#hold(reservation).ips.push(offset);
    if (result === 'new' || result === 'own') return;
    if (result === 'taken') throw this.refuseTaken(address, reservation);
    throw refusedIp(address, reservation, 'the provided network does not match the current range');
  }

  /** The error for an address that another object has. */
  refuseTaken(address: string, reservation: Reservation): Error {
    return refusedIp(address, reservation, 'provided IP is already allocated');
  }

  addressesOf({ ips }: Reservation): string[] {
    return ips.map((offset) => this.#options.ipRange.at(offset));
  }

  takeAnyPort(reservation: Reservation): number {
    const port = this.#ports.takeAny(reservation.owner);
    if (port === undefined) throw internalError('failed to allocate a nodePort: range is full');
    this.#hold(reservation).ports.push(port);
    return port;
  }

  /** The port that a Service asks for at `field`. Throws Invalid as upstream words it. */
  takePort(port: number, field: string, reservation: Reservation): void {
    const result = this.#ports.take(port, reservation.owner);
    if (result === 'new') this.#hold(reservation).ports.push(port);
    if (result === 'new' || result === 'own') return;
    const { first, last } = this.#options.nodePorts;
    const why =
      result === 'taken'
        ? 'provided port is already allocated'
        : `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    throw refused(reservation, invalid(field, port, why));
  }

  /** The write came to nothing. */
  drop(reservation: Reservation): void {
    const { owner, ips, ports } = reservation;
    this.#open.delete(reservation);
    this.#ips.release(ips, owner);
    this.#ports.release(ports, owner);
  }

  /** The write is stored: the Service keeps what it now uses, and gives back what it took in vain or used before. */
  keep(reservation: Reservation, next: Service, previous: Service | undefined): void {
    const { owner } = reservation;
    const usedIps = new Set(this.#offsets(next));
    const usedPorts = new Set(heldNodePorts(next));
    const oldIps = previous === undefined ? [] : this.#offsets(previous);
    const oldPorts = previous === undefined ? [] : heldNodePorts(previous);
    this.#open.delete(reservation);
    this.#ips.release(idle([...reservation.ips, ...oldIps], usedIps), owner);
    this.#ports.release(idle([...reservation.ports, ...oldPorts], usedPorts), owner);
  }

  /** The Service is gone. */
  release(service: Service): void {
    const owner = service.metadata.uid ?? '';
    this.#ips.release(this.#offsets(service), owner);
    this.#ports.release(heldNodePorts(service), owner);
  }

  #hold(reservation: Reservation): Reservation {
    this.#open.add(reservation);
    return reservation;
  }

  #offsets(service: Service): number[] {
    return heldClusterIps(service)
      .map((address) => this.#options.ipRange.offsetOf(address))
      .filter((offset) => offset !== undefined);
  }
}

function idle(numbers: readonly number[], used: ReadonlySet<number>): number[] {
  return numbers.filter((number) => !used.has(number));
}

/** Upstream's share for those who ask by number: a part of the range, within bounds; nothing of small ranges. */
function reservedPart(size: number, parts: number, most: number): number {
  const least = 16;
  return size <= least ? 0 : Math.min(Math.max(least, Math.floor(size / parts)), most);
}

function refusedIp(address: string, reservation: Reservation, why: string): Error {
  return refused(reservation, invalid('spec.clusterIPs', [address], `failed to allocate IP ${address}: ${why}`));
}

function refused({ serviceName }: Reservation, problem: FieldProblem): Error {
  return invalidObject({ group: '', kind: 'Service' }, serviceName, [problem]);
}
