import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { type Namespace, namespace } from '#api/core/namespace.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { ControlPlane } from '../testing.ts';

const never = new AbortController().signal;

describe.concurrent('a namespace that is deleted', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await ControlPlane.start();
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  const isGone = async (ns: string): Promise<boolean> => (await plane.find(namespace, ns)) === undefined;
  const hold = (ns: string, name: string, finalizers: string[] | null): Promise<unknown> =>
    plane.client.patch<ConfigMap>(configMap, { namespace: ns, name }, { metadata: { finalizers } }, { type: 'merge' }, never);

  test('goes as soon as what it holds is gone', async () => {
    const ns = await plane.inNamespace('doomed');
    await plane.deploy(ns, { replicas: 2 });
    await plane.until('pods', async () => (await plane.podsOf(ns)).length === 2);
    // With half a minute of grace: looking again without a cause would come too late for this test.
    const spec = { nodeName: 'n1', terminationGracePeriodSeconds: 30, containers: [{ name: 'a', image: 'a' }] };
    await plane.client.create<Pod>(pod, { metadata: { name: 'graceful', namespace: ns }, spec }, {}, never);
    await plane.client.delete(namespace, { name: ns }, {}, never);
    await plane.until('the pod is going', async () => (await plane.find(pod, 'graceful', ns))?.metadata.deletionTimestamp !== undefined);
    expect(await isGone(ns)).toBe(false);
    await plane.until('gone', async () => {
      await plane.runPods(ns);
      return await isGone(ns);
    });
    expect((await plane.list(configMap, ns)).length).toBe(0);
  });

  test('keeps everything else until its last pod has ended', async () => {
    const ns = await plane.inNamespace('ordered');
    await plane.client.create<ConfigMap>(configMap, { metadata: { name: 'needed', namespace: ns } }, {}, never);
    const metadata = { name: 'slow', namespace: ns, finalizers: ['example.com/hold'] };
    await plane.client.create<Pod>(pod, { metadata, spec: { containers: [{ name: 'a', image: 'a' }] } }, {}, never);
    await plane.client.delete(namespace, { name: ns }, {}, never);
    const found = await plane.until('it says why', async () => {
      const seen = await plane.find<Namespace>(namespace, ns);
      return findCondition(seen?.status?.conditions, 'NamespaceContentRemaining')?.status === 'True' && seen;
    });
    expect(found.status?.phase).toBe('Terminating');
    expect(findCondition(found.status?.conditions, 'NamespaceContentRemaining')?.message).toBe(
      'Some resources are remaining: pods. has 1 resource instances',
    );
    expect(await plane.find(configMap, 'needed', ns)).toMatchObject({ metadata: { name: 'needed' } });
    await plane.client.patch<Pod>(pod, { namespace: ns, name: 'slow' }, { metadata: { finalizers: null } }, { type: 'merge' }, never);
    await plane.until('gone', () => isGone(ns));
  });

  test('is held by finalizers, names them, and goes with them', async () => {
    const ns = await plane.inNamespace('held');
    await plane.client.create<ConfigMap>(configMap, { metadata: { name: 'held', namespace: ns } }, {}, never);
    await hold(ns, 'held', ['example.com/hold']);
    await plane.client.delete(namespace, { name: ns }, {}, never);
    await plane.until('the finalizer is named', async () => {
      const found = await plane.find<Namespace>(namespace, ns);
      const { message = '' } = findCondition(found?.status?.conditions, 'NamespaceFinalizersRemaining') ?? {};
      return message === 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances';
    });
    await hold(ns, 'held', null);
    await plane.until('gone', () => isGone(ns));
  });
});
