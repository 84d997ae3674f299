// Compares the node ports that are said to be given out with what Services hold (upstream's portallocator/controller/repair.go). Pure.
import type { Service } from '#api/core/service/service.ts';
import { PortBitmap, type PortRange } from './port-bitmap.ts';

/** An event about a Service. */
interface PortTrouble {
  readonly service: Service;
  readonly reason: 'PortNotAllocated' | 'PortAlreadyAllocated' | 'PortOutOfRange';
  readonly note: string;
}

interface PortRepairPlan {
  readonly bitmap: PortBitmap;
  /** For the next run: leaked ports, with the number of runs for which they stay taken. */
  readonly leaks: ReadonlyMap<number, number>;
  readonly troubles: readonly PortTrouble[];
  /** Ports that were given back by this. */
  readonly cleaned: readonly number[];
}

/** A leaked port is freed by the third run: before, the write of its Service may still be in progress. */
const looksBeforeCleanup = 3;

/** @param stored undefined: there is none yet, or none that can be read. */
export function planPortRepair(
  stored: PortBitmap | undefined,
  services: Iterable<Service>,
  range: PortRange,
  leaks: ReadonlyMap<number, number>,
): PortRepairPlan {
  const bitmap = new PortBitmap(range);
  const unclaimed = new Set(stored?.ports());
  const troubles: PortTrouble[] = [];
  for (const service of services) {
    for (const port of portsOf(service)) {
      const isNew = bitmap.take(port);
      if (isNew && stored !== undefined && !stored.has(port)) {
        troubles.push({ service, reason: 'PortNotAllocated', note: `Port ${port} is not allocated; repairing` });
      }
      if (!isNew) troubles.push(refusal(service, port, range));
      unclaimed.delete(port);
    }
  }
  const nextLeaks = new Map<number, number>();
  const cleaned: number[] = [];
  for (const port of unclaimed) {
    const left = leaks.get(port) ?? looksBeforeCleanup - 1;
    if (left > 0) {
      nextLeaks.set(port, left - 1);
      bitmap.take(port);
    } else {
      cleaned.push(port);
    }
  }
  return { bitmap, leaks: nextLeaks, troubles, cleaned };
}

function refusal(service: Service, port: number, range: PortRange): PortTrouble {
  if (port >= range.first && port <= range.last) {
    return {
      service,
      reason: 'PortAlreadyAllocated',
      note: `Port ${port} was assigned to multiple services; please recreate service`,
    };
  }
  const text = `${range.first}-${range.last}`;
  return { service, reason: 'PortOutOfRange', note: `Port ${port} is not within the port range ${text}; please recreate service` };
}

/** A number is held once for several protocols, but twice for one that has it twice. */
function portsOf({ spec }: Service): number[] {
  const found: number[] = [];
  const protocols = new Map<number, Set<string>>();
  const add = (port: number, protocol: string): void => {
    const before = protocols.get(port);
    if (port !== 0 && (before === undefined || before.has(protocol))) found.push(port);
    protocols.set(port, new Set([...(before ?? []), protocol]));
  };
  for (const { nodePort = 0, protocol = 'TCP' } of spec.ports ?? []) add(nodePort, protocol);
  add(spec.healthCheckNodePort ?? 0, 'TCP');
  return found;
}
