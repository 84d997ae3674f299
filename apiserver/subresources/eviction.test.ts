// Evictions through a whole server.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { V1PodDisruptionBudgetStatus } from '#api/generated/types.ts';
import { pod, type Pod } from '#api/core/pod/pod.ts';
import { type PodDisruptionBudget, podDisruptionBudget } from '#api/policy/pod-disruption-budget.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let client: RestClient;
const { signal } = new AbortController();
const namespace = 'default';

beforeAll(async () => {
  server = await startTestApiServer({ admissionPlugins: [] });
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

let count = 0;
let name: string;
let labels: Record<string, string>;

beforeEach(() => {
  name = `p${++count}`;
  labels = { app: name };
});

type Ready = 'True' | 'False';

/** A pod on a node that stays for a while after its deletion, in this state. */
async function makePod(phase: string, ready: Ready = 'True'): Promise<Pod> {
  const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] };
  await client.create(pod, { metadata: { namespace, name, labels }, spec }, {}, signal);
  const status = { phase, conditions: [{ type: 'Ready', status: ready }] };
  return await client.patch(pod, { namespace, name }, { status }, { type: 'merge', subresource: 'status' }, signal);
}

async function makeBudget(spec: Partial<PodDisruptionBudget['spec']>, status: Partial<V1PodDisruptionBudgetStatus>): Promise<void> {
  const selector = { matchLabels: labels };
  const made = await client.create(podDisruptionBudget, { metadata: { namespace, name }, spec: { selector, ...spec } }, {}, signal);
  const counted = { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 1, ...status };
  await client.update(podDisruptionBudget, { ...made, status: counted }, { subresource: 'status' }, signal);
}

const evict = (deleteOptions?: object, query = '', apiVersion = 'policy/v1'): Promise<unknown> => {
  const body = { apiVersion, kind: 'Eviction', metadata: { name, namespace }, ...(deleteOptions && { deleteOptions }) };
  return client.raw('POST', `/api/v1/namespaces/${namespace}/pods/${name}/eviction${query}`, body, signal);
};
const getPod = (): Promise<Pod> => client.get(pod, { namespace, name }, signal);
const getBudget = (): Promise<PodDisruptionBudget> => client.get(podDisruptionBudget, { namespace, name }, signal);
const isGoing = async (): Promise<boolean> => (await getPod()).metadata.deletionTimestamp !== undefined;

test('without a budget a pod goes, and says why', async () => {
  await makePod('Running');
  expect(await evict()).toMatchObject({ kind: 'Status', status: 'Success', code: 201 });
  const { metadata, status } = await getPod();
  expect(metadata.deletionTimestamp).toBeDefined();
  const target = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  expect(target).toMatchObject({ status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' });
});

test('the older version of the body is taken', async () => {
  await makePod('Running');
  await evict(undefined, '', 'policy/v1beta1');
  expect(await isGoing()).toBe(true);
});

test('a budget counts what goes, and refuses more', async () => {
  await makePod('Running');
  await makeBudget({}, {});
  await evict();
  expect(await isGoing()).toBe(true);
  const { status } = await getBudget();
  expect(status).toMatchObject({ disruptionsAllowed: 0, conditions: [{ type: 'DisruptionAllowed', status: 'False' }] });
  expect(Object.keys(status?.disruptedPods ?? {})).toEqual([name]);
});

test('a used-up budget refuses', async () => {
  await makePod('Running');
  await makeBudget({}, { disruptionsAllowed: 0 });
  await expect(evict()).rejects.toMatchObject({
    code: 429,
    reason: 'TooManyRequests',
    details: {
      causes: [{ reason: 'DisruptionBudget', message: `The disruption budget ${name} needs 1 healthy pods and has 1 currently` }],
    },
  });
  expect(await isGoing()).toBe(false);
});

test('a dry run changes nothing, but is refused where the real one were', async () => {
  await makePod('Running');
  await makeBudget({}, {});
  expect(await evict(undefined, '?dryRun=All')).toMatchObject({ status: 'Success' });
  expect(await evict({ dryRun: ['All'] })).toMatchObject({ status: 'Success' });
  expect([await isGoing(), (await getBudget()).status?.disruptionsAllowed]).toEqual([false, 1]);
  expect((await getPod()).status?.conditions?.map(({ type }) => type)).toEqual(['Ready']);
  const { metadata } = await getBudget();
  const status = { disruptionsAllowed: 0 };
  await client.patch(
    podDisruptionBudget,
    { namespace, name: metadata.name! },
    { status },
    { type: 'merge', subresource: 'status' },
    signal,
  );
  await expect(evict(undefined, '?dryRun=All')).rejects.toMatchObject({ code: 429 });
});

test.each<[string, Ready]>([
  ['Succeeded', 'False'],
  ['Failed', 'False'],
  ['Pending', 'False'],
])('a pod that is %s asks no budget', async (phase, ready) => {
  await makePod(phase, ready);
  await makeBudget({}, { disruptionsAllowed: 0 });
  await evict();
  await expect(
    getPod().then(
      ({ metadata }) => metadata.deletionTimestamp ?? 'stays',
      () => 'gone',
    ),
  ).resolves.not.toBe('stays');
  expect((await getBudget()).status?.disruptedPods).toBeUndefined();
});

test('a pod that is not ready goes uncounted where its budget is healthy', async () => {
  await makePod('Running', 'False');
  await makeBudget({}, { disruptionsAllowed: 0 });
  await evict();
  expect([await isGoing(), (await getBudget()).status?.disruptedPods]).toEqual([true, undefined]);
});

test('two budgets are one too many', async () => {
  await makePod('Running');
  await makeBudget({}, {});
  await client.create(
    podDisruptionBudget,
    { metadata: { namespace, name: `${name}-2` }, spec: { selector: { matchLabels: labels } } },
    {},
    signal,
  );
  await expect(evict()).rejects.toMatchObject({
    code: 500,
    message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
  });
});

test('preconditions and names are kept', async () => {
  const { metadata } = await makePod('Running');
  const stale = { preconditions: { resourceVersion: '1' } };
  await expect(evict(stale)).rejects.toMatchObject({ reason: 'Conflict' });
  await expect(evict({ preconditions: { uid: 'x' } })).rejects.toMatchObject({ reason: 'Conflict' });
  const other = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'other' } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  await expect(client.raw('POST', path, other, signal)).rejects.toMatchObject({
    code: 400,
    message: 'name in URL does not match name in Eviction object',
  });
  expect(await isGoing()).toBe(false);
  await evict({ preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } });
  expect(await isGoing()).toBe(true);
});
