// What the loops of Deployments, ReplicaSets, ReplicationControllers and budgets must do, with the node agent played by the test.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ControlPlane } from '#controller-manager/testing.ts';
import { type AnyObject, ApiSession, pathOf } from '../api-session.ts';

let plane: ControlPlane;
let api: ApiSession;
const poll = { timeout: 20_000, interval: 20 };
const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'httpd', image: 'httpd' }] } };
const apps = (plural: string, ns: string): string => pathOf('apps/v1', plural, ns);
const core = (plural: string, ns: string): string => pathOf('v1', plural, ns);
const statusOf = (object: AnyObject): Readonly<Record<string, unknown>> => object['status'] as never;
const specOf = (object: AnyObject): Readonly<Record<string, unknown>> => object['spec'] as never;

beforeAll(async () => {
  plane = await ControlPlane.start();
  api = new ApiSession(plane.server.adminClientConfig);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

/** Runs pods until the object says what one waits for. */
async function until(ns: string, path: string, isIt: (object: AnyObject) => boolean): Promise<AnyObject> {
  let found: AnyObject | undefined;
  await expect
    .poll(async () => {
      await plane.runPods(ns);
      found = await api.get(path);
      return isIt(found);
    }, poll)
    .toBe(true);
  return found as AnyObject;
}

const condition = (type: string): object => ({ type, status: 'True', reason: 'E2E', message: 'Set from e2e test' });
const typesOf = (object: AnyObject): string[] => ((statusOf(object)['conditions'] ?? []) as { type: string }[]).map(({ type }) => type);

describe.each([
  ['ReplicationController', (ns: string) => core('replicationcontrollers', ns), labels],
  ['ReplicaSet', (ns: string) => apps('replicasets', ns), { matchLabels: labels }],
] as const)('a %s', (kind, pathIn, selector) => {
  const ns = `owner-${kind.toLowerCase()}`;
  const path = pathIn(ns);
  const make = (name: string, replicas: number): Promise<AnyObject> =>
    api.post(path, { metadata: { name, labels }, spec: { replicas, selector, template } });
  beforeAll(() => plane.inNamespace(ns).then(() => undefined));

  test('has its scale read, updated and patched', async () => {
    await make('scaled', 1);
    await until(ns, `${path}/scaled`, (found) => statusOf(found)['readyReplicas'] === 1);
    const scale = await api.get(`${path}/scaled/scale`);
    expect(scale).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 1 },
      status: { replicas: 1, selector: 'app=web' },
    });
    const updated = await api.put(`${path}/scaled/scale`, {
      ...scale,
      spec: { replicas: 2 },
      metadata: { ...scale.metadata, resourceVersion: '' },
    });
    expect(specOf(updated)).toEqual({ replicas: 2 });
    await until(ns, `${path}/scaled`, (found) => specOf(found)['replicas'] === 2 && statusOf(found)['readyReplicas'] === 2);
    const patched = await api.patch(`${path}/scaled/scale`, 'strategic', { spec: { replicas: 3 } });
    expect(specOf(patched)).toEqual({ replicas: 3 });
    await until(ns, `${path}/scaled`, (found) => statusOf(found)['readyReplicas'] === 3);
    await api.delete(`${path}/scaled`, { propagationPolicy: 'Background' });
    await expect.poll(async () => (await plane.runPods(ns), (await api.get(core('pods', ns))).items.length), poll).toBe(0);
  });

  test('adopts matching pods, and releases those whose labels change', async () => {
    await api.post(core('pods', ns), { metadata: { name: 'stray', labels }, spec: template.spec });
    const made = await make('adopts', 1);
    const owners = async (): Promise<string[]> =>
      ((await api.get(`${core('pods', ns)}/stray`)).metadata.ownerReferences ?? []).map(({ uid }) => uid);
    await expect.poll(owners, poll).toEqual([made.metadata.uid]);
    await api.patch(`${core('pods', ns)}/stray`, 'strategic', { metadata: { labels: { app: 'other' } } });
    await expect.poll(owners, poll).toEqual([]);
    await until(ns, `${path}/adopts`, (found) => statusOf(found)['readyReplicas'] === 1);
    await api.delete(`${path}/adopts`, { propagationPolicy: 'Background' });
    await api.delete(`${core('pods', ns)}/stray`, { gracePeriodSeconds: 0 });
  });

  test('says that quota keeps it from making pods, until that is over', async () => {
    await expect.poll(async () => (await plane.runPods(ns), (await api.get(core('pods', ns))).items.length), poll).toBe(0);
    const quotas = core('resourcequotas', ns);
    await api.post(quotas, { metadata: { name: 'condition-test' }, spec: { hard: { pods: '2' } } });
    await expect
      .poll(() => api.get(`${quotas}/condition-test`).then((found) => (statusOf(found) ?? {})['hard']), poll)
      .toEqual({ pods: '2' });
    await make('too-many', 3);
    await until(ns, `${path}/too-many`, (found) => typesOf(found).includes('ReplicaFailure'));
    await api.patch(`${path}/too-many`, 'strategic', { spec: { replicas: 2 } });
    await until(ns, `${path}/too-many`, (found) => !typesOf(found).includes('ReplicaFailure'));
    await api.delete(`${path}/too-many`, { propagationPolicy: 'Background' });
    await api.delete(`${quotas}/condition-test`);
  });

  test('has its status read, updated and patched', async () => {
    await make('told', 0);
    await until(ns, `${path}/told`, (found) => statusOf(found)['observedGeneration'] === 1);
    expect(await api.get(`${path}/told/status`)).toMatchObject({ kind, metadata: { name: 'told' } });
    const updated = await api.update(
      `${path}/told`,
      (found) => ({ ...found, status: { ...statusOf(found), conditions: [condition('StatusUpdate')] } }),
      `${path}/told/status`,
    );
    expect(typesOf(updated)).toEqual(['StatusUpdate']);
    const patched = await api.patch(`${path}/told/status`, 'merge', { status: { conditions: [condition('StatusPatched')] } });
    expect(typesOf(patched)).toEqual(['StatusPatched']);
    await api.delete(`${path}/told`);
  });
});

