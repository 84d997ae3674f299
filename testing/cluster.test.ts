// As somebody else's tests use it: the kubeconfig in the hands of another client.
import { once } from 'node:events';
import { type AddressInfo, connect as dial, createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { AppsV1Api, CoreV1Api, Exec, KubeConfig, PortForward, type V1Status } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Cluster, type ContainerProgram, startCluster } from './cluster.ts';

const namespace = 'default';
const labels = { app: 'web' };
/** A machine that does much else may take its time; what is here waits, and measures nothing. */
const limitMs = 120_000;
const poll = { timeout: limitMs, interval: 50 };
const patience = { timeout: limitMs };

function clientOf(cluster: Cluster): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(cluster.kubeconfig);
  return config;
}

describe('a cluster with programs', patience, () => {
  let cluster: Cluster;
  let config: KubeConfig;
  let core: CoreV1Api;
  const server: ContainerProgram = async ({ print, env, listen, terminated }) => {
    listen(8080, (connection) => void connection.end(`this is ${env['NAME']}\n`));
    await print(`${env['NAME']} listens\n`);
    await terminated;
    return 0;
  };
  const programs = { server, fails: () => Promise.resolve(3) };

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2, programs });
    config = clientOf(cluster);
    core = config.makeApiClient(CoreV1Api);
    const containers = [{ name: 'main', image: 'server', env: [{ name: 'NAME', value: 'web' }] }];
    const template = { metadata: { labels }, spec: { containers } };
    const apps = config.makeApiClient(AppsV1Api);
    const body = { metadata: { name: 'web' }, spec: { replicas: 2, selector: { matchLabels: labels }, template } };
    await apps.createNamespacedDeployment({ namespace, body });
    await vi.waitFor(async () => {
      expect((await apps.readNamespacedDeployment({ namespace, name: 'web' })).status?.availableReplicas).toBe(2);
    }, poll);
  }, limitMs);
  afterAll(async () => cluster?.stop(), limitMs);

  const podNames = async (): Promise<string[]> =>
    (await core.listNamespacedPod({ namespace, labelSelector: 'app=web', fieldSelector: 'status.phase=Running' })).items.map(
      ({ metadata }) => metadata?.name ?? '',
    );

  test('has its nodes, and runs what a Deployment asks for on them', async () => {
    const { items } = await core.listNode();
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(['node-1', 'node-2']);
    const [name = ''] = await podNames();
    expect(await core.readNamespacedPodLog({ namespace, name })).toBe('web listens\n');
  });

  test('reaches the ports that programs listen at', async () => {
    const [name = ''] = await podNames();
    const forward = new PortForward(config);
    const local = createServer((socket) => void forward.portForward(namespace, name, [8080], socket, null, socket));
    local.listen(0, '127.0.0.1');
    await once(local, 'listening');
    const socket = dial((local.address() as AddressInfo).port, '127.0.0.1');
    const [said] = (await once(socket, 'data')) as [Buffer];
    expect(said.toString()).toBe('this is web\n');
    socket.destroy();
    local.close();
  });

  test('executes programs in containers', async () => {
    const [name = ''] = await podNames();
    const status = await new Promise<V1Status>((resolve, reject) => {
      const none = new PassThrough();
      new Exec(config).exec(namespace, name, 'main', ['fails'], none, none, null, false, resolve).catch(reject);
    });
    expect(status).toMatchObject({ status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '3' }] } });
  });
});

test('without nodes, pods wait', patience, async () => {
  await using cluster = await startCluster({ nodes: 0 });
  const core = clientOf(cluster).makeApiClient(CoreV1Api);
  await core.createNamespacedPod({ namespace, body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } } });
  const scheduled = async (): Promise<unknown> =>
    (await core.readNamespacedPod({ namespace, name: 'p' })).status?.conditions?.find(({ type }) => type === 'PodScheduled');
  await expect
    .poll(scheduled, poll)
    .toMatchObject({ status: 'False', reason: 'Unschedulable', message: 'no nodes available to schedule pods' });
});

test('two of them know nothing of each other', patience, async () => {
  await using one = await startCluster();
  await using other = await startCluster();
  expect(one.url).not.toBe(other.url);
  await clientOf(one)
    .makeApiClient(CoreV1Api)
    .createNamespacedConfigMap({ namespace, body: { metadata: { name: 'mine' } } });
  const { items } = await clientOf(other).makeApiClient(CoreV1Api).listNamespacedConfigMap({ namespace });
  expect(items.map(({ metadata }) => metadata?.name)).not.toContain('mine');
});

test('a number of nodes that cannot be is refused, and waiting ends with its signal', patience, async () => {
  await expect(startCluster({ nodes: -1 })).rejects.toThrow('a cluster has 0 to 250 nodes, not -1');
  await expect(startCluster({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});
