import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployment } from '#api/apps/deployment.ts';
import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type Secret, secret } from '#api/core/secret.ts';
import type { V1OwnerReference } from '#api/generated/types.ts';
import { ownerReference } from '#api/meta/owner-references.ts';
import { ControlPlane } from '../testing.ts';

const never = new AbortController().signal;

describe.concurrent('the garbage collector', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await ControlPlane.start();
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  const make = (ns: string, name: string, ...ownerReferences: V1OwnerReference[]): Promise<ConfigMap> =>
    plane.client.create<ConfigMap>(configMap, { metadata: { name, namespace: ns, ownerReferences } }, {}, never);
  const blocking = (reference: V1OwnerReference): V1OwnerReference => ({ ...reference, blockOwnerDeletion: true });
  const oneDeployedPod = async (ns: string): Promise<Pod> => {
    await plane.deploy(ns, { replicas: 1 });
    return await plane.until('a pod', async () => (await plane.podsOf(ns))[0]);
  };
  const isGone = async (ns: string, name: string): Promise<boolean> => (await plane.find(configMap, name, ns)) === undefined;

  test('in the background takes the dependents along', async () => {
    const ns = await plane.inNamespace('background');
    await oneDeployedPod(ns);
    await plane.client.delete(deployment, { namespace: ns, name: 'web' }, {}, never);
    await plane.until('all gone', async () => {
      await plane.runPods(ns);
      return (await plane.list(replicaSet, ns)).length === 0 && (await plane.list(pod, ns)).length === 0;
    });
  });

  test('in the foreground keeps the owner until the dependents are gone', async () => {
    const ns = await plane.inNamespace('foreground');
    const { metadata } = await oneDeployedPod(ns);
    const key = { namespace: ns, name: metadata.name ?? '' };
    await plane.client.patch<Pod>(pod, key, { metadata: { finalizers: ['example.com/hold'] } }, { type: 'merge' }, never);
    await plane.client.delete(deployment, { namespace: ns, name: 'web' }, { propagation: 'Foreground' }, never);
    await plane.until('the pod is going', async () => (await plane.find(pod, key.name, ns))?.metadata.deletionTimestamp !== undefined);
    expect((await plane.getDeployment(ns)).metadata.finalizers).toContain('foregroundDeletion');
    await plane.client.patch<Pod>(pod, key, { metadata: { finalizers: null } }, { type: 'merge' }, never);
    await plane.until('all gone', async () => {
      await plane.runPods(ns);
      return (await plane.list(deployment, ns)).length === 0 && (await plane.list(pod, ns)).length === 0;
    });
  });

  test('leaves orphans without owner', async () => {
    const ns = await plane.inNamespace('orphans');
    await oneDeployedPod(ns);
    await plane.client.delete(deployment, { namespace: ns, name: 'web' }, { propagation: 'Orphan' }, never);
    await plane.until('the owner is gone', async () => (await plane.find(deployment, 'web', ns)) === undefined);
    const [set] = await plane.list<ReplicaSet>(replicaSet, ns);
    expect(set?.metadata.ownerReferences ?? []).toEqual([]);
    expect((await plane.podsOf(ns)).length).toBe(1);
  });

  test('deletes what names an owner that never was, or another one of its name', async () => {
    const ns = await plane.inNamespace('absent');
    const owner = await make(ns, 'owner');
    await make(ns, 'kept', ownerReference(configMap, owner));
    await make(ns, 'unknown', { ...ownerReference(configMap, owner), name: 'nobody' });
    await make(ns, 'impostor', { ...ownerReference(configMap, owner), uid: 'another' });
    await plane.until('both gone', async () => (await isGone(ns, 'unknown')) && (await isGone(ns, 'impostor')));
    expect(await isGone(ns, 'kept')).toBe(false);
  });

  test('keeps what has another owner, of another kind, and forgets the lost one', async () => {
    const ns = await plane.inNamespace('several');
    const one = await make(ns, 'one');
    const other = await plane.client.create<Secret>(secret, { metadata: { name: 'other', namespace: ns } }, {}, never);
    await make(ns, 'child', blocking(ownerReference(configMap, one)), ownerReference(secret, other));
    await plane.client.delete(configMap, { namespace: ns, name: 'one' }, { propagation: 'Foreground' }, never);
    await plane.until('the owner is gone', () => isGone(ns, 'one'));
    const child = await plane.find<ConfigMap>(configMap, 'child', ns);
    expect(child?.metadata.ownerReferences).toEqual([ownerReference(secret, other)]);
    expect(child?.metadata.deletionTimestamp).toBeUndefined();
    await plane.client.delete(secret, { namespace: ns, name: 'other' }, {}, never);
    await plane.until('the child is gone', () => isGone(ns, 'child'));
  });

  test('breaks circles', async () => {
    const ns = await plane.inNamespace('circles');
    const first = await make(ns, 'first');
    const second = await make(ns, 'second', blocking(ownerReference(configMap, first)));
    const back = { metadata: { ownerReferences: [blocking(ownerReference(configMap, second))] } };
    await plane.client.patch<ConfigMap>(configMap, { namespace: ns, name: 'first' }, back, { type: 'merge' }, never);
    await plane.client.delete(configMap, { namespace: ns, name: 'first' }, { propagation: 'Foreground' }, never);
    await plane.until('both gone', async () => (await isGone(ns, 'first')) && (await isGone(ns, 'second')));
  });

  test('keeps what it cannot judge: a cluster-wide object of a namespaced owner, owners of unknown kinds', async () => {
    const ns = await plane.inNamespace('unjudged');
    const owner = await make(ns, 'owner');
    const metadata = { name: 'misled', ownerReferences: [ownerReference(configMap, owner)] };
    await plane.client.create<Node>(node, { metadata }, {}, never);
    await make(ns, 'foreign', { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'w' });
    await plane.until('the complaint', async () =>
      plane.events.some(({ about, reason }) => about === 'Node/misled' && reason === 'OwnerRefInvalidNamespace'),
    );
    expect(await plane.find(node, 'misled')).toBeDefined();
    expect(await isGone(ns, 'foreign')).toBe(false);
  });
});
