import { describe, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { internalContext } from '../internal-context.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { AlongObject, AttemptEnd } from '../registry/contract.ts';
import { parseIpRange } from './ip-range.ts';
import { serviceAllocation } from './service-allocation.ts';
import { ServicePools } from './service-pools.ts';

const serviceKind = service as unknown as KindDefinition;

const context = internalContext({ namespace: 'default' }, new AbortController().signal);

interface World {
  /** Addresses that other objects have. */
  readonly taken?: readonly string[];
  /** Ports that another server gave out without our knowing yet. */
  readonly takenPorts?: readonly number[];
}

/** Six addresses and ten ports on a store that others write to. */
function allocation({ taken = [], takenPorts = [] }: World = {}) {
  const released: string[] = [];
  const bits = new Set<number>(takenPorts);
  const claims = {
    claim: (address: string) =>
      taken.includes(address) ? undefined : [{ kind: serviceKind, object: { metadata: { name: address } } as KubeObject }],
    release: (addresses: readonly string[]) => void released.push(...addresses),
  };
  const ports = {
    isIdle: false,
    claim: async (wanted: readonly number[]) => {
      const granted = new Set(wanted.filter((port) => !bits.has(port)));
      for (const port of granted) bits.add(port);
      return granted;
    },
    release: (given: readonly number[]) => {
      for (const port of given) bits.delete(port);
      return undefined;
    },
  };
  const pools = new ServicePools({ ipRange: parseIpRange('10.0.0.0/29'), nodePorts: { first: 30_000, last: 30_009 } });
  const plugin = serviceAllocation({ pools, claims, ports });
  const along: AlongObject[] = [];
  const write = async (next: Service, previous?: Service, dryRun = false): Promise<AttemptEnd | undefined> =>
    await plugin.reserve?.({
      kind: serviceKind,
      operation: previous === undefined ? 'CREATE' : 'UPDATE',
      name: 'one',
      context: { ...context, dryRun },
      object: next,
      previous,
      along,
    });
  return { write, along, released, bits, plugin };
}

function make(spec: object, uid = 'u1'): Service {
  return {
    metadata: { name: 'one', namespace: 'default', uid },
    spec: { type: 'ClusterIP', ports: [{ port: 80 }], ...spec },
  } as Service;
}

const others = [1, 2, 4, 5, 6].map((last) => `10.0.0.${last}`);
const namesOf = (along: readonly AlongObject[]) => along.map(({ object }) => object.metadata.name);

describe('addresses that other objects have', () => {
  test('are passed over', async () => {
    const { write, along } = allocation({ taken: others });
    const next = make({});
    await write(next);
    expect(next.spec).toMatchObject({ clusterIP: '10.0.0.3', clusterIPs: ['10.0.0.3'] });
    expect(namesOf(along)).toEqual(['10.0.0.3']);
  });

  test('leave none', async () => {
    const { write } = allocation({ taken: [...others, '10.0.0.3'] });
    await expect(write(make({}))).rejects.toThrow('failed to allocate a serviceIP: range is full');
  });

  test('are refused to those who ask for them', async () => {
    const { write } = allocation({ taken: others });
    await expect(write(make({ clusterIP: '10.0.0.1' }))).rejects.toThrow(
      'failed to allocate IP 10.0.0.1: provided IP is already allocated',
    );
  });
});

test.each([
  ['10.0.0.0', 'the provided IP (10.0.0.0) is not in the valid range. The range of valid IPs is 10.0.0.0/29'],
  ['10.0.0.7', 'the provided IP (10.0.0.7) is not in the valid range. The range of valid IPs is 10.0.0.0/29'],
  ['10.0.0.8', 'the provided network does not match the current range'],
])('%s cannot be had', async (clusterIP, why) => {
  await expect(allocation().write(make({ clusterIP }))).rejects.toThrow(
    `spec.clusterIPs: Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: ${why}`,
  );
});

test.each(['committed', 'dropped'] as const)('after an attempt that was %s its address is free or not', async (outcome) => {
  const { write } = allocation();
  await (await write(make({ clusterIP: '10.0.0.1' })))?.(outcome);
  const again = write(make({ clusterIP: '10.0.0.1' }, 'u2'));
  if (outcome === 'dropped') await expect(again).resolves.toBeDefined();
  else await expect(again).rejects.toThrow('already allocated');
});

test('a Service that becomes an ExternalName gives its address back once it is stored', async () => {
  const { write, released } = allocation();
  const before = make({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] });
  await (await write(structuredClone(before)))?.('committed');
  const end = await write(make({ type: 'ExternalName', externalName: 'x.example', clusterIP: '', clusterIPs: [] }), before);
  expect(released).toEqual([]);
  await end?.('committed');
  expect(released).toEqual(['10.0.0.1']);
});

