import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { persistentVolume, type PersistentVolume } from '#api/core/persistent-volume/persistent-volume.ts';
import { persistentVolumeClaim, type PersistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import { pod, type Pod } from '#api/core/pod/pod.ts';
import { ControlPlane } from '../testing.ts';
import { type VolumeAttributesClass, volumeAttributesClass } from '#api/storage/volume-attributes-class.ts';
import { classFinalizer, mayRelease, planClass } from './plan.ts';

const never = new AbortController().signal;
let plane: ControlPlane;
beforeEach(
  async () =>
    void (plane = await ControlPlane.start({
      selection: [
        'serviceaccount-controller',
        'persistentvolumeclaim-protection-controller',
        'persistentvolume-protection-controller',
        'volumeattributesclass-protection-controller',
      ],
    })),
);
afterEach(() => plane[Symbol.asyncDispose]());

const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

test('a claim goes when it is not used, and waits for its pod where it is', async () => {
  const ns = await plane.inNamespace('claims');
  for (const name of ['free', 'used']) {
    await plane.client.create<PersistentVolumeClaim>(
      persistentVolumeClaim,
      { metadata: { name, namespace: ns }, spec, status: {} },
      {},
      never,
    );
  }
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'used' } }];
  const containers = [{ name: 'c', image: 'i' }];
  const body = { metadata: { name: 'p', namespace: ns }, spec: { nodeName: 'n', containers, volumes } } as Pod;
  await plane.client.create<Pod>(pod, body, {}, never);
  for (const name of ['free', 'used']) await plane.client.delete(persistentVolumeClaim, { namespace: ns, name }, {}, never);
  const isThere = async (name: string): Promise<boolean> => (await plane.find(persistentVolumeClaim, name, ns)) !== undefined;
  await plane.until('the unused claim is gone', async () => !(await isThere('free')));
  expect(await isThere('used')).toBe(true);
  await plane.client.delete(pod, { namespace: ns, name: 'p' }, { gracePeriodSeconds: 0 }, never);
  await plane.until('the used claim is gone', async () => !(await isThere('used')));
});

test('a volume goes when no claim is bound to it', async () => {
  const volume = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/x' } };
  await plane.client.create<PersistentVolume>(persistentVolume, { metadata: { name: 'v' }, spec: volume, status: {} }, {}, never);
  await plane.client.delete(persistentVolume, { name: 'v' }, {}, never);
  await plane.until('the volume is gone', async () => (await plane.find(persistentVolume, 'v')) === undefined);
});

test('a class of attributes goes when the last claim that names it has gone', async () => {
  const ns = await plane.inNamespace('classes');
  const body = { metadata: { name: 'fast' }, driverName: 'd', parameters: { iops: '9' } };
  await plane.client.create<VolumeAttributesClass>(volumeAttributesClass, body, {}, never);
  const wanting = { ...spec, volumeAttributesClassName: 'fast' };
  await plane.client.create<PersistentVolumeClaim>(
    persistentVolumeClaim,
    { metadata: { name: 'wants', namespace: ns }, spec: wanting, status: {} },
    {},
    never,
  );
  await plane.client.delete(volumeAttributesClass, { name: 'fast' }, {}, never);
  await plane.client.create<VolumeAttributesClass>(volumeAttributesClass, { ...body, metadata: { name: 'free' } }, {}, never);
  await plane.client.delete(volumeAttributesClass, { name: 'free' }, {}, never);
  const isThere = async (name: string): Promise<boolean> => (await plane.find(volumeAttributesClass, name)) !== undefined;
  await plane.until('the unused class is gone', async () => !(await isThere('free')));
  expect(await isThere('fast')).toBe(true);
  await plane.client.delete(persistentVolumeClaim, { namespace: ns, name: 'wants' }, {}, never);
  await plane.until('the used class is gone', async () => !(await isThere('fast')));
});

describe('planClass', () => {
  const held = { metadata: { name: 'fast', finalizers: [classFinalizer] }, driverName: 'd' } as VolumeAttributesClass;
  const going = { ...held, metadata: { ...held.metadata, deletionTimestamp: 't' } };
  const aClaim = (claimSpec: object, status: object = {}): PersistentVolumeClaim =>
    ({ metadata: {}, spec: claimSpec, status }) as PersistentVolumeClaim;
  const aVolume = { metadata: {}, spec: { volumeAttributesClassName: 'fast' } } as PersistentVolume;
  test.each<[string, VolumeAttributesClass, PersistentVolumeClaim[], PersistentVolume[], string]>([
    ['one that stays', held, [], [], 'keep'],
    ['one that nobody holds yet', { ...held, metadata: { name: 'fast' } }, [], [], 'hold'],
    ['one that nobody uses', going, [aClaim({ volumeAttributesClassName: 'slow' })], [], 'release'],
    ['one that a claim wants', going, [aClaim({ volumeAttributesClassName: 'fast' })], [], 'keep'],
    ['one that a claim has', going, [aClaim({}, { currentVolumeAttributesClassName: 'fast' })], [], 'keep'],
    ['one that a claim comes to', going, [aClaim({}, { modifyVolumeStatus: { targetVolumeAttributesClassName: 'fast' } })], [], 'keep'],
    ['one that a volume has', going, [], [aVolume], 'keep'],
  ])('%s', (_name, one, claims, volumes, expected) => expect(planClass(one, claims, volumes)).toBe(expected));
});

describe('mayRelease', () => {
  const claim = {
    metadata: { name: 'p-v', namespace: 'a', deletionTimestamp: 't', finalizers: ['kubernetes.io/pvc-protection'] },
  } as PersistentVolumeClaim;
  const aPod = (more: object): Pod => ({ metadata: { name: 'p' }, spec: { nodeName: 'n', containers: [], ...more } }) as Pod;
  test.each<[string, readonly Pod[], boolean]>([
    ['nobody', [], true],
    ['a pod with other volumes', [aPod({ volumes: [{ name: 'v', emptyDir: {} }] })], true],
    ['a pod that names it', [aPod({ volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'p-v' } }] })], false],
    ['a pod whose own it is', [aPod({ volumes: [{ name: 'v', ephemeral: {} }] })], false],
    ['a pod without a node', [aPod({ nodeName: undefined, volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'p-v' } }] })], true],
  ])('%s', (_name, pods, expected) => expect(mayRelease(claim, pods)).toBe(expected));

  test('not of a claim that stays', () => expect(mayRelease({ metadata: { name: 'p-v' } } as PersistentVolumeClaim, [])).toBe(false));
});
