import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KubeObject } from '#api/meta/object.ts';
import type { ServiceCIDR } from '#api/networking/service-cidr.ts';
import { serviceCidr } from '#api/networking/service-cidr.ts';
import { internalContext } from '../internal-context.ts';
import { startRegistry, type TestRegistry } from '../registry/testing.ts';
import { DefaultServiceRange, rangeKeeperName } from './default-service-range.ts';
import { parseIpRange } from './ip-range.ts';
import { rangeKind } from './service-range-feed.ts';

const { signal } = new AbortController();
let server: TestRegistry;
let told: string[];

beforeEach(async () => {
  server = await startRegistry({ kinds: [serviceCidr as never] });
  told = [];
});
afterEach(() => server[Symbol.asyncDispose]());

function keeper(range = '10.0.0.0/24'): DefaultServiceRange {
  const events = {
    event: (_object: KubeObject, type: string, reason: string, message: string) => void told.push(`${type} ${reason}: ${message}`),
  };
  return new DefaultServiceRange({ registry: () => server.registry, ipRange: parseIpRange(range), events, clock: server.clock });
}

const found = async () => (await server.registry.get(rangeKind, 'kubernetes', '', internalContext({}, signal))).object() as ServiceCIDR;
const say = async (status: string) =>
  await server.registry.change(
    rangeKind,
    'kubernetes',
    (current) => {
      const condition = { type: 'Ready', status, reason: 'Why', message: 'not yet', lastTransitionTime: '2026-01-01T00:00:00Z' };
      return { ...current, status: { conditions: [condition] } } as KubeObject;
    },
    internalContext({ subresource: 'status' }, signal),
  );

test('it is made, says that it is ready, and is left alone then', async () => {
  const kept = keeper();
  await kept.keep(signal);
  const first = await found();
  expect(first).toMatchObject({
    spec: { cidrs: ['10.0.0.0/24'] },
    status: { conditions: [{ type: 'Ready', status: 'True', message: 'Kubernetes default Service CIDR is ready' }] },
  });
  const owners = first.metadata.managedFields?.map(({ manager, operation, subresource = '' }) => `${manager} ${operation} ${subresource}`);
  expect(owners).toContain(`${rangeKeeperName} Apply status`);
  await kept.keep(signal);
  expect((await found()).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  expect(told).toEqual([]);
});

test('nobody is overruled, but it is told once', async () => {
  const kept = keeper();
  await kept.keep(signal);
  await say('False');
  const before = await found();
  await kept.keep(signal);
  await kept.keep(signal);
  expect((await found()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  expect(told).toEqual(['Warning Why: Configuration matches, but not yet']);
  await say('Unknown');
  await kept.keep(signal);
  expect((await found()).status?.conditions?.[0]?.status).toBe('True');
});

test('flags that say something else change nothing', async () => {
  await keeper().keep(signal);
  const other = keeper('10.1.0.0/24');
  await other.keep(signal);
  await other.keep(signal);
  expect((await found()).spec.cidrs).toEqual(['10.0.0.0/24']);
  expect(told).toEqual([
    'Warning KubernetesDefaultServiceCIDRInconsistent: The default ServiceCIDR [10.0.0.0/24] does not match the controller flag configurations [10.1.0.0/24]',
  ]);
});