test('a ReplicationController runs through its lifecycle', async () => {
  const ns = await plane.inNamespace('rc-life');
  const path = core('replicationcontrollers', ns);
  await using watch = await api.watch(path, 'labelSelector=test-rc-static%3Dtrue');
  await api.post(path, {
    metadata: { name: 'rc', labels: { 'test-rc-static': 'true' } },
    spec: { replicas: 1, selector: labels, template },
  });
  await until(ns, `${path}/rc`, (found) => statusOf(found)['readyReplicas'] === 1);
  await api.patch(`${path}/rc`, 'strategic', { metadata: { labels: { 'test-rc': 'patched' } } });
  await api.patch(`${path}/rc/status`, 'strategic', { status: { readyReplicas: 0, availableReplicas: 0 } });
  await until(ns, `${path}/rc`, (found) => statusOf(found)['readyReplicas'] === 1);
  await api.patch(`${path}/rc/scale`, 'strategic', { spec: { replicas: 2 } });
  await until(ns, `${path}/rc`, (found) => statusOf(found)['readyReplicas'] === 2);
  expect((await api.get(`${pathOf('v1', 'replicationcontrollers')}?labelSelector=test-rc-static%3Dtrue`)).items).toHaveLength(1);
  await api.delete(`${path}?labelSelector=test-rc-static%3Dtrue`, { propagationPolicy: 'Background' });
  const seen = await watch.until(({ type }) => type === 'DELETED');
  expect(seen.at(0)?.type).toBe('ADDED');
  expect(seen.at(-1)?.object.metadata.labels).toMatchObject({ 'test-rc': 'patched' });
});

