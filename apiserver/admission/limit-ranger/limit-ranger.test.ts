import { describe, expect, test } from 'vitest';
import type { V1LimitRangeItem, V1Pod, V1PodSpec } from '#api/generated/types.ts';
import { builtinKinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { GenericRegistry } from '../../registry/registry.ts';
import { aBody, aContext, aKind, startRegistry } from '../../registry/testing.ts';
import { limitRanger } from './plugin.ts';
import { applyDefaults, claimProblems, podProblems } from './pod-limits.ts';

type Amounts = Record<string, string>;

function aPod(requests: Amounts = {}, limits: Amounts = {}, parts: Partial<V1PodSpec> = {}): V1Pod {
  return { metadata: {}, spec: { containers: [{ name: 'a', resources: { requests, limits } }], ...parts } };
}

describe('defaults', () => {
  const item: V1LimitRangeItem = {
    type: 'Container',
    default: { cpu: '1', memory: '1Gi' },
    defaultRequest: { memory: '5Mi', cpu: '100m' },
  };

  test('fill in what containers do not say, and tell so', () => {
    const pod = aPod({ cpu: '200m' }, {}, { initContainers: [{ name: 'i', resources: { limits: { cpu: '2' } } }] });
    applyDefaults(pod, [item]);
    expect(pod.spec?.containers[0]?.resources).toEqual({
      requests: { memory: '5Mi', cpu: '200m' },
      limits: { cpu: '1', memory: '1Gi' },
    });
    expect(pod.spec?.initContainers?.[0]?.resources).toEqual({
      requests: { memory: '5Mi', cpu: '100m' },
      limits: { cpu: '2', memory: '1Gi' },
    });
    expect(pod.metadata.annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: memory request for container a; cpu, memory limit for container a; cpu, memory request for init container i; memory limit for init container i',
    });
  });

  test('change nothing where all is said, and come from items for containers only', () => {
    const full = aPod({ cpu: '1', memory: '1' }, { cpu: '1', memory: '1' });
    const before = structuredClone(full);
    applyDefaults(full, [item]);
    expect(full).toEqual(before);
    const other = aPod();
    applyDefaults(other, [{ type: 'Pod', max: { cpu: '1' } }]);
    expect(other).toEqual(aPod());
  });
});

describe('bounds', () => {
  const sidecar = { name: 's', restartPolicy: 'Always', resources: { requests: { cpu: '100m' }, limits: { cpu: '1' } } };
  test.each<[string, V1LimitRangeItem, V1Pod, string[]]>([
    ['kept', { type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' } }, aPod({ cpu: '100m' }, { cpu: '1' }), []],
    [
      'no request',
      { type: 'Container', min: { cpu: '100m' } },
      aPod(),
      ['minimum cpu usage per Container is 100m.  No request is specified'],
    ],
    [
      'small request',
      { type: 'Container', min: { cpu: '0.5' } },
      aPod({ cpu: '0.2' }),
      ['minimum cpu usage per Container is 500m, but request is 200m'],
    ],
    [
      'small limit',
      { type: 'Container', min: { memory: '1Gi' } },
      aPod({ memory: '2Gi' }, { memory: '5Mi' }),
      ['minimum memory usage per Container is 1Gi, but limit is 5Mi'],
    ],
    [
      'no limit',
      { type: 'Container', max: { cpu: '1' } },
      aPod({ cpu: '100m' }),
      ['maximum cpu usage per Container is 1.  No limit is specified'],
    ],
    [
      'large limit',
      { type: 'Container', max: { cpu: '500m' } },
      aPod({}, { cpu: '600m' }),
      ['maximum cpu usage per Container is 500m, but limit is 600m'],
    ],
    [
      'large request',
      { type: 'Container', max: { cpu: '500m' } },
      aPod({ cpu: '600m' }, { cpu: '100m' }),
      ['maximum cpu usage per Container is 500m, but request is 600m'],
    ],
    ['ratio kept', { type: 'Container', maxLimitRequestRatio: { cpu: '1.5' } }, aPod({ cpu: '200m' }, { cpu: '300m' }), []],
    [
      'ratio broken',
      { type: 'Container', maxLimitRequestRatio: { cpu: '1.5' } },
      aPod({ cpu: '300m' }, { cpu: '1' }),
      ['cpu max limit to request ratio per Container is 1500m, but provided ratio is 3.333333'],
    ],
    [
      'ratio without request',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      aPod({ cpu: '0' }, { cpu: '1' }),
      ['cpu max limit to request ratio per Container is 2, but no request is specified or request is 0'],
    ],
    [
      'ratio without limit',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      aPod({ cpu: '1' }),
      ['cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0'],
    ],
    [
      'a pod is the sum of its containers and sidecars',
      { type: 'Pod', max: { cpu: '2' } },
      aPod({ cpu: '1' }, { cpu: '1500m' }, { initContainers: [sidecar] }),
      ['maximum cpu usage per Pod is 2, but limit is 2500m'],
    ],
    [
      'or what it says itself',
      { type: 'Pod', max: { cpu: '2' }, min: { cpu: '1' } },
      aPod({ cpu: '1' }, { cpu: '9' }, { resources: { requests: { cpu: '500m' }, limits: { cpu: '3' } } }),
      ['minimum cpu usage per Pod is 1, but request is 500m', 'maximum cpu usage per Pod is 2, but limit is 3'],
    ],
    ['claims are no pods', { type: 'PersistentVolumeClaim', max: { storage: '1' } }, aPod(), []],
  ])('%s', (_, item, pod, expected) => {
    expect(podProblems(pod, [item])).toEqual(expected);
  });

  test.each<[string, string[]]>([
    ['1Gi', []],
    ['10Gi', ['maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 10Gi']],
    ['1Mi', ['minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi']],
  ])('a claim of %s', (storage, expected) => {
    const item = { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } };
    expect(claimProblems({ metadata: {}, spec: { resources: { requests: { storage } } } }, [item])).toEqual(expected);
  });
});

test('pods of a namespace get defaults and are refused above the limits of any LimitRange there', async () => {
  const made: { registry?: GenericRegistry } = {};
  await using running = await startRegistry({ kinds: builtinKinds, admission: [limitRanger(() => made.registry as GenericRegistry)] });
  made.registry = running.registry;
  const create = async (plural: string, metadata: object, spec: object, namespace = 'default'): Promise<KubeObject> =>
    (await running.registry.create(aKind(plural), aBody({ ...typeOf(plural), metadata, spec }), aContext({ namespace }))).object();
  await create('limitranges', { name: 'a' }, { limits: [{ type: 'Container', default: { cpu: '500m' } }] });
  await create('limitranges', { name: 'b' }, { limits: [{ type: 'Pod', max: { cpu: '600m' } }] });
  const containers = (count: number): object => ({
    containers: Array.from({ length: count }, (_, at) => ({ name: `c${at}`, image: 'i' })),
  });
  const one = (await create('pods', { name: 'one' }, containers(1))) as V1Pod;
  expect(one.spec?.containers[0]?.resources).toEqual({ limits: { cpu: '500m' }, requests: { cpu: '500m' } });
  await expect(create('pods', { name: 'two' }, containers(2))).rejects.toMatchObject({
    reason: 'Forbidden',
    message: 'pods "two" is forbidden: maximum cpu usage per Pod is 600m, but limit is 1',
  });
  const elsewhere = (await create('pods', { name: 'two' }, containers(2), 'other')) as V1Pod;
  expect(elsewhere.spec?.containers[0]?.resources ?? {}).toEqual({});
});

function typeOf(plural: string): object {
  return { apiVersion: 'v1', kind: aKind(plural).kind };
}
