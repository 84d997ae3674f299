// Which node ports a Service takes (upstream's initNodePorts, updateNodePorts and updateHealthCheckNodePort in
// pkg/registry/core/service/storage/alloc.go).
import { mayHaveNodePorts, needsHealthCheckNodePort, needsNodePorts } from '#api/core/service/rules.ts';
import type { Service } from '#api/core/service/service.ts';
import { internalError } from '#api/meta/status.ts';
import { plainError } from '../registry/failures.ts';
import type { Reservation, ServicePools } from './service-pools.ts';

export function reserveNodePorts(pools: ServicePools, reservation: Reservation, next: Service, prev: Service | undefined): void {
  if (mayHaveNodePorts(next)) {
    if (prev === undefined) takeNew(pools, reservation, next);
    else takeChanged(pools, reservation, next, prev);
  }
  if (!needsHealthCheckNodePort(next) || (prev !== undefined && needsHealthCheckNodePort(prev))) return;
  const asked = next.spec.healthCheckNodePort ?? 0;
  if (asked === 0) {
    next.spec.healthCheckNodePort = pools.takeAnyPort(reservation, 'a HealthCheck NodePort 0');
    return;
  }
  pools.takePort(asked, reservation, (why) => internalError(`failed to allocate requested HealthCheck NodePort ${asked}: ${why}`));
}

/** Ports of one number share a node port, so that one firewall rule serves all their protocols. */
function takeNew(pools: ServicePools, reservation: Reservation, service: Service): void {
  const ports = service.spec.ports ?? [];
  const given = new Map<number, number>();
  ports.forEach((port, at) => {
    const asked = port.nodePort ?? 0;
    if (asked === 0 && !needsNodePorts(service)) return;
    const shared = given.get(port.port);
    if (shared === undefined) {
      const wanted = ports.find((one) => one.port === port.port && (one.nodePort ?? 0) !== 0)?.nodePort;
      if (wanted !== undefined) pools.takeNodePort(wanted, at, reservation);
      port.nodePort = wanted ?? pools.takeAnyPort(reservation);
      given.set(port.port, port.nodePort);
    } else if (asked === 0) {
      port.nodePort = shared;
    } else if (asked !== shared) {
      pools.takeNodePort(asked, at, reservation);
    }
  });
}

function takeChanged(pools: ServicePools, reservation: Reservation, next: Service, prev: Service): void {
  const held = new Set((prev.spec.ports ?? []).map(({ nodePort }) => nodePort));
  const used = new Set<string>();
  (next.spec.ports ?? []).forEach((port, at) => {
    const asked = port.nodePort ?? 0;
    if (asked === 0 && !needsNodePorts(next)) return;
    if (asked === 0) port.nodePort = pools.takeAnyPort(reservation);
    else if (!held.has(asked) && !reservation.ports.includes(asked)) pools.takeNodePort(asked, at, reservation);
    const key = `{${port.protocol ?? 'TCP'} ${port.nodePort}}`;
    if (used.has(key)) throw plainError(`duplicate nodePort: ${key}`);
    used.add(key);
  });
}