describe('a Deployment', () => {
  const deployment = (name: string, spec: object, label = name): object => ({
    metadata: { name, labels: { 'test-deployment-static': label } },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  });
  const ready = (count: number) => (found: AnyObject) =>
    statusOf(found)['readyReplicas'] === count &&
    statusOf(found)['updatedReplicas'] === count &&
    statusOf(found)['replicas'] === count &&
    statusOf(found)['observedGeneration'] === found.metadata.generation;

  test('runs through its lifecycle, as a watch shows', async () => {
    const ns = await plane.inNamespace('deployment-life');
    const path = apps('deployments', ns);
    await using watch = await api.watch(path, 'labelSelector=test-deployment-static%3Dlife');
    await api.post(path, deployment('life', { replicas: 2 }));
    await until(ns, `${path}/life`, ready(2));
    const image = { spec: { containers: [{ name: 'httpd', image: 'agnhost' }], terminationGracePeriodSeconds: 0 } };
    await api.patch(`${path}/life`, 'strategic', {
      metadata: { labels: { 'test-deployment': 'patched' } },
      spec: { replicas: 1, template: image },
    });
    await until(ns, `${path}/life`, ready(1));
    expect((await api.get(`${pathOf('apps/v1', 'deployments')}?labelSelector=test-deployment-static%3Dlife`)).items).toHaveLength(1);
    await api.update(`${path}/life`, (found) => ({ ...found, spec: { ...specOf(found), replicas: 2 } }));
    await until(ns, `${path}/life`, ready(2));
    expect(statusOf(await api.get(`${path}/life/status`))['readyReplicas']).toBe(2);
    await api.patch(`${path}/life/status`, 'strategic', {
      metadata: { labels: { 'test-deployment': 'patched-status' } },
      status: { readyReplicas: 0, availableReplicas: 0 },
    });
    await until(ns, `${path}/life`, ready(2));
    await api.delete(`${path}?labelSelector=test-deployment-static%3Dlife`);
    const seen = await watch.until(({ type }) => type === 'DELETED');
    // Labels of a Deployment are not changed by way of its status.
    expect(seen.at(-1)?.object.metadata.labels).toMatchObject({ 'test-deployment': 'patched' });
  });

  test('has its status read, updated and patched', async () => {
    const ns = await plane.inNamespace('deployment-status');
    const path = `${apps('deployments', ns)}/told`;
    await api.post(apps('deployments', ns), deployment('told', { replicas: 1 }));
    await until(ns, path, ready(1));
    const updated = await api.update(
      path,
      (found) => ({
        ...found,
        status: { ...statusOf(found), conditions: [...(statusOf(found)['conditions'] as object[]), condition('StatusUpdate')] },
      }),
      `${path}/status`,
    );
    expect(typesOf(updated)).toContain('StatusUpdate');
    const patched = await api.patch(`${path}/status`, 'merge', { status: { conditions: [condition('StatusPatched')] } });
    expect(typesOf(patched)).toEqual(['StatusPatched']);
  });

  test('that recreates never has pods of two templates', async () => {
    const ns = await plane.inNamespace('deployment-recreate');
    const path = `${apps('deployments', ns)}/recreates`;
    await api.post(apps('deployments', ns), deployment('recreates', { replicas: 2, strategy: { type: 'Recreate' } }));
    await until(ns, path, ready(2));
    const images = new Set<number>();
    await using watch = await api.watch(core('pods', ns));
    const rollout = (async () => {
      await api.patch(path, 'strategic', { spec: { template: { spec: { containers: [{ name: 'httpd', image: 'agnhost' }] } } } });
      await until(ns, path, ready(2));
    })();
    const alive = new Map<string, string>();
    await watch.until(({ type, object }) => {
      const [container] = specOf(object)['containers'] as { image: string }[];
      if (type === 'DELETED') alive.delete(object.metadata.uid);
      else alive.set(object.metadata.uid, container?.image ?? '');
      images.add(new Set(alive.values()).size);
      return [...alive.values()].filter((image) => image === 'agnhost').length === 2;
    });
    await rollout;
    expect(Math.max(...images)).toBe(1);
  });

  test('that rolls adopts the ReplicaSet that matches, and deletes old ones beyond its limit', async () => {
    const ns = await plane.inNamespace('deployment-rolls');
    const sets = apps('replicasets', ns);
    await api.post(sets, {
      metadata: { name: 'adopted', labels, annotations: { 'deployment.kubernetes.io/revision': '3546343826724305832' } },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    });
    await until(ns, `${sets}/adopted`, (found) => statusOf(found)['readyReplicas'] === 1);
    const path = `${apps('deployments', ns)}/rolls`;
    const agnhost = { ...template, spec: { containers: [{ name: 'agnhost', image: 'agnhost' }] } };
    await api.post(apps('deployments', ns), { ...deployment('rolls', { replicas: 1, revisionHistoryLimit: 0, template: agnhost }) });
    const done = await until(ns, path, ready(1));
    expect(done.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '3546343826724305833' });
    await expect
      .poll(async () => (await api.get(sets)).items.map(({ metadata }) => metadata.name), poll)
      .toEqual([expect.stringMatching(/^rolls-/)]);
  });
});

