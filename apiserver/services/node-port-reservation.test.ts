import { describe, expect, test } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import { parseIpRange } from './ip-range.ts';
import { reserveNodePorts } from './node-port-reservation.ts';
import { Reservation, ServicePools } from './service-pools.ts';

type Port = readonly [port: number, protocol: string, nodePort?: number];

function aService(ports: readonly Port[], spec: object = {}): Service {
  const list = ports.map(([port, protocol, nodePort]) => ({
    name: `${protocol}${port}`,
    port,
    protocol,
    ...(nodePort === undefined ? {} : { nodePort }),
  }));
  return { metadata: { name: 'a', uid: 'u' }, spec: { type: 'NodePort', ports: list, ...spec } } as Service;
}

/** Of ten ports; another Service has 30005. */
function reserve(next: Service, prev?: Service): { ports: (number | undefined)[]; taken: number[]; error?: string } {
  const pools = new ServicePools({ ipRange: parseIpRange('10.0.0.0/29'), nodePorts: { first: 30_000, last: 30_009 } });
  pools.takeNodePort(30_005, 0, new Reservation('other', 'other'));
  if (prev !== undefined) pools.observe(prev, undefined);
  const reservation = new Reservation('u', 'a');
  let error = {};
  try {
    reserveNodePorts(pools, reservation, next, prev);
  } catch (reason) {
    error = { error: (reason as Error).message };
  }
  return { ports: (next.spec.ports ?? []).map(({ nodePort }) => nodePort), taken: reservation.ports, ...error };
}

const balancer = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false };
const local = { ...balancer, externalTrafficPolicy: 'Local' };
const taken = (at: number, port: number) =>
  `Service "a" is invalid: spec.ports[${at}].nodePort: Invalid value: ${port}: provided port is already allocated`;

describe('a new Service', () => {
  test('shares one node port between protocols of a port', () => {
    const { ports, taken: mine } = reserve(
      aService([
        [53, 'TCP'],
        [53, 'UDP'],
        [80, 'TCP'],
      ]),
    );
    expect(ports[0]).toBe(ports[1]);
    expect(new Set(ports).size).toBe(2);
    expect(mine).toHaveLength(2);
  });

  test.each<[string, Service, (number | undefined)[], number[]]>([
    [
      'that one protocol asks for',
      aService([
        [53, 'TCP'],
        [53, 'UDP', 30_001],
      ]),
      [30_001, 30_001],
      [30_001],
    ],
    [
      'where each asks for its own',
      aService([
        [53, 'TCP', 30_001],
        [53, 'UDP', 30_002],
      ]),
      [30_001, 30_002],
      [30_001, 30_002],
    ],
    ['that gets none', aService([[80, 'TCP']], balancer), [undefined], []],
    [
      'that gets none but those it asks for',
      aService(
        [
          [80, 'TCP', 30_001],
          [81, 'TCP'],
        ],
        balancer,
      ),
      [30_001, undefined],
      [30_001],
    ],
    ['of another type', aService([[80, 'TCP', 30_001]], { type: 'ClusterIP' }), [30_001], []],
  ])('%s', (_name, service, ports, mine) => expect(reserve(service)).toEqual({ ports, taken: mine }));

  test.each<[string, Service, string]>([
    ['what another has', aService([[80, 'TCP', 30_005]]), taken(0, 30_005)],
    [
      'one for two ports',
      aService([
        [80, 'TCP', 30_001],
        [81, 'UDP', 30_001],
      ]),
      taken(1, 30_001),
    ],
    [
      'what is outside',
      aService([[80, 'TCP', 80]]),
      'Service "a" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30009',
    ],
    [
      'health checks at a port that another has',
      aService([[80, 'TCP']], { ...local, healthCheckNodePort: 30_005 }),
      'Internal error occurred: failed to allocate requested HealthCheck NodePort 30005: provided port is already allocated',
    ],
  ])('may not have %s', (_name, service, error) => expect(reserve(service).error).toBe(error));

  test('gets a port for health checks', () => {
    const service = aService([[80, 'TCP']], local);
    const { taken: mine } = reserve(service);
    expect(mine).toEqual([service.spec.healthCheckNodePort]);
  });
});

describe('an update', () => {
  const prev = aService([
    [80, 'TCP', 30_001],
    [81, 'TCP', 30_002],
  ]);
  test.each<[string, Service, Service, (number | undefined)[], number[]]>([
    ['that changes nothing', structuredClone(prev), prev, [30_001, 30_002], []],
    [
      'swaps',
      aService([
        [80, 'TCP', 30_002],
        [81, 'TCP', 30_001],
      ]),
      prev,
      [30_002, 30_001],
      [],
    ],
    [
      'another one',
      aService([
        [80, 'TCP', 30_003],
        [81, 'TCP', 30_002],
      ]),
      prev,
      [30_003, 30_002],
      [30_003],
    ],
    [
      'two protocols of one number',
      aService([
        [80, 'TCP', 30_003],
        [80, 'UDP', 30_003],
      ]),
      prev,
      [30_003, 30_003],
      [30_003],
    ],
    ['to none', aService([[80, 'TCP']], { type: 'ClusterIP' }), prev, [undefined], []],
  ])('%s', (_name, next, before, ports, mine) => expect(reserve(next, before)).toEqual({ ports, taken: mine }));

  test('a number twice is refused', () => {
    expect(
      reserve(
        aService([
          [80, 'TCP', 30_001],
          [81, 'TCP', 30_001],
        ]),
        prev,
      ).error,
    ).toBe('duplicate nodePort: {TCP 30001}');
  });

  test('what another has is refused', () => expect(reserve(aService([[80, 'TCP', 30_005]]), prev).error).toBe(taken(0, 30_005)));

  test('the port of health checks is left to validation once it is there', () => {
    const before = aService([[80, 'TCP']], { ...local, healthCheckNodePort: 30_001 });
    expect(reserve(aService([[80, 'TCP']], { ...local, healthCheckNodePort: 30_005 }), before)).toEqual({ ports: [undefined], taken: [] });
    expect(reserve(aService([[80, 'TCP']], { ...local, healthCheckNodePort: 30_003 }), aService([[80, 'TCP']], balancer)).taken).toEqual([
      30_003,
    ]);
  });
});
