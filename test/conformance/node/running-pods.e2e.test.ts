// Pods in the hands of a scheduler and node agents, with simulated containers: lives, generations, deadlines, where they may run.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointOf, parseKubeconfig } from '#client/kubeconfig.ts';
import { ApiSession, type AnyObject, pathOf } from '../api-session.ts';
import { type RunningCluster, startRunningCluster } from '#test/integration/running/running-cluster.ts';
import { defaultKubectl } from '#test/testbed/kubectl.ts';

const pods = pathOf('v1', 'pods', 'default');
const nodes = pathOf('v1', 'nodes');
const poll = { timeout: 60_000, interval: 100 };
let cluster: RunningCluster;
let api: ApiSession;

interface Status {
  readonly phase?: string;
  readonly reason?: string;
  readonly hostIP?: string;
  readonly observedGeneration?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly observedGeneration?: number;
  }[];
}
const statusOf = (object: AnyObject): Status => (object['status'] ?? {}) as Status;
const specOf = (object: AnyObject): Readonly<Record<string, unknown>> => object['spec'] as never;
const nodeNameOf = async (name: string): Promise<unknown> => specOf(await api.get(`${pods}/${name}`))['nodeName'];
const phase = async (name: string): Promise<string | undefined> => statusOf(await api.get(`${pods}/${name}`)).phase;

function body(name: string, spec: object = {}, labels: object = {}): object {
  return {
    metadata: { name, labels },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'pause' }], ...spec },
  };
}

