import { describe, expect, test } from 'vitest';
import { macOf, type OtherNode, planRoutes, type RouteMode, type RoutePlan } from './plan.ts';
import { commandsFor, tablesFrom } from './tables.ts';

const own = { address: '192.168.77.11', podCidr: '10.244.0.0/24', networks: [{ network: '192.168.77.0/24', device: 'eth0' }] };
const near: OtherNode = { name: 'near', address: '192.168.77.12', podCidrs: ['10.244.1.0/24'] };
const far: OtherNode = { name: 'far', address: '10.9.0.5', podCidrs: ['10.244.2.0/24', 'fd00::/64'] };
const none: RoutePlan = { routes: [], peers: [], unreachable: [] };
const farPeer = { vtep: '10.244.2.0', mac: '0e:58:0a:09:00:05', node: '10.9.0.5' };

describe('planRoutes', () => {
  test.each<[string, readonly OtherNode[], RouteMode, Partial<RoutePlan>]>([
    ['a neighbour is its pods’ gateway', [near], 'auto', { routes: [{ cidr: '10.244.1.0/24', via: '192.168.77.12', tunnel: false }] }],
    [
      'who is elsewhere is reached through the tunnel',
      [far],
      'auto',
      { routes: [{ cidr: '10.244.2.0/24', via: '10.244.2.0', tunnel: true }], peers: [farPeer] },
    ],
    [
      'everybody by VXLAN, if that is wanted',
      [near],
      'vxlan',
      {
        routes: [{ cidr: '10.244.1.0/24', via: '10.244.1.0', tunnel: true }],
        peers: [{ vtep: '10.244.1.0', mac: '0e:58:c0:a8:4d:0c', node: '192.168.77.12' }],
      },
    ],
    [
      'nobody by VXLAN, if that is wanted',
      [far],
      'direct',
      { unreachable: ['far (10.9.0.5): it is on none of the networks of this host'] },
    ],
    ['no pods, no route', [{ ...near, podCidrs: [] }], 'auto', {}],
    ['no address, no route', [{ ...near, address: '' }], 'auto', {}],
    ['never to itself', [{ ...near, address: own.address }], 'auto', {}],
  ])('%s', (_name, nodes, mode, expected) => expect(planRoutes(own, nodes, mode)).toEqual({ ...none, ...expected }));

  test('without a pod network of its own a node cannot use the tunnel', () => {
    const { unreachable } = planRoutes({ ...own, podCidr: undefined }, [far], 'auto');
    expect(unreachable).toEqual(['far (10.9.0.5): this node has no pod network yet']);
  });

  test('the order of nodes does not matter', () =>
    expect(planRoutes(own, [near, far], 'auto')).toEqual(planRoutes(own, [far, near], 'auto')));

  test('hardware addresses differ as addresses do', () =>
    expect([macOf('10.0.0.1'), macOf('10.0.1.0')]).toEqual(['0e:58:0a:00:00:01', '0e:58:0a:00:01:00']));
});

describe('commandsFor', () => {
  const plan = planRoutes(own, [near, far], 'auto');
  const kernel = tablesFrom({
    routes: JSON.stringify([
      { dst: '10.244.1.0/24', gateway: '192.168.77.12', dev: 'eth0' },
      { dst: '10.244.2.0/24', gateway: '10.244.2.0', dev: 'coxswain.vxlan', flags: ['onlink'] },
    ]),
    neighbours: JSON.stringify([{ dst: '10.244.2.0', lladdr: '0e:58:0a:09:00:05', state: ['PERMANENT'] }]),
    forwarding: JSON.stringify([{ mac: '0e:58:0a:09:00:05', dst: '10.9.0.5' }, { mac: '33:33:00:00:00:01' }]),
  });

  test('writes all into empty tables: who is reached first, then the way', () => {
    expect(commandsFor(plan, { routes: [], peers: [] })).toEqual({
      ip: [
        'neigh replace 10.244.2.0 lladdr 0e:58:0a:09:00:05 dev coxswain.vxlan nud permanent',
        'route replace 10.244.2.0/24 via 10.244.2.0 dev coxswain.vxlan onlink proto 87',
        'route replace 10.244.1.0/24 via 192.168.77.12 proto 87',
      ],
      bridge: ['fdb replace 0e:58:0a:09:00:05 dev coxswain.vxlan dst 10.9.0.5 self permanent'],
    });
  });

  test('does nothing where all is as planned', () => expect(commandsFor(plan, kernel)).toEqual({ ip: [], bridge: [] }));

  test('takes away what leads to nodes that are gone', () => {
    expect(commandsFor(planRoutes(own, [near], 'auto'), kernel)).toEqual({
      ip: ['route del 10.244.2.0/24 proto 87', 'neigh del 10.244.2.0 dev coxswain.vxlan'],
      bridge: ['fdb del 0e:58:0a:09:00:05 dev coxswain.vxlan dst 10.9.0.5 self'],
    });
  });

  test('a node that moved keeps its pods’ network', () => {
    const moved = planRoutes(own, [{ ...near, address: '192.168.77.19' }, far], 'auto');
    expect(commandsFor(moved, kernel).ip).toEqual(['route replace 10.244.1.0/24 via 192.168.77.19 proto 87']);
  });
});
