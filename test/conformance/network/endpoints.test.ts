// Endpoints and EndpointSlices that follow Services and their pods.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlPlane } from '#controller-manager/testing.ts';
import { type AnyObject, ApiSession, pathOf } from '../api-session.ts';

let plane: ControlPlane;
let api: ApiSession;
const poll = { timeout: 10_000, interval: 20 };
const slices = (ns: string): string => pathOf('discovery.k8s.io/v1', 'endpointslices', ns);
const of = (service: string): string => `labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${service}`)}`;
type Slice = AnyObject & {
  addressType: string;
  endpoints: { addresses: string[]; targetRef?: { name: string } }[] | null;
  ports: { name: string; port: number }[] | null;
};
const slicesOf = async (ns: string, service: string): Promise<Slice[]> => [
  ...((await api.get(`${slices(ns)}?${of(service)}`)).items as Slice[]),
];
const endpointsOf = (ns: string, name: string): Promise<unknown> =>
  api.get(`${pathOf('v1', 'endpoints', ns)}/${name}`).then(
    (found) => (found['subsets'] as object[] | undefined) ?? [],
    (error: Error) => error.message.split(':')[0],
  );

beforeAll(async () => {
  plane = await ControlPlane.start();
  api = new ApiSession(plane.server.adminClientConfig);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

test('a Service that matches no pods has empty Endpoints and an empty EndpointSlice, which go with it', async () => {
  const ns = await plane.inNamespace('empty');
  const services = pathOf('v1', 'services', ns);
  const made = await api.post(services, {
    metadata: { name: 'example' },
    spec: { selector: { 'does-not-match': 'endpoints' }, ports: [{ name: 'example', port: 80 }] },
  });
  await expect.poll(() => endpointsOf(ns, 'example'), poll).toEqual([]);
  await expect.poll(async () => (await slicesOf(ns, 'example')).length, poll).toBe(1);
  const [slice] = await slicesOf(ns, 'example');
  expect(slice?.endpoints ?? []).toEqual([]);
  expect(slice?.metadata.labels).toMatchObject({ 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' });
  expect(slice?.metadata.ownerReferences).toMatchObject([{ kind: 'Service', name: 'example', uid: made.metadata.uid, controller: true }]);
  await api.delete(`${services}/example`);
  await expect.poll(() => endpointsOf(ns, 'example'), poll).toBe('NotFound');
  await expect.poll(async () => (await slicesOf(ns, 'example')).length, poll).toBe(0);
});

test('Services have Endpoints and EndpointSlices of their pods, one slice for each number that a named port has', async () => {
  const ns = await plane.inNamespace('filled');
  const pods = pathOf('v1', 'pods', ns);
  const aPod = (name: string, shared: Record<string, string>, ports: object[]): object => ({
    metadata: { name, labels: { foo: 'bar', ...shared } },
    spec: { containers: [{ name: 'c', image: 'nginx', ports }] },
  });
  await api.post(pods, aPod('pod1', {}, [{ name: 'example-name', containerPort: 3000 }]));
  await api.post(
    pods,
    aPod('pod2', { baz: 'qux' }, [
      { name: 'example-name', containerPort: 3001 },
      { name: 'other-port', containerPort: 3002 },
    ]),
  );
  await plane.runPods(ns);
  const services = pathOf('v1', 'services', ns);
  const named = [{ name: 'example', port: 80, targetPort: 'example-name' }];
  await api.post(services, {
    metadata: { name: 'both' },
    spec: { selector: { foo: 'bar' }, ports: named, publishNotReadyAddresses: true },
  });
  await api.post(services, {
    metadata: { name: 'one' },
    spec: { selector: { baz: 'qux' }, ports: [...named, { name: 'other', port: 81, targetPort: 'other-port' }] },
  });
  const shape = async (service: string): Promise<unknown> =>
    (await slicesOf(ns, service))
      .map(({ endpoints, ports }) => [(ports ?? []).map(({ port }) => port), (endpoints ?? []).map(({ targetRef }) => targetRef?.name)])
      .sort((a, b) => String(a).localeCompare(String(b)));
  await expect
    .poll(() => shape('both'), poll)
    .toEqual([
      [[3000], ['pod1']],
      [[3001], ['pod2']],
    ]);
  await expect.poll(() => shape('one'), poll).toEqual([[[3001, 3002], ['pod2']]]);
  await expect.poll(() => endpointsOf(ns, 'both'), poll).toMatchObject([{ ports: [{ port: 3000 }] }, { ports: [{ port: 3001 }] }]);
  for (const name of ['both', 'one']) await api.delete(`${services}/${name}`);
  await expect.poll(async () => (await api.get(slices(ns))).items.length, poll).toBe(0);
});

test('slices that somebody writes for a Service without selector stay as they are', async () => {
  const ns = await plane.inNamespace('by-hand');
  await api.post(pathOf('v1', 'services', ns), {
    metadata: { name: 'custom' },
    spec: {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
    },
  });
  for (const [at, address] of ['192.0.2.1', '192.0.2.2'].entries()) {
    await api.post(slices(ns), {
      metadata: {
        name: `custom-${at}`,
        labels: { 'kubernetes.io/service-name': 'custom', 'endpointslice.kubernetes.io/managed-by': 'e2e-test' },
      },
      addressType: 'IPv4',
      ports: [{ name: at === 0 ? 'a' : 'b', port: 3000 + at, protocol: 'TCP' }],
      endpoints: [{ addresses: [address] }],
    });
  }
  // Another Service that is made afterwards has its slice: by then the loops have seen the first.
  await api.post(pathOf('v1', 'services', ns), { metadata: { name: 'later' }, spec: { selector: { a: 'b' }, ports: [{ port: 80 }] } });
  await expect.poll(async () => (await slicesOf(ns, 'later')).length, poll).toBe(1);
  expect((await slicesOf(ns, 'custom')).map(({ endpoints }) => endpoints?.[0]?.addresses)).toEqual([['192.0.2.1'], ['192.0.2.2']]);
});

test('Endpoints run through their lifecycle, as a watch shows', async () => {
  const ns = await plane.inNamespace('ends');
  const path = pathOf('v1', 'endpoints', ns);
  await using watch = await api.watch(path, 'labelSelector=test-endpoint-static%3Dtrue');
  const subsets = [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ name: 'http', port: 80 }] }];
  await api.post(path, { metadata: { name: 'ends', labels: { 'test-endpoint-static': 'true' } }, subsets });
  await api.update(`${path}/ends`, (found) => ({
    ...found,
    metadata: { ...found.metadata, labels: { ...found.metadata.labels, 'test-service': 'updated' } },
  }));
  await api.patch(`${path}/ends`, 'strategic', {
    metadata: { labels: { 'test-service': 'patched' } },
    subsets: [{ addresses: [{ ip: '192.0.2.2' }], ports: [{ name: 'http-test', port: 8080 }] }],
  });
  await api.delete(`${path}?labelSelector=test-endpoint-static%3Dtrue`);
  const seen = await watch.until(({ type }) => type === 'DELETED');
  expect(seen.map(({ type, object }) => [type, object.metadata.labels?.['test-service']])).toEqual([
    ['ADDED', undefined],
    ['MODIFIED', 'updated'],
    ['MODIFIED', 'patched'],
    ['DELETED', 'patched'],
  ]);
  expect(seen.at(-1)?.object['subsets']).toMatchObject([{ addresses: [{ ip: '192.0.2.2' }], ports: [{ name: 'http-test', port: 8080 }] }]);
});
