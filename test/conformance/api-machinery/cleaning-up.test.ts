// What goes with what: owners and their dependents, namespaces and all that is in them; and what quotas count.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ControlPlane } from '#controller-manager/testing.ts';
import { type AnyObject, ApiSession, pathOf } from '../api-session.ts';

let plane: ControlPlane;
let api: ApiSession;
const poll = { timeout: 20_000, interval: 20 };
const labels = { app: 'gc' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } };
const core = (plural: string, ns: string): string => pathOf('v1', plural, ns);
const statusOf = (object: AnyObject): Readonly<Record<string, unknown>> => (object['status'] ?? {}) as never;
const items = async (path: string): Promise<readonly AnyObject[]> => (await api.get(path)).items;
const reason = (path: string): Promise<string> =>
  api.get(path).then(
    () => 'there',
    (error: Error) => error.message.split(':')[0] ?? '',
  );

beforeAll(async () => {
  plane = await ControlPlane.start();
  api = new ApiSession(plane.server.adminClientConfig);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

async function controllerWithPods(ns: string, name: string, replicas: number): Promise<AnyObject> {
  const path = core('replicationcontrollers', ns);
  const own = { metadata: { labels: { ...labels, of: name } }, spec: template.spec };
  const made = await api.post(path, { metadata: { name }, spec: { replicas, selector: { ...labels, of: name }, template: own } });
  await expect.poll(async () => statusOf(await api.get(`${path}/${name}`))['replicas'], poll).toBe(replicas);
  return made;
}

describe('a ReplicationController that is deleted', () => {
  test('in the background takes its pods along', async () => {
    const ns = await plane.inNamespace('gc-background');
    await controllerWithPods(ns, 'rc', 2);
    await api.delete(`${core('replicationcontrollers', ns)}/rc`, { propagationPolicy: 'Background' });
    await expect.poll(async () => (await items(core('pods', ns))).length, poll).toBe(0);
  });

  test('as orphaning leaves its pods, without an owner', async () => {
    const ns = await plane.inNamespace('gc-orphan');
    await controllerWithPods(ns, 'rc', 5);
    await api.delete(`${core('replicationcontrollers', ns)}/rc`, { propagationPolicy: 'Orphan' });
    await expect.poll(() => reason(`${core('replicationcontrollers', ns)}/rc`), poll).toBe('NotFound');
    const pods = await items(core('pods', ns));
    expect(pods).toHaveLength(5);
    expect(pods.flatMap(({ metadata }) => metadata.ownerReferences ?? [])).toEqual([]);
  });

  test('in the foreground stays until its pods are gone', async () => {
    const ns = await plane.inNamespace('gc-foreground');
    await controllerWithPods(ns, 'rc', 5);
    await using watch = await api.watch(core('replicationcontrollers', ns));
    await api.delete(`${core('replicationcontrollers', ns)}/rc`, { propagationPolicy: 'Foreground' });
    const seen = await watch.until(({ type }) => type === 'DELETED');
    expect(seen.some(({ object }) => object.metadata.deletionTimestamp !== undefined)).toBe(true);
    expect(await items(core('pods', ns))).toEqual([]);
  });

  test('in the foreground leaves the pods that have another owner', async () => {
    const ns = await plane.inNamespace('gc-shared');
    await controllerWithPods(ns, 'goes', 4);
    const stays = await controllerWithPods(ns, 'stays', 0);
    const shared = (await items(core('pods', ns))).slice(0, 2).map(({ metadata }) => metadata.name);
    const reference = { apiVersion: 'v1', kind: 'ReplicationController', name: 'stays', uid: stays.metadata.uid };
    for (const name of shared) await api.patch(`${core('pods', ns)}/${name}`, 'strategic', { metadata: { ownerReferences: [reference] } });
    await api.delete(`${core('replicationcontrollers', ns)}/goes`, { propagationPolicy: 'Foreground' });
    await expect.poll(() => reason(`${core('replicationcontrollers', ns)}/goes`), poll).toBe('NotFound');
    const pods = await items(core('pods', ns));
    expect(pods.map(({ metadata }) => metadata.name).sort()).toEqual([...shared].sort());
    for (const { metadata } of pods) {
      expect(metadata.deletionTimestamp).toBeUndefined();
      expect(metadata.ownerReferences?.map(({ name }) => name)).toEqual(['stays']);
    }
  });
});

test('a Deployment that is deleted as orphaning leaves its ReplicaSet and pods', async () => {
  const ns = await plane.inNamespace('gc-deployment');
  const path = pathOf('apps/v1', 'deployments', ns);
  const sets = pathOf('apps/v1', 'replicasets', ns);
  await api.post(path, { metadata: { name: 'web' }, spec: { replicas: 2, selector: { matchLabels: labels }, template } });
  await expect.poll(async () => (await items(core('pods', ns))).length, poll).toBe(2);
  await api.delete(`${path}/web`, { propagationPolicy: 'Orphan' });
  await expect.poll(() => reason(`${path}/web`), poll).toBe('NotFound');
  const [set] = await items(sets);
  expect(set?.metadata.ownerReferences ?? []).toEqual([]);
  const owners = (await items(core('pods', ns))).flatMap(({ metadata }) => metadata.ownerReferences ?? []);
  expect(owners.map(({ uid }) => uid)).toEqual([set?.metadata.uid, set?.metadata.uid]);
});

describe('a namespace', () => {
  test('is patched and updated, and so is its status', async () => {
    const path = '/api/v1/namespaces/told';
    await api.post('/api/v1/namespaces', { metadata: { name: 'told' } });
    const patched = await api.patch(path, 'strategic', { metadata: { labels: { testLabel: 'testValue' } } });
    expect(patched.metadata.labels).toMatchObject({ testLabel: 'testValue', 'kubernetes.io/metadata.name': 'told' });
    const updated = await api.update(path, (found) => ({
      ...found,
      metadata: { ...found.metadata, labels: { ...found.metadata.labels, told: 'updated' } },
    }));
    expect(updated.metadata.labels).toMatchObject({ told: 'updated' });
    expect(statusOf(await api.get(`${path}/status`))).toEqual({ phase: 'Active' });
    const condition = { type: 'StatusPatch', status: 'True', reason: 'E2E', message: 'Patched by an e2e test' };
    const told = await api.patch(`${path}/status`, 'merge', {
      metadata: { annotations: { 'e2e-patched': 'yes' } },
      status: { conditions: [condition] },
    });
    expect(told).toMatchObject({
      metadata: { annotations: { 'e2e-patched': 'yes' } },
      status: { phase: 'Active', conditions: [condition] },
    });
    const again = await api.update(
      path,
      (found) => ({ ...found, status: { ...statusOf(found), conditions: [{ ...condition, type: 'StatusUpdate' }] } }),
      `${path}/status`,
    );
    expect(statusOf(again)).toMatchObject({ conditions: [{ type: 'StatusUpdate' }] });
  });

  test('that is deleted takes its pods and Services along; one of the same name starts empty', async () => {
    const ns = await plane.inNamespace('emptied');
    await api.post(core('pods', ns), { metadata: { name: 'p' }, spec: template.spec });
    await api.post(core('services', ns), { metadata: { name: 's' }, spec: { selector: labels, ports: [{ port: 80 }] } });
    await api.delete(`/api/v1/namespaces/${ns}`);
    await expect.poll(async () => (await plane.runPods(ns).catch(() => 0), reason(`/api/v1/namespaces/${ns}`)), poll).toBe('NotFound');
    await plane.inNamespace(ns);
    expect(await items(core('pods', ns))).toEqual([]);
    expect(await items(core('services', ns))).toEqual([]);
  });

  test('deletes pods before all else', async () => {
    const ns = await plane.inNamespace('ordered');
    const finalizers = ['e2e.example.com/finalizer'];
    await api.post(core('pods', ns), { metadata: { name: 'p', finalizers }, spec: template.spec });
    await api.post(core('configmaps', ns), { metadata: { name: 'm' }, data: { key: 'value' } });
    await api.delete(`/api/v1/namespaces/${ns}`);
    const conditions = async (): Promise<object[]> => (statusOf(await api.get(`/api/v1/namespaces/${ns}`))['conditions'] ?? []) as object[];
    await expect
      .poll(conditions, poll)
      .toEqual(
        expect.arrayContaining([
          expect.objectContaining({ type: 'NamespaceDeletionContentFailure', status: 'False' }),
          expect.objectContaining({ type: 'NamespaceContentRemaining', status: 'True' }),
          expect.objectContaining({ type: 'NamespaceFinalizersRemaining', status: 'True' }),
        ]),
      );
    expect((await api.get(`${core('configmaps', ns)}/m`)).metadata.deletionTimestamp).toBeUndefined();
    await api.patch(`${core('pods', ns)}/p`, 'merge', { metadata: { finalizers: null } });
    await expect.poll(() => reason(`/api/v1/namespaces/${ns}`), poll).toBe('NotFound');
  });
});

describe('a ResourceQuota', () => {
  const quotas = (ns: string): string => core('resourcequotas', ns);
  const used = async (ns: string): Promise<unknown> => statusOf(await api.get(`${quotas(ns)}/quota`))['used'];
  const quota = (ns: string, hard: object): Promise<AnyObject> => api.post(quotas(ns), { metadata: { name: 'quota' }, spec: { hard } });

  test.each<[what: string, counts: string, path: (ns: string) => string, body: object]>([
    ['configMap', 'configmaps', (ns) => core('configmaps', ns), { data: { a: 'b' } }],
    ['secret', 'secrets', (ns) => core('secrets', ns), { data: { a: 'Yg==' } }],
    [
      'replication controller',
      'replicationcontrollers',
      (ns) => core('replicationcontrollers', ns),
      { spec: { replicas: 0, selector: labels, template } },
    ],
    [
      'replica set',
      'count/replicasets.apps',
      (ns) => pathOf('apps/v1', 'replicasets', ns),
      { spec: { replicas: 0, selector: { matchLabels: labels }, template } },
    ],
    [
      'persistent volume claim',
      'persistentvolumeclaims',
      (ns) => core('persistentvolumeclaims', ns),
      { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    ],
    ['service', 'services', (ns) => core('services', ns), { spec: { ports: [{ port: 80 }] } }],
  ])('captures the life of a %s', async (what, counts, path, body) => {
    const ns = await plane.inNamespace(`quota-${what.replaceAll(' ', '-').toLowerCase()}`);
    const before = (await items(path(ns))).length;
    const shown = (count: number): object => ({ [counts]: String(count) });
    await quota(ns, { [counts]: String(before + 3) });
    // The CA of the cluster comes by itself, where it is published.
    await expect.poll(() => used(ns), poll).toEqual(shown(before));
    await api.post(path(ns), { metadata: { name: 'test-quota' }, ...body });
    await expect.poll(() => used(ns), poll).toEqual(shown(before + 1));
    await api.delete(`${path(ns)}/test-quota`, { propagationPolicy: 'Background' });
    await expect.poll(() => used(ns), poll).toEqual(shown(before));
  });

  test('captures the life of a pod, refuses what would exceed it, and a pod’s requests do not change', async () => {
    const ns = await plane.inNamespace('quota-pod');
    const aPod = (name: string, requests: object): object => ({
      metadata: { name },
      spec: { containers: [{ name: 'pause', image: 'pause', resources: { requests, limits: { 'example.com/dongle': '2' } } }] },
    });
    await quota(ns, { pods: '5', cpu: '1', memory: '500Mi', 'requests.ephemeral-storage': '50Gi', 'requests.example.com/dongle': '3' });
    const none = { pods: '0', cpu: '0', memory: '0', 'requests.ephemeral-storage': '0', 'requests.example.com/dongle': '0' };
    await expect.poll(() => used(ns), poll).toEqual(none);
    const requests = { cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi', 'example.com/dongle': '2' };
    await api.post(core('pods', ns), aPod('fits', requests));
    const charged = { pods: '1', cpu: '500m', memory: '252Mi', 'requests.ephemeral-storage': '30Gi', 'requests.example.com/dongle': '2' };
    await expect.poll(() => used(ns), poll).toEqual(charged);
    await expect(api.post(core('pods', ns), aPod('too-much', { ...requests, cpu: '600m' }))).rejects.toThrow(
      /^Forbidden: .*exceeded quota: quota/,
    );
    const grown = api.update(`${core('pods', ns)}/fits`, () => ({ ...aPod('fits', { ...requests, cpu: '100m' }) }));
    await expect(grown).rejects.toThrow(/^Invalid: /);
    await expect.poll(() => used(ns), poll).toEqual(charged);
    await api.delete(`${core('pods', ns)}/fits`, { gracePeriodSeconds: 0 });
    await expect.poll(() => used(ns), poll).toEqual(none);
  });

  test('is updated and deleted', async () => {
    const ns = await plane.inNamespace('quota-changes');
    await quota(ns, { cpu: '1', memory: '500Mi' });
    const updated = await api.update(`${quotas(ns)}/quota`, (found) => ({ ...found, spec: { hard: { cpu: '2', memory: '1Gi' } } }));
    expect(updated['spec']).toEqual({ hard: { cpu: '2', memory: '1Gi' } });
    await expect.poll(async () => statusOf(await api.get(`${quotas(ns)}/quota`))['hard'], poll).toEqual({ cpu: '2', memory: '1Gi' });
    await api.delete(`${quotas(ns)}/quota`);
    expect(await reason(`${quotas(ns)}/quota`)).toBe('NotFound');
  });

  test('has its status updated and patched; whoever writes it leaves the spec alone, and is corrected', async () => {
    const ns = await plane.inNamespace('quota-status');
    const path = `${quotas(ns)}/quota`;
    const hard = { cpu: '500m', memory: '500Mi' };
    await quota(ns, hard);
    const says = async (wanted: object): Promise<void> =>
      await expect.poll(async () => statusOf(await api.get(path))['hard'], poll).toEqual(wanted);
    await says(hard);
    await using watch = await api.watch(path.replace(/\/quota$/, ''), 'fieldSelector=metadata.name%3Dquota');
    await api.update(
      path,
      (found) => ({ ...found, status: { ...statusOf(found), hard: { cpu: '600m', memory: '600Mi' } } }),
      `${path}/status`,
    );
    await watch.until(({ object }) => (statusOf(object)['hard'] as { cpu?: string }).cpu === '600m');
    await says(hard);
    const grown = { cpu: '1', memory: '1Gi' };
    await api.patch(path, 'strategic', { spec: { hard: grown } });
    await says(grown);
    const patched = await api.patch(`${path}/status`, 'strategic', {
      spec: { hard: { cpu: '9', memory: '9Gi' } },
      status: { hard: { cpu: '2', memory: '2Gi' } },
    });
    expect(patched).toMatchObject({ spec: { hard: grown }, status: { hard: { cpu: '2', memory: '2Gi' } } });
    await says(grown);
    expect((await api.get(path))['spec']).toEqual({ hard: grown });
  });
});