describe('a PodDisruptionBudget', () => {
  const selector = { matchLabels: labels };
  const evict = async (ns: string, name: string): Promise<number> =>
    (
      await api.send('POST', `${core('pods', ns)}/${name}/eviction`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace: ns },
      })
    ).code;
  const budgets = (ns: string): string => pathOf('policy/v1', 'poddisruptionbudgets', ns);
  const inUse = (ns: string, name: string, allowed: number): Promise<AnyObject> =>
    until(ns, `${budgets(ns)}/${name}`, (found) => {
      const { observedGeneration, disruptionsAllowed } = statusOf(found);
      return observedGeneration === found.metadata.generation && disruptionsAllowed === allowed;
    });

  test('blocks an eviction until it is updated to allow it', async () => {
    const ns = await plane.inNamespace('budget-blocks');
    for (const name of ['one', 'two', 'three']) await api.post(core('pods', ns), { metadata: { name, labels }, spec: template.spec });
    await plane.runPods(ns);
    await api.post(budgets(ns), { metadata: { name: 'foo' }, spec: { selector, minAvailable: 3 } });
    await inUse(ns, 'foo', 0);
    expect(await evict(ns, 'one')).toBe(429);
    await api.update(`${budgets(ns)}/foo`, (found) => ({ ...found, spec: { selector, minAvailable: 2 } }));
    await inUse(ns, 'foo', 1);
    expect(await evict(ns, 'one')).toBe(201);
    await api.patch(`${budgets(ns)}/foo`, 'strategic', { spec: { minAvailable: 3 } });
    await inUse(ns, 'foo', 0);
    expect(await evict(ns, 'two')).toBe(429);
    await api.delete(`${budgets(ns)}/foo`);
    expect(await evict(ns, 'two')).toBe(201);
  });

  test('says in its status how many may go; whoever writes it is corrected', async () => {
    const ns = await plane.inNamespace('budget-tells');
    await api.post(budgets(ns), { metadata: { name: 'foo', labels: { 'foo-set': 'yes' } }, spec: { selector, minAvailable: 1 } });
    await inUse(ns, 'foo', 0);
    for (const name of ['one', 'two']) await api.post(core('pods', ns), { metadata: { name, labels }, spec: template.spec });
    await inUse(ns, 'foo', 1);
    const path = `${budgets(ns)}/foo`;
    await api.update(
      path,
      (found) => ({ ...found, status: { ...statusOf(found), disruptedPods: { one: '2026-01-01T00:00:00Z' } } }),
      `${path}/status`,
    );
    // Nobody evicted it in time: it counts as staying.
    await until(ns, path, (found) => statusOf(found)['disruptedPods'] === undefined && statusOf(found)['disruptionsAllowed'] === 1);
    await api.patch(`${path}/status`, 'merge', { status: { disruptedPods: null, disruptionsAllowed: 7 } });
    await inUse(ns, 'foo', 1);
    await api.delete(`${budgets(ns)}?labelSelector=foo-set%3Dyes`);
    expect((await api.get(budgets(ns))).items).toEqual([]);
  });
});
