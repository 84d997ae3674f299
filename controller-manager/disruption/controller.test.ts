import { afterAll, beforeAll, expect, test } from 'vitest';
import { daemonSet } from '#api/apps/daemon-set.ts';
import { statefulSet } from '#api/apps/stateful-set.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { controllerReference } from '#api/meta/owner-references.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { type PodDisruptionBudget, podDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import { aTemplate } from '../builders.ts';
import { ControlPlane } from '../testing.ts';

const never = new AbortController().signal;
const selector = { matchLabels: { app: 'web' } };
let plane: ControlPlane;

beforeAll(async () => {
  plane = await ControlPlane.start();
});
afterAll(async () => plane[Symbol.asyncDispose]());

async function budget(ns: string, spec: PodDisruptionBudget['spec']): Promise<void> {
  await plane.client.create<PodDisruptionBudget>(
    podDisruptionBudget,
    { metadata: { name: 'web', namespace: ns }, spec: { selector, ...spec } },
    {},
    never,
  );
}

async function says(ns: string, status: Partial<PodDisruptionBudget['status']>): Promise<void> {
  let last: PodDisruptionBudget['status'];
  await plane
    .until('the budget to say so', async () => {
      last = (await plane.find<PodDisruptionBudget>(podDisruptionBudget, 'web', ns))?.status;
      return Object.entries(status ?? {}).every(([field, value]) => (last as unknown as Record<string, unknown>)[field] === value);
    })
    .catch(() => undefined);
  expect(last).toMatchObject(status ?? {});
}

async function evict(ns: string, name: string): Promise<string> {
  return await plane.client.createSub(pod, { namespace: ns, name }, 'eviction', { metadata: { name, namespace: ns } }, never).then(
    () => 'evicted',
    (error: unknown) => String((error as Error).message),
  );
}

async function ownedPod(ns: string, kind: KindDefinition, owner: object): Promise<void> {
  const parent = await plane.client.create<KubeObject>(kind as never, owner as never, {}, never);
  const ownerReferences = [controllerReference(kind, parent)];
  const { spec, metadata } = aTemplate();
  await plane.client.create<Pod>(
    pod,
    { metadata: { ...metadata, name: 'own', namespace: ns, ownerReferences }, spec: spec as Pod['spec'] },
    {},
    never,
  );
}

test('counts what may go, charges evictions, and gives back when new pods are ready', async () => {
  const ns = await plane.inNamespace('budget-counts');
  await budget(ns, { minAvailable: 2 });
  await says(ns, { expectedPods: 0, disruptionsAllowed: 0, observedGeneration: 1 });
  await plane.deploy(ns, { replicas: 3 });
  await plane.until('pods', async () => (await plane.podsOf(ns)).length === 3);
  await says(ns, { expectedPods: 3, currentHealthy: 0, desiredHealthy: 2, disruptionsAllowed: 0 });
  await plane.runPods(ns);
  await says(ns, { expectedPods: 3, currentHealthy: 3, disruptionsAllowed: 1 });
  const [first, second] = await plane.podsOf(ns);
  expect(await evict(ns, first?.metadata.name ?? '')).toBe('evicted');
  expect(await evict(ns, second?.metadata.name ?? '')).toBe("Cannot evict pod as it would violate the pod's disruption budget.");
  await plane.until(
    'the new pod to run',
    async () => (await plane.runPods(ns), (await plane.podsOf(ns)).every(({ status }) => status?.phase === 'Running')),
  );
  await says(ns, { expectedPods: 3, currentHealthy: 3, disruptionsAllowed: 1 });
  await plane.until('the eviction to be over', async () => {
    const found = await plane.find<PodDisruptionBudget>(podDisruptionBudget, 'web', ns);
    return Object.keys(found?.status?.disruptedPods ?? {}).length === 0;
  });
});

test('shares are of what the Deployment asks for, not of what there is', async () => {
  const ns = await plane.inNamespace('budget-shares');
  await plane.deploy(ns, { replicas: 4 });
  await budget(ns, { maxUnavailable: '50%' });
  await plane.until('pods', async () => (await plane.podsOf(ns)).length === 4);
  await plane.runPods(ns, ({ metadata }) => metadata.name !== undefined);
  await says(ns, { expectedPods: 4, desiredHealthy: 2, currentHealthy: 4, disruptionsAllowed: 2 });
});

test('shares of pods of a StatefulSet; of pods without owner there are none, and the budget says so', async () => {
  const ns = await plane.inNamespace('budget-owners');
  const template = aTemplate();
  await ownedPod(ns, statefulSet as unknown as KindDefinition, {
    metadata: { name: 'db', namespace: ns },
    spec: { replicas: 5, serviceName: 'db', selector, template },
  });
  await budget(ns, { maxUnavailable: 1 });
  await says(ns, { expectedPods: 5, desiredHealthy: 4, disruptionsAllowed: 0 });
  await plane.client.create<Pod>(
    pod,
    { metadata: { ...template.metadata, name: 'stray', namespace: ns }, spec: template.spec as Pod['spec'] },
    {},
    never,
  );
  await plane.until('the warning', () =>
    Promise.resolve(plane.events.some(({ about, reason }) => about === 'PodDisruptionBudget/web' && reason === 'UnmanagedPods')),
  );
});

test('where owners have no size nothing may go, and the budget says why', async () => {
  const ns = await plane.inNamespace('budget-unsized');
  await ownedPod(ns, daemonSet as unknown as KindDefinition, {
    metadata: { name: 'agent', namespace: ns },
    spec: { selector, template: aTemplate() },
  });
  await budget(ns, { maxUnavailable: 1 });
  await plane.until('the failure', async () => {
    const found = await plane.find<PodDisruptionBudget>(podDisruptionBudget, 'web', ns);
    const [condition] = found?.status?.conditions ?? [];
    return condition?.reason === 'SyncFailed' && condition.message === 'daemonsets.apps does not implement the scale subresource';
  });
  expect(plane.events).toContainEqual({
    source: expect.any(String) as string,
    about: 'PodDisruptionBudget/web',
    reason: 'CalculateExpectedPodCountFailed',
    message: 'Failed to calculate the number of expected pods: daemonsets.apps does not implement the scale subresource',
  });
});

test('a pod that was marked to go long ago and stayed says so no more', async () => {
  const ns = await plane.inNamespace('stale-target');
  const { spec } = aTemplate();
  const made = await plane.client.create<Pod>(pod, { metadata: { name: 'stays', namespace: ns }, spec: spec as Pod['spec'] }, {}, never);
  const target = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', lastTransitionTime: '2026-01-01T00:00:00Z' };
  await plane.client.update<Pod>(pod, { ...made, status: { ...made.status, conditions: [target] } }, { subresource: 'status' }, never);
  await plane.until('the mark to be taken back', async () => {
    const found = await plane.find<Pod>(pod, 'stays', ns);
    return found?.status?.conditions?.some(({ type, status }) => type === 'DisruptionTarget' && status === 'False');
  });
});
