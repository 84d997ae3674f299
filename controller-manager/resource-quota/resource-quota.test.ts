import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { measureOf } from '#api/core/quota/measure.ts';
import { type ResourceQuota, resourceQuota } from '#api/core/resource-quota.ts';
import type { Resource } from '#api/kind.ts';
import { ControlPlane } from '../testing.ts';
import { nextStatus, usageOf } from './plan.ts';

const never = new AbortController().signal;
const view = { nowMs: 0, extendedResourceOf: () => undefined, podOf: () => undefined };

function measured(kind: Resource) {
  const measure = measureOf(kind);
  if (measure === undefined) throw new Error(`${kind.kind} is not counted`);
  return measure;
}

describe('the plan', () => {
  const quota = (
    hard: Record<string, string>,
    parts: Partial<ResourceQuota['spec']> = {},
    status?: ResourceQuota['status'],
  ): ResourceQuota => ({
    metadata: { name: 'q' },
    spec: { hard, ...parts },
    ...(status && { status }),
  });
  const pods: Pod[] = [
    { metadata: {}, spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] } },
    { metadata: {}, spec: { containers: [{ name: 'c' }] }, status: { phase: 'Failed' } },
  ];
  test('counts what is in scope, and nothing as nothing', () => {
    const counted = [{ measure: measured(pod), objects: pods }];
    expect(usageOf(quota({ pods: '1', cpu: '1', 'count/pods': '1', configmaps: '1' }), counted, view)).toEqual({
      pods: '1',
      cpu: '1',
      'count/pods': '2',
    });
    expect(usageOf(quota({ pods: '1' }, { scopes: ['BestEffort'] }), counted, view)).toEqual({ pods: '0' });
    expect(usageOf(quota({ configmaps: '1' }), [{ measure: measured(configMap), objects: 7 }], view)).toEqual({ configmaps: '7' });
  });
  test('writes only what differs, keeps what nobody could count, forgets what is no longer limited', () => {
    expect(nextStatus(quota({ pods: '1' }, {}, { hard: { pods: '1' }, used: { pods: '0' } }), { pods: '0' })).toBeUndefined();
    const before = quota({ pods: '2', 'count/a.b': '1' }, {}, { hard: { pods: '1' }, used: { pods: '0', 'count/a.b': '4', cpu: '1' } });
    expect(nextStatus(before, { pods: '1' })).toEqual({ hard: { pods: '2', 'count/a.b': '1' }, used: { pods: '1', 'count/a.b': '4' } });
  });
});

describe('a quota', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await ControlPlane.start();
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  test('is counted, charged by the API server, and counted anew when something goes or its limits change', async () => {
    const ns = await plane.inNamespace('limited');
    const makePod = (name: string): Promise<Pod> =>
      plane.client.create<Pod>(pod, { metadata: { name, namespace: ns }, spec: { containers: [{ name: 'a', image: 'a' }] } }, {}, never);
    await makePod('before');
    await plane.client.create<ResourceQuota>(
      resourceQuota,
      { metadata: { name: 'q', namespace: ns }, spec: { hard: { pods: '2', 'count/configmaps': '9' } } },
      {},
      never,
    );
    const uses = (pods: string, configMaps: string) => async (): Promise<boolean> => {
      const used = (await plane.find<ResourceQuota>(resourceQuota, 'q', ns))?.status?.used;
      return used?.['pods'] === pods && used['count/configmaps'] === configMaps;
    };
    await plane.until('counted', uses('1', '0'));
    await plane.client.create<ConfigMap>(configMap, { metadata: { name: 'c', namespace: ns } }, {}, never);
    await makePod('second');
    expect(await uses('2', '1')()).toBe(true);
    await expect(makePod('third')).rejects.toThrow('exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2');
    await plane.client.delete(pod, { name: 'before', namespace: ns }, { gracePeriodSeconds: 0 }, never);
    await plane.client.delete(configMap, { name: 'c', namespace: ns }, {}, never);
    await plane.until('given back', uses('1', '0'));
    await plane.restart();
    await plane.client.patch<ResourceQuota>(
      resourceQuota,
      { namespace: ns, name: 'q' },
      { spec: { hard: { pods: '1' } } },
      { type: 'merge' },
      never,
    );
    await plane.until(
      'the new limit',
      async () => (await plane.find<ResourceQuota>(resourceQuota, 'q', ns))?.status?.hard?.['pods'] === '1',
    );
    await expect(makePod('third')).rejects.toThrow('exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1');
    const endless = { metadata: { name: 'endless', namespace: ns }, spec: { hard: { pods: '5' }, scopes: ['NotTerminating'] } };
    await plane.client.create<ResourceQuota>(resourceQuota, endless, {}, never);
    const used = (count: string) => async (): Promise<boolean> =>
      (await plane.find<ResourceQuota>(resourceQuota, 'endless', ns))?.status?.used?.['pods'] === count;
    await plane.until('counted in its scope', used('1'));
    const deadline = { spec: { activeDeadlineSeconds: 9 } };
    await plane.client.patch(pod, { namespace: ns, name: 'second' }, deadline, { type: 'merge' }, never);
    await plane.until('out of its scope', used('0'));
  });
});
