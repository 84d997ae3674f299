import type { Service } from '#api/core/service/service.ts';
import { heldClusterIps, heldNodePorts } from '#api/core/service/rules.ts';
import { type FieldProblem, invalid, invalidObject } from '#api/meta/field-problem.ts';
import { internalError } from '#api/meta/status.ts';
import { addressNumber, addressText, type IpRange } from './ip-range.ts';
import { type Band, NumberPool } from './number-pool.ts';

interface ServicePoolsOptions {
  /** Of the flags; others come and go by `useRanges`. */
  readonly ipRange: IpRange;
  readonly nodePorts: { readonly first: number; readonly last: number };
}

type Refusal = (why: string) => Error;

/** What one write of a Service has taken so far, to be kept or given back when it is over. */
export class Reservation {
  readonly owner: string;
  /** For refusals. */
  readonly serviceName: string;
  readonly ips: number[] = [];
  readonly ports: number[] = [];
  /** Refusals of ports that were asked for by number, given why. */
  readonly asked = new Map<number, Refusal>();

  constructor(owner: string, serviceName: string) {
    this.owner = owner;
    this.serviceName = serviceName;
  }
}

const none: ReadonlySet<number> = new Set();
/** Why a port cannot be had that another Service has. */
export const takenPort = 'provided port is already allocated';

/** The addresses and ports that Services hold. */
export class ServicePools {
  readonly #options: ServicePoolsOptions;
  #ranges: readonly IpRange[];
  readonly #ips: NumberPool;
  readonly #ports: NumberPool;
  /** Of writes that are under way. */
  readonly #open = new Set<Reservation>();

  constructor(options: ServicePoolsOptions) {
    this.#options = options;
    const { ipRange, nodePorts } = options;
    this.#ranges = [ipRange];
    this.#ips = new NumberPool(this.#ranges.map(bandOf));
    const ports = nodePorts.last - nodePorts.first + 1;
    this.#ports = new NumberPool([{ ...nodePorts, reserved: reservedPart(ports, 32, 128) }]);
  }

  get nodePorts(): ServicePoolsOptions['nodePorts'] {
    return this.#options.nodePorts;
  }

  /** Gives addresses out of these ranges from now on. */
  useRanges(ranges: readonly IpRange[]): void {
    this.#ranges = ranges;
    this.#ips.useBands(ranges.map(bandOf));
  }

  /**
   * Takes what a stored Service holds, and gives back what it held before (`previous`) and what no write here is about to take. False
   * where another Service holds some of it.
   */
  observe(service: Service, previous: Service | undefined): boolean {
    const owner = service.metadata.uid ?? '';
    const [ips, ports] = [addressesOf(service), heldNodePorts(service)];
    if (previous !== undefined) {
      const reserved = [...this.#open].filter((open) => open.owner === owner);
      const kept = new Set([...ips, ...reserved.flatMap((open) => open.ips)]);
      const keptPorts = new Set([...ports, ...reserved.flatMap((open) => open.ports)]);
      const before = previous.metadata.uid ?? '';
      this.#ips.release(idle(addressesOf(previous), before === owner ? kept : none), before);
      this.#ports.release(idle(heldNodePorts(previous), before === owner ? keptPorts : none), before);
    }
    const results = [...ips.map((ip) => this.#ips.hold(ip, owner)), ...ports.map((port) => this.#ports.hold(port, owner))];
    return !results.includes('taken');
  }

  /** A free address. */
  takeAnyIp(reservation: Reservation): string {
    const ip = this.#ips.takeAny(reservation.owner);
    if (ip === undefined) throw internalError('failed to allocate a serviceIP: range is full');
    this.#hold(reservation).ips.push(ip);
    return addressText(ip);
  }

  /** The address that a Service asks for; false where it holds it already. Throws Invalid as upstream words it. */
  takeIp(address: string, reservation: Reservation): boolean {
    const ip = addressNumber(address) ?? Number.NaN;
    const result = this.#ips.take(ip, reservation.owner);
    if (result === 'new') this.#hold(reservation).ips.push(ip);
    if (result === 'new' || result === 'own') return result === 'new';
    if (result === 'taken') throw this.refuseTaken(address, reservation);
    const around = this.#ranges.find((range) => range.holds(ip));
    const why =
      around === undefined
        ? 'the provided network does not match the current range'
        : `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${around.text}`;
    throw refusedIp(address, reservation, why);
  }

  /** The error for an address that another object has. */
  refuseTaken(address: string, reservation: Reservation): Error {
    return refusedIp(address, reservation, 'provided IP is already allocated');
  }

  /** A free port; `what` it is for, for the error. */
  takeAnyPort(reservation: Reservation, what = 'a nodePort'): number {
    const port = this.#ports.takeAny(reservation.owner);
    if (port === undefined) throw internalError(`failed to allocate ${what}: range is full`);
    this.#hold(reservation).ports.push(port);
    return port;
  }

  /** The node port that the port at `at` of a Service asks for. Throws Invalid as upstream words it. */
  takeNodePort(port: number, at: number, reservation: Reservation): void {
    this.takePort(port, reservation, (why) => refused(reservation, invalid(`spec.ports[${at}].nodePort`, port, why)));
  }

  /** A port that is asked for, which must not be taken, not even by this Service. */
  takePort(port: number, reservation: Reservation, refuse: Refusal): void {
    const result = this.#ports.take(port, reservation.owner);
    if (result === 'new') {
      this.#hold(reservation).ports.push(port);
      reservation.asked.set(port, refuse);
      return;
    }
    if (result !== 'out-of-range') throw refuse(takenPort);
    const { first, last } = this.#options.nodePorts;
    throw refuse(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`);
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
    const usedIps = new Set(addressesOf(next));
    const usedPorts = new Set(heldNodePorts(next));
    const oldIps = previous === undefined ? [] : addressesOf(previous);
    const oldPorts = previous === undefined ? [] : heldNodePorts(previous);
    this.#open.delete(reservation);
    this.#ips.release(idle([...reservation.ips, ...oldIps], usedIps), owner);
    this.#ports.release(idle([...reservation.ports, ...oldPorts], usedPorts), owner);
  }

  /** The Service is gone. */
  release(service: Service): void {
    const owner = service.metadata.uid ?? '';
    this.#ips.release(addressesOf(service), owner);
    this.#ports.release(heldNodePorts(service), owner);
  }

  #hold(reservation: Reservation): Reservation {
    this.#open.add(reservation);
    return reservation;
  }
}

function addressesOf(service: Service): number[] {
  return heldClusterIps(service)
    .map(addressNumber)
    .filter((address) => address !== undefined);
}

/** The addresses of a range, of which those to be asked for by number are a part of all, the two unusable ones included. */
export function bandOf({ first, last }: IpRange): Band {
  return { first, last, reserved: reservedPart(last - first + 3, 16, 256) };
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
