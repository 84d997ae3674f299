import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Deployment, deployment } from '#api/apps/deployment.ts';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { aTemplate } from '../builders.ts';
import { ControlPlane } from '../testing.ts';

const never = new AbortController().signal;
const prefix = 'deployment.kubernetes.io/';

describe.concurrent('a Deployment', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await ControlPlane.start();
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  const progressOf = ({ status }: Deployment): string | undefined => findCondition(status?.conditions, 'Progressing')?.reason;
  const isDone = ({ metadata, spec, status }: Deployment): boolean =>
    status?.observedGeneration === metadata.generation &&
    (status?.updatedReplicas ?? 0) === spec.replicas &&
    (status?.replicas ?? 0) === spec.replicas &&
    (status?.availableReplicas ?? 0) === spec.replicas;
  /** Plays the node until the rollout is done. */
  const finish = (ns: string, onLook: () => Promise<void> = async () => undefined): Promise<Deployment> =>
    plane.until('the rollout done', async () => {
      await onLook();
      await plane.runPods(ns);
      const found = await plane.getDeployment(ns);
      return isDone(found) && progressOf(found) === 'NewReplicaSetAvailable' && found;
    });
  const setsByRevision = async (ns: string): Promise<Record<string, number | undefined>> =>
    Object.fromEntries(
      (await plane.list<ReplicaSet>(replicaSet, ns)).map(({ metadata, spec }) => [
        metadata.annotations?.[`${prefix}revision`],
        spec.replicas,
      ]),
    );

  test('rolls from one template to the next and back', async () => {
    const ns = await plane.inNamespace('rolling');
    await plane.deploy(ns, { replicas: 3 });
    const first = await finish(ns);
    expect(first.status).toMatchObject({ replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, terminatingReplicas: 0 });
    // The shown revision is no new wish.
    expect(first.metadata).toMatchObject({ generation: 1, annotations: { [`${prefix}revision`]: '1' } });

    await plane.patchDeployment(ns, { template: aTemplate('web:2') });
    const seen: { pods: number; ready: number }[] = [];
    await finish(ns, async () => {
      const pods = await plane.podsOf(ns);
      seen.push({ pods: pods.length, ready: pods.filter(({ status }) => status?.phase === 'Running').length });
    });
    // 25 % of three: one more at most, none less.
    expect(Math.max(...seen.map(({ pods }) => pods))).toBeLessThanOrEqual(4);
    expect(plane.events.some(({ message }) => /^Scaled up replica set \S+ from 0 to 1$/.test(message))).toBe(true);
    expect(Math.min(...seen.map(({ ready }) => ready))).toBeGreaterThanOrEqual(3);
    expect(await setsByRevision(ns)).toEqual({ 1: 0, 2: 3 });

    await plane.patchDeployment(ns, { template: aTemplate('web:1') });
    await finish(ns);
    expect(await setsByRevision(ns)).toEqual({ 2: 0, 3: 3 });
    const [back] = (await plane.list<ReplicaSet>(replicaSet, ns)).filter(({ spec }) => spec.replicas === 3);
    expect(back?.metadata.annotations?.[`${prefix}revision-history`]).toBe('1');
    expect(
      plane.events
        .filter(({ about, reason }) => about === 'Deployment/web' && reason === 'ScalingReplicaSet')
        .map(({ message }) => message),
    ).toContain(`Scaled up replica set ${back?.metadata.name} from 0 to 3`);
  });

  test('with Recreate makes no new pod before the last old one has gone', async () => {
    const ns = await plane.inNamespace('recreating');
    await plane.deploy(ns, { replicas: 2, strategy: { type: 'Recreate' } });
    await finish(ns);
    await plane.patchDeployment(ns, { template: aTemplate('web:2') });
    await finish(ns, async () => {
      const images = new Set((await plane.list<Pod>(pod, ns)).map(({ spec }) => spec.containers[0]?.image));
      expect(images.size).toBeLessThan(2);
    });
  });

  test('that is paused keeps its template, takes a new size, and goes on when resumed', async () => {
    const ns = await plane.inNamespace('pausing');
    await plane.deploy(ns, { replicas: 2 });
    await finish(ns);
    await plane.patchDeployment(ns, { paused: true, replicas: 3, template: aTemplate('web:2') });
    await plane.until('three pods, paused', async () => {
      const found = await plane.getDeployment(ns);
      return (await plane.podsOf(ns)).length === 3 && progressOf(found) === 'DeploymentPaused';
    });
    expect(await setsByRevision(ns)).toEqual({ 1: 3 });
    await plane.patchDeployment(ns, { paused: false });
    await finish(ns);
    expect(await setsByRevision(ns)).toEqual({ 1: 0, 2: 3 });
  });

  test('that makes no progress in time says so, and recovers', async () => {
    const ns = await plane.inNamespace('stuck');
    await plane.deploy(ns, { replicas: 1, progressDeadlineSeconds: 1 });
    const stuck = await plane.until('the deadline passed', async () => {
      const found = await plane.getDeployment(ns);
      return progressOf(found) === 'ProgressDeadlineExceeded' && found;
    });
    expect(findCondition(stuck.status?.conditions, 'Progressing')).toMatchObject({
      status: 'False',
      message: expect.stringMatching(/^ReplicaSet "web-\w+" has timed out progressing\.$/),
    });
    await finish(ns);
  });

  test('takes another name where somebody else has the one it wants', async () => {
    const ns = await plane.inNamespace('colliding');
    await plane.deploy(ns, { replicas: 1 });
    const [squatter] = await plane.until('a set', async () => {
      const sets = await plane.list<ReplicaSet>(replicaSet, ns);
      return sets.length === 1 && sets;
    });
    const { name = '' } = squatter?.metadata ?? {};
    await plane.client.delete(deployment, { namespace: ns, name: 'web' }, { propagation: 'Orphan' }, never);
    await plane.until('it is gone', async () => (await plane.find(deployment, 'web', ns)) === undefined);
    // Nobody's, and nobody's to be.
    await plane.client.patch<ReplicaSet>(replicaSet, { namespace: ns, name }, { metadata: { labels: null } }, { type: 'merge' }, never);
    await plane.deploy(ns, { replicas: 1 });
    const found = await finish(ns);
    expect(found.status?.collisionCount).toBe(1);
    const own = (await plane.list<ReplicaSet>(replicaSet, ns)).filter(
      ({ metadata }) => metadata.ownerReferences?.[0]?.uid === found.metadata.uid,
    );
    expect(own.map(({ metadata }) => metadata.name)).toEqual([expect.not.stringMatching(`^${name}$`)]);
  });

  test('scaled in the middle of a rollout, shares the difference out', async () => {
    const ns = await plane.inNamespace('proportional');
    await plane.deploy(ns, { replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } });
    await finish(ns);
    await plane.patchDeployment(ns, { template: aTemplate('web:2') });
    // New pods never get ready: eight old ones stay, five new ones come.
    await plane.until('half-way', async () => {
      await plane.runPods(ns, () => false);
      const sizes = await setsByRevision(ns);
      return sizes['1'] === 8 && sizes['2'] === 5;
    });
    await plane.patchDeployment(ns, { replicas: 15 });
    await plane.until('shared out', async () => {
      await plane.runPods(ns, () => false);
      const sizes = await setsByRevision(ns);
      return sizes['1'] === 11 && sizes['2'] === 7;
    });
  });

  test('keeps no more old sets than its limit', async () => {
    const ns = await plane.inNamespace('history');
    await plane.deploy(ns, { replicas: 1, revisionHistoryLimit: 1 });
    await finish(ns);
    for (const image of ['web:2', 'web:3', 'web:4']) {
      await plane.patchDeployment(ns, { template: aTemplate(image) });
      await finish(ns);
    }
    await plane.until('one old set', async () => Object.keys(await setsByRevision(ns)).join() === '3,4');
  });
});
