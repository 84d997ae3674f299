import { describe, expect, test } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { Claims } from './claims.ts';
import { wantedDispatches } from './wanted.ts';

type Spec = Service['spec'];
type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

const aService = (spec: Partial<Spec>, rest: Partial<Service> = {}): Service => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
  ...rest,
});
const aSlice = (...endpoints: Endpoint[]): EndpointSlice =>
  ({
    metadata: { name: 'web-1' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8_080, protocol: 'TCP' }],
    endpoints,
  }) as EndpointSlice;
const ready = (ip: string, nodeName = 'n1'): Endpoint => ({ addresses: [ip], nodeName, conditions: { ready: true, serving: true } });
const ending = (ip: string): Endpoint => ({
  addresses: [ip],
  nodeName: 'n1',
  conditions: { ready: false, serving: true, terminating: true },
});
const unready = (ip: string): Endpoint => ({ addresses: [ip], nodeName: 'n1', conditions: { ready: false, serving: false } });

const node = { name: 'n1', addresses: ['192.168.1.10'] };

/** `10.96.0.5 . tcp . 80 -> 10.244.0.2:8080`, one line a dispatch. */
const show = (service: Service, ...slices: EndpointSlice[]): string[] =>
  wantedDispatches(service, slices, node).map((one) => {
    const front = one.at === 'address' ? `${one.address}:${one.port}/${one.protocol}` : `node:${one.port}/${one.protocol}`;
    const target = one.endpoints.length > 0 ? one.endpoints.map(({ ip, port }) => `${ip}:${port}`).join(' ') : one.whenEmpty;
    const who = one.clients === 'inside' ? 'inside ' : '';
    const ranges = one.sourceRanges.length > 0 ? ` [${one.sourceRanges.join(' ')}]` : '';
    return `${who}${front} -> ${target} (${one.masquerade})${ranges}`;
  });

describe('hints', () => {
  const place = { ...node, zone: 'east' };
  const meant = (ip: string, hints: NonNullable<Endpoint['hints']>): Endpoint => ({ ...ready(ip), hints });
  const forZone = (name: string) => ({ forZones: [{ name }] });
  const forNode = (name: string, zone: string) => ({ forNodes: [{ name }], ...forZone(zone) });
  const [a, b, c] = ['10.244.0.2', '10.244.0.3', '10.244.0.4'];
  test.each<[why: string, expected: string[], endpoints: Endpoint[], spec?: Partial<Spec>, at?: typeof place]>([
    ['those for the zone count', [a], [meant(a, forZone('east')), meant(b, forZone('west'))]],
    ['all, where none is for the zone', [a, b], [meant(a, forZone('north')), meant(b, forZone('west'))]],
    ['all, where one has no hint', [a, b], [meant(a, forZone('east')), ready(b)]],
    ['all, where the node has no zone', [a, b], [meant(a, forZone('east')), meant(b, forZone('west'))], {}, { ...node, zone: '' }],
    ['those for the node before those for the zone', [b], [meant(a, forNode('n2', 'east')), meant(b, forNode('n1', 'east'))]],
    ['those for the zone, where none is for the node', [a], [meant(a, forNode('n2', 'east')), meant(b, forNode('n3', 'west'))]],
    [
      'for the zone, where not all say a node',
      [a, c],
      [meant(a, forNode('n1', 'east')), meant(b, forZone('west')), meant(c, forZone('east'))],
    ],
    ['ending ones whatever their hints', [a], [{ ...ending(a), hints: forZone('west') }]],
    ['an ending one without hint does not count', [a], [meant(a, forZone('east')), meant(b, forZone('west')), ending(c)]],
    [
      'this node’s own, where the policy is Local',
      [a, b],
      [meant(a, forZone('east')), meant(b, forZone('west'))],
      { internalTrafficPolicy: 'Local' },
    ],
  ])('%s', (_why, expected, endpoints, spec = {}, at = place) => {
    const [dispatch] = wantedDispatches(aService(spec), [aSlice(...endpoints)], at);
    expect(dispatch?.endpoints.map(({ ip }) => ip)).toEqual(expected);
  });
});

