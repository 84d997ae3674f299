import { describe, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { internalContext } from '../internal-context.ts';
import type { AttemptEnd } from '../registry/contract.ts';
import { parseIpRange } from './ip-range.ts';
import { serviceAllocation } from './service-allocation.ts';
import { ServicePools } from './service-pools.ts';

const serviceKind = service as unknown as KindDefinition;

const context = internalContext({ namespace: 'default' }, new AbortController().signal);

/** Six addresses, of which `taken` are another server's. */
function allocation(taken: readonly string[]) {
  const claimed: string[] = [];
  const released: string[] = [];
  const claims = {
    claim: async (address: string) => {
      if (taken.includes(address)) return false;
      claimed.push(address);
      return true;
    },
    release: (address: string) => void released.push(address),
  };
  const pools = new ServicePools({ ipRange: parseIpRange('10.0.0.0/29'), nodePorts: { first: 30_000, last: 30_009 } });
  const plugin = serviceAllocation(pools, claims);
  const write = async (next: Service, previous?: Service): Promise<AttemptEnd | undefined> =>
    await plugin.reserve?.({
      kind: serviceKind,
      operation: previous === undefined ? 'CREATE' : 'UPDATE',
      name: 'one',
      context,
      object: next,
      previous,
    });
  return { write, claimed, released };
}

function make(spec: object): Service {
  return {
    metadata: { name: 'one', namespace: 'default', uid: 'u1' },
    spec: { type: 'ClusterIP', ports: [{ port: 80 }], ...spec },
  } as Service;
}

const others = [1, 2, 4, 5, 6].map((last) => `10.0.0.${last}`);

describe('addresses that other servers took meanwhile', () => {
  test('are passed over', async () => {
    const { write, claimed } = allocation(others);
    const next = make({});
    await write(next);
    expect(next.spec).toMatchObject({ clusterIP: '10.0.0.3', clusterIPs: ['10.0.0.3'] });
    expect(claimed).toEqual(['10.0.0.3']);
  });

  test('leave none', async () => {
    const { write } = allocation([...others, '10.0.0.3']);
    await expect(write(make({}))).rejects.toThrow('failed to allocate a serviceIP: range is full');
  });
});

test.each(['committed', 'dropped'] as const)('an attempt that was %s', async (outcome) => {
  const { write, released } = allocation([]);
  const end = await write(make({ clusterIP: '10.0.0.1' }));
  end?.(outcome);
  expect(released).toEqual(outcome === 'committed' ? [] : ['10.0.0.1']);
});

test('a Service that becomes an ExternalName gives its address back once it is stored', async () => {
  const { write, released } = allocation([]);
  const before = make({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] });
  (await write(structuredClone(before)))?.('committed');
  const end = await write(make({ type: 'ExternalName', externalName: 'x.example', clusterIP: '', clusterIPs: [] }), before);
  expect(released).toEqual([]);
  end?.('committed');
  expect(released).toEqual(['10.0.0.1']);
});
