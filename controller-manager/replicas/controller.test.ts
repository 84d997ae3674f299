import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type ReplicationController, replicationController } from '#api/core/replication-controller.ts';
import { findController } from '#api/meta/owner-references.ts';
import { aTemplate } from '../builders.ts';
import { ControlPlane } from '../testing.ts';

const never = new AbortController().signal;

describe.concurrent('replicas', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await ControlPlane.start();
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  const stray = (ns: string): Promise<Pod> =>
    plane.client.create<Pod>(
      pod,
      { metadata: { name: 'stray', namespace: ns, labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
      {},
      never,
    );
  const makeSet = (ns: string, spec: Partial<ReplicaSet['spec']> = {}): Promise<ReplicaSet> =>
    plane.client.create<ReplicaSet>(
      replicaSet,
      {
        metadata: { name: 'web', namespace: ns },
        spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: aTemplate(), ...spec },
      },
      {},
      never,
    );
  const relabel = (ns: string, name: string, app: string): Promise<Pod> =>
    plane.client.patch<Pod>(pod, { namespace: ns, name }, { metadata: { labels: { app } } }, { type: 'merge' }, never);

  test('a ReplicationController adopts what matches and replaces what goes', async () => {
    const ns = await plane.inNamespace('controlled');
    await stray(ns);
    const spec = { replicas: 2, selector: { app: 'web' }, template: aTemplate() };
    await plane.client.create<ReplicationController>(replicationController, { metadata: { name: 'rc', namespace: ns }, spec }, {}, never);
    await plane.until('two pods, both owned', async () => {
      const found = await plane.podsOf(ns);
      return found.length === 2 && found.every((one) => findController(one)?.kind === 'ReplicationController');
    });
    await plane.client.delete(pod, { namespace: ns, name: 'stray' }, { gracePeriodSeconds: 0 }, never);
    await plane.until('a replacement', async () => {
      const found = await plane.podsOf(ns);
      return found.length === 2 && found.every(({ metadata }) => metadata.name !== 'stray');
    });
    const status = await plane.until('the status', async () => {
      const found = await plane.find<ReplicationController>(replicationController, 'rc', ns);
      return found?.status?.replicas === 2 && found.status;
    });
    expect(status).not.toHaveProperty('terminatingReplicas');
  });

  test('a pod whose labels change is released and replaced; one whose labels come to match is taken in, and one goes', async () => {
    const ns = await plane.inNamespace('labels');
    await makeSet(ns);
    const [first] = await plane.until('two pods', async () => {
      const found = await plane.podsOf(ns);
      return found.length === 2 && found;
    });
    const { name = '' } = first?.metadata ?? {};
    await relabel(ns, name, 'debug');
    await plane.until('released and replaced', async () => {
      const found = await plane.podsOf(ns);
      return (
        found.length === 3 &&
        findController(found.find(({ metadata }) => metadata.name === name) ?? found[0] ?? { metadata: {} }) === undefined
      );
    });
    await relabel(ns, name, 'web');
    await plane.until('taken in, two left', async () => {
      const found = await plane.podsOf(ns);
      return found.length === 2 && found.every((one) => findController(one)?.name === 'web');
    });
  });

  test('a pod counts as available once it has been ready for long enough', async () => {
    const ns = await plane.inNamespace('available');
    await makeSet(ns, { replicas: 1, minReadySeconds: 3 });
    const statusOf = async () => (await plane.find<ReplicaSet>(replicaSet, 'web', ns))?.status;
    const ready = await plane.until('ready', async () => {
      await plane.runPods(ns);
      const status = await statusOf();
      return status?.readyReplicas === 1 && status;
    });
    expect(ready.availableReplicas ?? 0).toBe(0);
    await plane.until('available', async () => (await statusOf())?.availableReplicas === 1);
  });

  test('pods that are going are reported', async () => {
    const ns = await plane.inNamespace('terminating');
    await makeSet(ns);
    await plane.until('two pods', async () => (await plane.podsOf(ns)).length === 2);
    const [one] = await plane.podsOf(ns);
    const hold = { metadata: { finalizers: ['example.com/hold'] } };
    await plane.client.patch<Pod>(pod, { namespace: ns, name: one?.metadata.name ?? '' }, hold, { type: 'merge' }, never);
    await plane.client.patch<ReplicaSet>(replicaSet, { namespace: ns, name: 'web' }, { spec: { replicas: 0 } }, { type: 'merge' }, never);
    await plane.until('none wanted, one going', async () => {
      const found = (await plane.find<ReplicaSet>(replicaSet, 'web', ns))?.status;
      return found?.terminatingReplicas === 1 && found.replicas === 0;
    });
  });
});