describe('wantedDispatches', () => {
  test.each<[string, string[], string[]]>([
    [
      'ready endpoints count',
      show(aService({}), aSlice(ready('10.244.0.2'), ready('10.244.0.3'))),
      ['10.96.0.5:80/tcp -> 10.244.0.2:8080 10.244.0.3:8080 (outside-pods)'],
    ],
    [
      'ending ones do not while others are ready',
      show(aService({}), aSlice(ready('10.244.0.2'), ending('10.244.0.3'))),
      ['10.96.0.5:80/tcp -> 10.244.0.2:8080 (outside-pods)'],
    ],
    [
      'ending ones do when no other is ready',
      show(aService({}), aSlice(unready('10.244.0.2'), ending('10.244.0.3'))),
      ['10.96.0.5:80/tcp -> 10.244.0.3:8080 (outside-pods)'],
    ],
    ['no endpoint is refused', show(aService({}), aSlice(unready('10.244.0.2'))), ['10.96.0.5:80/tcp -> reject (outside-pods)']],
    [
      'an address in two slices counts once',
      show(aService({}), aSlice(ready('10.244.0.2')), aSlice(ready('10.244.0.2'))),
      ['10.96.0.5:80/tcp -> 10.244.0.2:8080 (outside-pods)'],
    ],
    [
      'another port name does not match',
      show(aService({ ports: [{ name: 'other', port: 80, protocol: 'TCP' }] }), aSlice(ready('10.244.0.2'))),
      ['10.96.0.5:80/tcp -> reject (outside-pods)'],
    ],
    ['headless wants nothing', show(aService({ clusterIP: 'None' }), aSlice(ready('10.244.0.2'))), []],
    ['ExternalName wants nothing', show(aService({ type: 'ExternalName', clusterIP: '' })), []],
    [
      'another proxy is left alone',
      show(aService({}, { metadata: { name: 'web', labels: { 'service.kubernetes.io/service-proxy-name': 'x' } } })),
      [],
    ],
    [
      'internal policy Local keeps to this node',
      show(aService({ internalTrafficPolicy: 'Local' }), aSlice(ready('10.244.0.2'), ready('10.244.1.2', 'n2'))),
      ['10.96.0.5:80/tcp -> 10.244.0.2:8080 (outside-pods)'],
    ],
    [
      'node ports serve every address of the node',
      show(aService({ type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] }), aSlice(ready('10.244.0.2'))),
      ['10.96.0.5:80/tcp -> 10.244.0.2:8080 (outside-pods)', 'node:30080/tcp -> 10.244.0.2:8080 (always)'],
    ],
    [
      'external policy Local keeps the client address and drops where this node has no endpoint',
      show(
        aService({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] }),
        aSlice(ready('10.244.1.2', 'n2')),
      ),
      [
        '10.96.0.5:80/tcp -> 10.244.1.2:8080 (outside-pods)',
        'node:30080/tcp -> drop (never)',
        'inside node:30080/tcp -> 10.244.1.2:8080 (from-node)',
      ],
    ],
    [
      'external policy Local lets pods and the node itself go everywhere',
      show(
        aService({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] }),
        aSlice(ready('10.244.0.2'), ready('10.244.1.2', 'n2')),
      ),
      [
        '10.96.0.5:80/tcp -> 10.244.0.2:8080 10.244.1.2:8080 (outside-pods)',
        'node:30080/tcp -> 10.244.0.2:8080 (never)',
        'inside node:30080/tcp -> 10.244.0.2:8080 10.244.1.2:8080 (from-node)',
      ],
    ],
    [
      'external policy Local without any endpoint is refused to all',
      show(aService({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] })),
      ['10.96.0.5:80/tcp -> reject (outside-pods)', 'node:30080/tcp -> reject (never)'],
    ],
    [
      'external policy Local falls back to what still serves on this node while it ends',
      show(
        aService({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] }),
        aSlice(ending('10.244.0.2'), ready('10.244.1.2', 'n2')),
      ),
      [
        '10.96.0.5:80/tcp -> 10.244.1.2:8080 (outside-pods)',
        'node:30080/tcp -> 10.244.0.2:8080 (never)',
        'inside node:30080/tcp -> 10.244.1.2:8080 (from-node)',
      ],
    ],
    [
      'internal policy Local drops where only other nodes have endpoints, and refuses where none has',
      [
        ...show(aService({ internalTrafficPolicy: 'Local' }), aSlice(ready('10.244.1.2', 'n2'))),
        ...show(aService({ internalTrafficPolicy: 'Local' })),
      ],
      ['10.96.0.5:80/tcp -> drop (outside-pods)', '10.96.0.5:80/tcp -> reject (outside-pods)'],
    ],
    [
      'source ranges keep their IPv4 part, without what lies in another, and let a node in that they hold',
      [['10.0.0.0/8', ' 10.1.2.3/16', 'fd00::/8', '203.0.113.7/24'], ['192.168.1.0/24'], ['fd00::/8']].flatMap((loadBalancerSourceRanges) =>
        show(
          aService({ type: 'LoadBalancer', loadBalancerSourceRanges }, { status: { loadBalancer: { ingress: [{ ip: '172.31.254.1' }] } } }),
          aSlice(ready('10.244.0.2')),
        ).slice(1),
      ),
      [
        '172.31.254.1:80/tcp -> 10.244.0.2:8080 (always) [10.0.0.0/8 203.0.113.0/24]',
        '172.31.254.1:80/tcp -> 10.244.0.2:8080 (always) [172.31.254.1/32 192.168.1.0/24]',
        '172.31.254.1:80/tcp -> 10.244.0.2:8080 (always)',
      ],
    ],
    [
      'what is no IPv4 address is left out',
      show(aService({}), aSlice(ready('10.244.0.2'), ready('web.example.org'), ready('fd00::1'))),
      ['10.96.0.5:80/tcp -> 10.244.0.2:8080 (outside-pods)'],
    ],
    [
      'load balancer and external addresses',
      show(
        aService(
          { type: 'LoadBalancer', externalIPs: ['198.51.100.7'] },
          { status: { loadBalancer: { ingress: [{ ip: '172.31.254.1' }, { ip: '172.31.254.2', ipMode: 'Proxy' }] } } },
        ),
        aSlice(ready('10.244.0.2')),
      ),
      [
        '10.96.0.5:80/tcp -> 10.244.0.2:8080 (outside-pods)',
        '198.51.100.7:80/tcp -> 10.244.0.2:8080 (always)',
        '172.31.254.1:80/tcp -> 10.244.0.2:8080 (always)',
      ],
    ],
  ])('%s', (_name, actual, expected) => {
    expect(actual).toEqual(expected);
  });
});

describe('Claims', () => {
  const wanted = (ip: string): ReturnType<typeof wantedDispatches> => wantedDispatches(aService({}), [aSlice(ready(ip))], node);

  test('answers only what changed', () => {
    const claims = new Claims();
    expect([...claims.set('default/a', wanted('10.244.0.2')).keys()]).toEqual(['10.96.0.5 . tcp . 80']);
    expect(claims.set('default/a', wanted('10.244.0.2')).size).toBe(0);
    expect(claims.set('default/a', []).get('10.96.0.5 . tcp . 80')).toBeUndefined();
    expect([...claims.all()]).toEqual([]);
  });

  test('the first key has a front that two want, and the other inherits it', () => {
    const claims = new Claims();
    claims.set('default/b', wanted('10.244.0.3'));
    expect(claims.set('default/a', wanted('10.244.0.2')).get('10.96.0.5 . tcp . 80')?.endpoints).toEqual([
      { ip: '10.244.0.2', port: 8_080 },
    ]);
    expect(claims.set('default/b', wanted('10.244.0.4')).size).toBe(0);
    expect(claims.set('default/a', []).get('10.96.0.5 . tcp . 80')?.endpoints).toEqual([{ ip: '10.244.0.4', port: 8_080 }]);
  });
});
