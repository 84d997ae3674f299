// Somebody else's client, @kubernetes/client-node, against a cluster: objects, watches, informers, exec, logs, port-forward.
import { type AddressInfo, createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import {
  AppsV1Api,
  ApiException,
  CoreV1Api,
  Exec,
  type Informer,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Pod,
  type V1Status,
  Watch,
} from '@kubernetes/client-node';
import { beforeAll, expect, test } from 'vitest';
import { until } from '#test/e2e/cluster.ts';
import { deploymentManifest, podManifest } from '#test/e2e/manifests.ts';
import { useCluster } from '#test/e2e/use-cluster.ts';

const cluster = useCluster();
const config = new KubeConfig();
let core: CoreV1Api;
const namespace = 'default';

beforeAll(async () => {
  config.loadFromString(await cluster().host.sh('cat /root/.kube/config'));
  const port = await cluster().host.forward(6443);
  config.clusters = config.clusters.map((one) => ({ ...one, server: `https://127.0.0.1:${port}` }));
  core = config.makeApiClient(CoreV1Api);
});

const settings = (name: string, data: Record<string, string>): V1ConfigMap => ({ metadata: { name }, data });

test('creates, reads, lists, changes and deletes', async () => {
  const made = await core.createNamespacedConfigMap({ namespace, body: settings('one', { a: '1' }) });
  expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
  expect((await core.readNamespacedConfigMap({ namespace, name: 'one' })).data).toEqual({ a: '1' });
  await core.replaceNamespacedConfigMap({ namespace, name: 'one', body: Object.assign(structuredClone(made), { data: { a: '2' } }) });
  const stale = core.replaceNamespacedConfigMap({
    namespace,
    name: 'one',
    body: Object.assign(structuredClone(made), { data: { a: '3' } }),
  });
  await expect(stale).rejects.toMatchObject({ code: 409 });
  const patch = (body: unknown, strategy: string): Promise<V1ConfigMap> =>
    core.patchNamespacedConfigMap({ namespace, name: 'one', body }, setHeaderOptions('Content-Type', strategy));
  expect((await patch([{ op: 'add', path: '/data/b', value: '3' }], PatchStrategy.JsonPatch)).data).toEqual({ a: '2', b: '3' });
  expect((await patch({ data: { b: null } }, PatchStrategy.MergePatch)).data).toEqual({ a: '2' });
  expect((await patch({ data: { c: '4' } }, PatchStrategy.StrategicMergePatch)).data).toEqual({ a: '2', c: '4' });
  const { items } = await core.listNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name=one' });
  expect(items.map(({ metadata }) => metadata?.name)).toEqual(['one']);
  await core.deleteNamespacedConfigMap({ namespace, name: 'one' });
  const missing = await core.readNamespacedConfigMap({ namespace, name: 'one' }).catch((error: unknown) => error);
  expect(missing).toBeInstanceOf(ApiException);
  expect(missing).toMatchObject({ code: 404 });
});

test('lists in pages', async () => {
  for (let at = 0; at < 5; at++)
    await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: `page-${at}`, labels: { page: 'yes' } } },
    });
  const names: (string | undefined)[] = [];
  let page: string | undefined;
  do {
    const answer = await core.listNamespacedConfigMap({
      namespace,
      labelSelector: 'page',
      limit: 2,
      ...(page === undefined ? {} : { _continue: page }),
    });
    names.push(...answer.items.map(({ metadata }) => metadata?.name));
    page = answer.metadata?._continue === '' ? undefined : answer.metadata?._continue;
  } while (page !== undefined);
  expect(names).toEqual(['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
  const deleted = await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'page' });
  expect(deleted.kind ?? 'ConfigMapList').toMatch(/Status|ConfigMapList/);
  expect((await core.listNamespacedConfigMap({ namespace, labelSelector: 'page' })).items).toEqual([]);
});

test('watches from a revision on', async () => {
  const seen: string[] = [];
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  const watch = new Watch(config);
  const request = await watch.watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { resourceVersion: metadata?.resourceVersion ?? '' },
    (type, object: V1ConfigMap) => seen.push(`${type} ${object.metadata?.name}`),
    () => undefined,
  );
  await core.createNamespacedConfigMap({ namespace, body: settings('watched', { a: '1' }) });
  await core.deleteNamespacedConfigMap({ namespace, name: 'watched' });
  await until('both were told', () => Promise.resolve(seen.length >= 2));
  request.abort();
  expect(seen).toEqual(['ADDED watched', 'DELETED watched']);
});

