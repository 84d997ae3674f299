import { type Node, node } from '#api/core/node/node.ts';
import { get } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { runServices } from '#base/lifecycle.ts';
import { silentLog } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import type { Client } from '#client/client.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { connect } from '#client/rest.ts';
import { RecordingBackend } from './backends/recording.ts';
import { cachedKinds } from './cached-kinds.ts';
import { ServiceHealthServers } from './health/service-health.ts';
import { Proxier } from './proxier.ts';
import { createProxyMetrics } from './proxy-metrics.ts';

const never = new AbortController().signal;

describe('Proxier', () => {
  let server: TestApiServer;
  let client: Client & AsyncDisposable;
  /** With kube-proxy's rights. */
  let own: Client & AsyncDisposable;
  let backend: RecordingBackend;
  let clock: FakeClock;
  let proxier: Proxier;
  let cluster: ClusterCache;
  let life: AbortController;
  let ended: Promise<void>;
  const metrics = createMetrics();

  beforeEach(async () => {
    server = await startTestApiServer();
    client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
    own = connect(await server.clientConfigFor('system:kube-proxy'), { clock: systemClock, component: 'kube-proxy' });
    backend = new RecordingBackend();
    await start();
  });
  afterEach(async () => {
    await stop();
    await own[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    await server.stop();
  });

  const start = async (): Promise<void> => {
    clock = new FakeClock();
    life = new AbortController();
    cluster = new ClusterCache(cachedKinds('n1', { allNodes: false }), { client: own, clock: systemClock, log: silentLog });
    const [services, slices] = [cluster.informer(service), cluster.informer(endpointSlice)];
    proxier = new Proxier({
      services,
      slices,
      nodes: cluster.informer(node),
      backend,
      node: { name: 'n1', addresses: [] },
      metrics: createProxyMetrics(metrics),
      clock,
      log: silentLog,
    });
    const health = new ServiceHealthServers({
      services,
      slices,
      nodeName: 'n1',
      isHealthy: () => true,
      clock,
      log: silentLog,
      host: '127.0.0.1',
    });
    const ready = Promise.withResolvers<void>();
    ended = runServices(life.signal, [cluster, proxier, health], () => ready.resolve());
    await Promise.race([ready.promise, ended]);
  };
  const stop = async (): Promise<void> => {
    life.abort(new Error('the test is over'));
    await ended;
  };
  const make = async (name: string, spec: Partial<Service['spec']> = {}): Promise<Service> =>
    await client.create(
      service,
      { metadata: { name, namespace: 'default' }, spec: { ports: [{ port: 80, protocol: 'TCP' }], ...spec } } as Service,
      {},
      never,
    );
  const endpoints = (name: string, ...ips: string[]): EndpointSlice =>
    ({
      metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ port: 8_080, protocol: 'TCP', name: '' }],
      endpoints: ips.map((ip) => ({ addresses: [ip], nodeName: 'n1', conditions: { ready: true } })),
    }) as EndpointSlice;
  const shows = async (wanted: readonly string[]): Promise<void> =>
    await vi.waitFor(() => expect(backend.show().filter((line) => !line.startsWith('10.96.0.1 '))).toEqual(wanted), { timeout: 5_000 });

  test('keeps traffic within its zone, and follows its node into another', async () => {
    const { spec } = await make('web');
    const { endpoints: some = [], ...rest } = endpoints('web', '10.244.0.2', '10.244.0.3');
    const hinted = some.map((one, at) => ({ ...one, hints: { forZones: [{ name: at === 0 ? 'east' : 'west' }] } }));
    await client.create(endpointSlice, { ...rest, endpoints: hinted } as EndpointSlice, {}, never);
    const front = `${spec.clusterIP} . tcp . 80 -> `;
    await shows([`${front}10.244.0.2 10.244.0.3`]);
    await client.create(node, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'east' } } } as Node, {}, never);
    await shows([`${front}10.244.0.2`]);
    const moved = { metadata: { labels: { 'topology.kubernetes.io/zone': 'west' } } };
    await client.patch(node, { name: 'n1' }, moved, { type: 'merge' }, never);
    await shows([`${front}10.244.0.3`]);
    await client.patch(node, { name: 'n1' }, { metadata: { labels: null } }, { type: 'merge' }, never);
    await shows([`${front}10.244.0.2 10.244.0.3`]);
  });

  test('follows Services and their endpoints, each by its own change', async () => {
    const { spec } = await make('web');
    await shows([`${spec.clusterIP} . tcp . 80 -> `]);
    await client.create(endpointSlice, endpoints('web', '10.244.0.2'), {}, never);
    await shows([`${spec.clusterIP} . tcp . 80 -> 10.244.0.2`]);
    await client.delete(service, { namespace: 'default', name: 'web' }, {}, never);
    await shows([]);
    expect(backend.transactions[0]).toMatch(/^replace/);
    expect(backend.transactions.slice(1).every((one) => one === 'change 1')).toBe(true);
    expect(await metrics.text()).toMatch(/kubeproxy_sync_proxy_rules_service_changes_total \d/);
  });

  test('a slice that moves to another Service takes its endpoints along', async () => {
    const [a, b] = [await make('a', { clusterIP: '10.96.0.21' }), await make('b', { clusterIP: '10.96.0.22' })];
    const slice = await client.create(endpointSlice, endpoints('a', '10.244.0.2'), {}, never);
    await shows([`${a.spec.clusterIP} . tcp . 80 -> 10.244.0.2`, `${b.spec.clusterIP} . tcp . 80 -> `]);
    await client.update(
      endpointSlice,
      { ...slice, metadata: { ...slice.metadata, labels: { 'kubernetes.io/service-name': 'b' } } },
      {},
      never,
    );
    await shows([`${a.spec.clusterIP} . tcp . 80 -> `, `${b.spec.clusterIP} . tcp . 80 -> 10.244.0.2`]);
  });

  test('what is refused is replaced as a whole, again and again until it holds', async () => {
    backend.refusals = 3;
    const { spec } = await make('web');
    await vi.waitFor(async () => {
      await clock.advance(1_000);
      expect(backend.refusals).toBe(0);
      expect(backend.transactions.at(-1)).toMatch(/^replace/);
    });
    await shows([`${spec.clusterIP} . tcp . 80 -> `]);
    expect(proxier.behindSinceMs).toBeUndefined();
    expect(await metrics.text()).toContain('kubeproxy_sync_proxy_rules_nftables_sync_failures_total 3');
  });

  test('says since when it is behind', async () => {
    backend.refusals = 1_000;
    const startMs = clock.monotonicMs();
    await make('web');
    await vi.waitFor(() => expect(backend.refusals).toBeLessThan(1_000));
    await clock.advance(5_000);
    expect(proxier.behindSinceMs).toBe(startMs);
  });

  test('rules that somebody took away are made again', async () => {
    await make('web');
    await vi.waitFor(() => expect(backend.carried.size).toBeGreaterThan(0));
    const before = backend.transactions.filter((one) => one.startsWith('replace')).length;
    backend.carried.clear();
    backend.isGone = true;
    await clock.advance(30_000);
    await vi.waitFor(() => expect(backend.transactions.filter((one) => one.startsWith('replace'))).toHaveLength(before + 1));
    expect(backend.carried.size).toBeGreaterThan(0);
  });

  test('a new process takes over what changed meanwhile', async () => {
    const { spec } = await make('web');
    await stop();
    await client.create(endpointSlice, endpoints('web', '10.244.0.7'), {}, never);
    await start();
    await shows([`${spec.clusterIP} . tcp . 80 -> 10.244.0.7`]);
  });

  test('caches leave out what nobody here reads', async () => {
    await make('web', { selector: { app: 'web' } });
    await client.create(endpointSlice, endpoints('web', '10.244.0.2'), {}, never);
    await vi.waitFor(() => expect(cluster.informer(endpointSlice).get({ namespace: 'default', name: 'web' })).toBeDefined());
    const kept = JSON.stringify([cluster.informer(service).list(), cluster.informer(endpointSlice).list()]);
    expect(kept).not.toMatch(/managedFields|selector|targetRef/);
  });

  test('the health check of a Service counts the pods of this node', async () => {
    const { spec } = await make('lb', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
    const port = spec.healthCheckNodePort ?? 0;
    await vi.waitFor(async () => expect(await ask(port)).toMatchObject({ status: 503, weight: '0' }));
    await client.create(endpointSlice, endpoints('lb', '10.244.0.2', '10.244.0.3'), {}, never);
    await vi.waitFor(async () => expect(await ask(port)).toMatchObject({ status: 200, weight: '2' }));
    expect((await ask(port)).text).toBe(
      '{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "lb"\n\t},\n\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}',
    );
    await client.delete(service, { namespace: 'default', name: 'lb' }, {}, never);
    await vi.waitFor(async () => expect((await ask(port)).status).toBe(0));
  });
});

/** Status 0 where nobody listens. */
function ask(port: number): Promise<{ status: number; text: string; weight: unknown }> {
  return new Promise((resolve) => {
    const call = get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, weight: response.headers['x-load-balancing-endpoint-weight'] }),
      );
    });
    call.on('error', () => resolve({ status: 0, text: '', weight: undefined }));
  });
}