describe('node ports', () => {
  const nodePort = (asked?: number) =>
    make({ type: 'NodePort', ports: [{ port: 80, ...(asked === undefined ? {} : { nodePort: asked }) }] });

  test('that another server gave out meanwhile are passed over', async () => {
    const { write, bits } = allocation({ takenPorts: [30_000, 30_001, 30_002, 30_004, 30_005, 30_006, 30_007, 30_008, 30_009] });
    const next = nodePort();
    await write(next);
    expect(next.spec.ports?.[0]?.nodePort).toBe(30_003);
    expect(bits.size).toBe(10);
    await expect(write(nodePort())).rejects.toThrow('failed to allocate a nodePort: range is full');
    expect(bits.size).toBe(10);
  });

  test('that another server gave out meanwhile are refused to those who ask for them, and nothing is left of the attempt', async () => {
    const { write, bits } = allocation({ takenPorts: [30_001] });
    const spec = { type: 'NodePort', ports: [30_000, 30_001].map((port) => ({ name: `p${port}`, port, nodePort: port })) };
    await expect(write(make(spec))).rejects.toThrow('spec.ports[1].nodePort: Invalid value: 30001: provided port is already allocated');
    expect([...bits]).toEqual([30_001]);
  });

  test.each(['committed', 'dropped'] as const)('of an attempt that was %s', async (outcome) => {
    const { write, bits } = allocation();
    await (await write(nodePort(30_005)))?.(outcome);
    expect([...bits]).toEqual(outcome === 'committed' ? [30_005] : []);
  });

  test('go with their type, and with their Service', async () => {
    const { write, bits, plugin } = allocation();
    const before = nodePort(30_005);
    await (await write(before))?.('committed');
    await (await write(make({ type: 'ClusterIP', clusterIP: before.spec.clusterIP, ports: [{ port: 80 }] }), before))?.('committed');
    expect([...bits]).toEqual([]);
    const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', allocateLoadBalancerNodePorts: true };
    const next = make({ ...local, ports: [{ port: 80, nodePort: 30_001 }], healthCheckNodePort: 30_002 }, 'u2');
    await (await write(next))?.('committed');
    expect([...bits].toSorted((a, b) => a - b)).toEqual([30_001, 30_002]);
    void plugin.removed?.(serviceKind, next);
    expect([...bits]).toEqual([]);
  });

  test('a port that TCP and UDP share is replaced for both', async () => {
    const { write } = allocation({ takenPorts: [30_000, 30_001, 30_002, 30_003, 30_004, 30_005, 30_006, 30_007, 30_008] });
    const ports = ['TCP', 'UDP'].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol }));
    const next = make({ type: 'NodePort', ports });
    await write(next);
    expect(next.spec.ports?.map((port) => port.nodePort)).toEqual([30_009, 30_009]);
  });

  test('a dry run sets no bits and stores nothing along', async () => {
    const { write, bits, along } = allocation();
    const next = nodePort();
    await (await write(next, undefined, true))?.('dropped');
    expect([next.spec.ports?.[0]?.nodePort !== undefined, bits.size, along.length]).toEqual([true, 0, 0]);
  });
});