test('an informer follows, also through a restart of the API server', async () => {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const informer: Informer<V1Pod> & { list: () => readonly V1Pod[] } = makeInformer(config, path, () =>
    core.listNamespacedPod({ namespace }),
  );
  informer.on('error', () => void setImmediate(() => informer.start().catch(() => undefined)));
  await informer.start();
  const names = (): string =>
    informer
      .list()
      .map(({ metadata }) => metadata?.name ?? '')
      .toSorted()
      .join(' ');
  await cluster().apply(podManifest('first'));
  await until('it has the first', () => Promise.resolve(names() === 'first'));
  const { 'kube-apiserver': pid } = await cluster().pids();
  await cluster().host.sh(`kill -9 ${pid}`);
  await until('the server is back', () => core.listNamespacedPod({ namespace }));
  await cluster().apply(podManifest('second'));
  await until('it has both', async () => {
    if (names() !== 'first second') await informer.start().catch(() => undefined);
    return names() === 'first second';
  });
  await informer.stop();
});

test('execs and reads logs', async () => {
  await cluster().apply({ ...deploymentManifest('web', 1), kind: 'Deployment' });
  await cluster().kubectl('rollout status deployment/web --timeout=60s');
  const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' });
  const name = items[0]?.metadata?.name ?? '';
  const [out, err] = [new PassThrough(), new PassThrough()];
  let text = '';
  for (const stream of [out, err]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(namespace, name, 'hello', ['sh', '-c', 'echo out; echo err >&2; exit 4'], out, err, null, false, resolve)
      .catch(reject);
  });
  expect(status).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode' });
  await until('both outputs came', () => Promise.resolve(text.includes('out\n') && text.includes('err\n')));
  const logs = new PassThrough();
  let log = '';
  logs.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise((resolve) => logs.once('end', resolve));
  const line = 'hello listens on port 8080\n';
  await new Log(config).log(namespace, name, 'hello', logs, { follow: true, limitBytes: line.length });
  await ended;
  expect(log).toBe(line);
});

test('scales through the sub-resource', async () => {
  const apps = config.makeApiClient(AppsV1Api);
  const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'web' });
  expect(scale).toMatchObject({ spec: { replicas: 1 }, status: { selector: 'app=web' } });
  await apps.replaceNamespacedDeploymentScale({ namespace, name: 'web', body: Object.assign(scale, { spec: { replicas: 2 } }) });
  await until('two are ready', async () => (await apps.readNamespacedDeployment({ namespace, name: 'web' })).status?.readyReplicas === 2);
});

test('the object API makes, applies, reads, lists and deletes whatever has a kind', async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const spec = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'any', namespace }, data: { a: '1' } };
  const apply = (data: Record<string, string>, manager: string): Promise<V1ConfigMap> =>
    objects.patch({ ...spec, data }, undefined, undefined, manager, undefined, PatchStrategy.ServerSideApply);
  expect((await apply({ a: '1' }, 'one')).metadata?.managedFields).toMatchObject([{ manager: 'one', operation: 'Apply' }]);
  await expect(apply({ a: '2' }, 'two')).rejects.toMatchObject({ code: 409 });
  expect((await apply({ b: '3' }, 'two')).data).toEqual({ a: '1', b: '3' });
  expect((await objects.read<V1ConfigMap>({ ...spec })).data).toEqual({ a: '1', b: '3' });
  const { items } = await objects.list('v1', 'ConfigMap', namespace, undefined, undefined, undefined, 'metadata.name=any');
  expect(items).toHaveLength(1);
  await objects.delete(spec);
  await expect(objects.read({ ...spec })).rejects.toMatchObject({ code: 404 });
});

test('forwards a port of a pod', async () => {
  const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web', limit: 1 });
  const forward = new PortForward(config);
  const name = items[0]?.metadata?.name ?? '';
  const server = createServer(
    (socket) => void forward.portForward(namespace, name, [8080], socket, null, socket).catch(() => socket.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const text = await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
  expect(text).toContain(`Hostname: ${name}\n`);
  await new Promise((resolve) => server.close(resolve));
});