beforeAll(async () => {
  cluster = await startRunningCluster(defaultKubectl(), 2);
  api = new ApiSession(endpointOf(parseKubeconfig(cluster.cluster.kubeconfig, { name: 'config', folder: '/' })));
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

describe('a pod', () => {
  test('is submitted, runs, and is removed, as a watch shows', async () => {
    const selector = 'labelSelector=time%3Dnow';
    await using watch = await api.watch(pods, selector);
    await api.post(pods, body('lived', {}, { time: 'now' }));
    expect((await api.get(`${pods}?${selector}`)).items).toHaveLength(1);
    const running = (await watch.until(({ object }) => statusOf(object).phase === 'Running')).at(-1)?.object as AnyObject;
    expect(statusOf(running).hostIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    await api.delete(`${pods}/lived`);
    const seen = await watch.until(({ type }) => type === 'DELETED');
    expect(seen.some(({ type, object }) => type === 'MODIFIED' && object.metadata.deletionTimestamp !== undefined)).toBe(true);
    expect((await api.get(`${pods}?${selector}`)).items).toEqual([]);
  });

  test('ends when its active deadline has passed', async () => {
    await api.post(pods, body('hurries', {}, { time: 'short' }));
    await expect.poll(() => phase('hurries'), poll).toBe('Running');
    await api.update(`${pods}/hurries`, (found) => ({ ...found, spec: { ...specOf(found), activeDeadlineSeconds: 1 } }));
    await expect
      .poll(async () => statusOf(await api.get(`${pods}/hurries`)), poll)
      .toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    await api.delete(`${pods}/hurries`);
  });

  test('has its label updated, and is found by it', async () => {
    await api.post(pods, body('renamed', {}, { moment: 'now' }));
    await expect.poll(() => phase('renamed'), poll).toBe('Running');
    await api.update(`${pods}/renamed`, (found) => ({ ...found, metadata: { ...found.metadata, labels: { moment: 'then' } } }));
    expect((await api.get(`${pods}?labelSelector=moment%3Dthen`)).items.map(({ metadata }) => metadata.name)).toEqual(['renamed']);
    await api.delete(`${pods}/renamed`);
  });

  test('has each of 500 generations observed in the end, also that of its deletion', async () => {
    await api.post(pods, body('counted', { activeDeadlineSeconds: 100_000, terminationGracePeriodSeconds: 30 }));
    await expect.poll(() => phase('counted'), poll).toBe('Running');
    for (let seconds = 99_999; seconds > 99_500; seconds--)
      await api.patch(`${pods}/counted`, 'merge', { spec: { activeDeadlineSeconds: seconds } });
    const found = await api.get(`${pods}/counted`);
    expect(found.metadata.generation).toBe(500);
    await expect.poll(async () => statusOf(await api.get(`${pods}/counted`)).observedGeneration, poll).toBe(500);
    await expect
      .poll(
        async () => statusOf(await api.get(`${pods}/counted`)).conditions?.find(({ type }) => type === 'Ready')?.observedGeneration,
        poll,
      )
      .toBe(500);
    await using watch = await api.watch(pods, 'fieldSelector=metadata.name%3Dcounted');
    expect((await api.delete(`${pods}/counted`)).metadata.generation).toBe(501);
    await watch.until(({ type }) => type === 'DELETED');
  });

  test('and others are deleted as a collection', async () => {
    for (const at of [1, 2, 3]) await api.post(pods, body(`set-${at}`, {}, { type: 'Testing' }));
    expect((await api.get(`${pods}?labelSelector=type%3DTesting`)).items).toHaveLength(3);
    await api.delete(`${pods}?labelSelector=type%3DTesting`, { gracePeriodSeconds: 1 });
    await expect.poll(async () => (await api.get(`${pods}?labelSelector=type%3DTesting`)).items.length, poll).toBe(0);
  });
});

describe('the scheduler', () => {
  const refused = async (name: string): Promise<string | undefined> =>
    statusOf(await api.get(`${pods}/${name}`)).conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
      ?.reason;

  test('places a pod on the node that has the label it asks for, and nowhere where none has', async () => {
    await api.patch(`${nodes}/node-2`, 'strategic', { metadata: { labels: { 'e2e-key': '42' } } });
    await api.post(pods, body('selects', { nodeSelector: { 'e2e-key': '42' } }));
    await expect.poll(() => nodeNameOf('selects'), poll).toBe('node-2');
    await api.post(pods, body('selects-none', { nodeSelector: { 'e2e-key': 'nowhere' } }));
    await expect.poll(() => refused('selects-none'), poll).toBe('Unschedulable');
    for (const name of ['selects', 'selects-none']) await api.delete(`${pods}/${name}`);
  });

  test('keeps pods apart that want the same host port and protocol, where one of them wants all addresses', async () => {
    const wants = (hostIP: string | undefined, protocol = 'TCP') => ({
      nodeSelector: { 'kubernetes.io/hostname': 'node-1' },
      containers: [
        {
          name: 'main',
          image: 'pause',
          ports: [{ containerPort: 8080, hostPort: 54322, protocol, ...(hostIP === undefined ? {} : { hostIP }) }],
        },
      ],
    });
    await api.post(pods, body('everywhere', wants(undefined)));
    await expect.poll(() => nodeNameOf('everywhere'), poll).toBe('node-1');
    await api.post(pods, body('one-address', wants('127.0.0.1')));
    await expect.poll(() => refused('one-address'), poll).toBe('Unschedulable');
    await api.post(pods, body('other-protocol', wants('127.0.0.1', 'UDP')));
    await expect.poll(() => nodeNameOf('other-protocol'), poll).toBe('node-1');
    await api.delete(`${pods}/everywhere`, { gracePeriodSeconds: 0 });
    await expect.poll(() => nodeNameOf('one-address'), poll).toBe('node-1');
    for (const name of ['one-address', 'other-protocol']) await api.delete(`${pods}/${name}`);
  });

  test('sends a less important pod away for a critical one, and keeps more important ones', async () => {
    // Two of five are taken on each node.
    for (const name of ['node-1', 'node-2']) {
      await api.patch(`${nodes}/${name}/status`, 'strategic', {
        status: { capacity: { 'scheduling.k8s.io/foo': '5' }, allocatable: { 'scheduling.k8s.io/foo': '5' } },
      });
    }
    for (const [name, value] of [
      ['low', 1],
      ['medium', 100],
    ] as const) {
      await api.post(pathOf('scheduling.k8s.io/v1', 'priorityclasses'), { metadata: { name }, value });
    }
    const taking = (priorityClassName: string, nodeName?: string) => ({
      priorityClassName,
      containers: [
        {
          name: 'main',
          image: 'pause',
          resources: { requests: { 'scheduling.k8s.io/foo': '3' }, limits: { 'scheduling.k8s.io/foo': '3' } },
        },
      ],
      ...(nodeName === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': nodeName } }),
    });
    await api.post(pods, body('low', taking('low', 'node-1')));
    await api.post(pods, body('medium', taking('medium', 'node-2')));
    for (const name of ['low', 'medium']) await expect.poll(() => phase(name), poll).toBe('Running');
    const system = pathOf('v1', 'pods', 'kube-system');
    await api.post(system, body('critical', taking('system-cluster-critical')));
    await expect.poll(async () => specOf(await api.get(`${system}/critical`))['nodeName'], poll).toBe('node-1');
    await expect
      .poll(
        () =>
          api.get(`${pods}/low`).then(
            () => 'there',
            (error: Error) => error.message.split(':')[0],
          ),
        poll,
      )
      .toBe('NotFound');
    expect((await api.get(`${pods}/medium`)).metadata.deletionTimestamp).toBeUndefined();
  });
});
