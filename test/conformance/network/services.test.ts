// What the API server itself does for Services: addresses, ports, changes of type, status; and how clients find the API server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyObject, type ApiSession, type ApiUnderTest, pathOf, startApi } from '../api-session.ts';

let under: ApiUnderTest;
let api: ApiSession;
const services = pathOf('v1', 'services', 'default');
const poll = { timeout: 10_000, interval: 20 };
interface Spec {
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly externalName?: string;
  readonly type: string;
  readonly ports: readonly { readonly port: number; readonly nodePort?: number }[];
}
const specOf = (object: AnyObject): Spec => object['spec'] as Spec;
const port = { name: 'http', port: 80, protocol: 'TCP', targetPort: 9376 };

beforeAll(async () => {
  under = await startApi();
  ({ api } = under);
});
afterAll(async () => under[Symbol.asyncDispose]());

describe('the API server is found', () => {
  test('as the Service kubernetes of the default namespace, among all Services', async () => {
    await expect.poll(() => api.get(`${services}/kubernetes`).then(({ spec }) => spec, String), poll).toMatchObject({ type: 'ClusterIP' });
    const { items } = await api.get(pathOf('v1', 'services'));
    expect(items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toContain('default/kubernetes');
    expect(specOf(await api.get(`${services}/kubernetes`)).ports).toMatchObject([{ name: 'https', port: 443 }]);
  });

  test('by Endpoints and an EndpointSlice with the same addresses and ports', async () => {
    interface Ends {
      addresses: { ip: string }[];
      ports: object[];
    }
    const read = (): Promise<Ends[]> =>
      api.get(`${pathOf('v1', 'endpoints', 'default')}/kubernetes`).then((one) => one['subsets'] as Ends[]);
    await expect
      .poll(
        () =>
          read().then(
            (subsets) => subsets.length,
            () => 0,
          ),
        poll,
      )
      .toBe(1);
    const [subset] = await read();
    const { items } = await api.get(
      `${pathOf('discovery.k8s.io/v1', 'endpointslices', 'default')}?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes`,
    );
    expect(items).toHaveLength(1);
    const [slice] = items as unknown as [{ endpoints: { addresses: string[] }[]; ports: object[] }];
    expect(slice.endpoints.flatMap(({ addresses }) => addresses)).toEqual(subset?.addresses.map(({ ip }) => ip));
    expect(slice.ports).toMatchObject(subset?.ports ?? []);
  });
});

describe('a Service changes its type', () => {
  const external = (name: string): object => ({ metadata: { name }, spec: { type: 'ExternalName', externalName: 'foo.example.com' } });

  test('from ExternalName to ClusterIP, and gets an address', async () => {
    expect(specOf(await api.post(services, external('to-cluster'))).clusterIP ?? '').toBe('');
    const spec = specOf(
      await api.update(`${services}/to-cluster`, (found) => ({ ...found, spec: { type: 'ClusterIP', externalName: '', ports: [port] } })),
    );
    expect(spec.clusterIP).toMatch(/^10\.\d+\.\d+\.\d+$/);
    expect(spec.clusterIPs).toEqual([spec.clusterIP]);
  });

  test('from ExternalName to NodePort, and gets an address and a port', async () => {
    await api.post(services, external('to-node-port'));
    const spec = specOf(
      await api.update(`${services}/to-node-port`, (found) => ({ ...found, spec: { type: 'NodePort', externalName: '', ports: [port] } })),
    );
    expect(spec.clusterIP).toMatch(/^10\./);
    expect(spec.ports[0]?.nodePort).toBeGreaterThanOrEqual(30_000);
  });

  test.each(['ClusterIP', 'NodePort'])('from %s to ExternalName, and lets address and port go', async (type) => {
    const name = `from-${type.toLowerCase()}`;
    const before = specOf(await api.post(services, { metadata: { name }, spec: { type, ports: [port] } }));
    const after = specOf(
      await api.update(`${services}/${name}`, (found) => ({
        ...found,
        spec: {
          ...specOf(found),
          type: 'ExternalName',
          externalName: 'foo.example.com',
          clusterIP: '',
          clusterIPs: undefined,
          ports: [port],
        },
      })),
    );
    expect(after).toMatchObject({ type: 'ExternalName', externalName: 'foo.example.com' });
    expect(after.clusterIP ?? '').toBe('');
    expect(after.ports?.some(({ nodePort }) => nodePort !== undefined) ?? false).toBe(false);
    // Both are free again: somebody else can ask for them.
    const again = { type, clusterIP: before.clusterIP, ports: [{ ...port, nodePort: before.ports[0]?.nodePort }] };
    expect(specOf(await api.post(services, { metadata: { name: `${name}-again` }, spec: again })).clusterIP).toBe(before.clusterIP);
  });

  test.each(['ClusterIP', 'NodePort'])('session affinity of a %s Service is switched on and off', async (type) => {
    const name = `affinity-${type.toLowerCase()}`;
    await api.post(services, { metadata: { name }, spec: { type, sessionAffinity: 'ClientIP', ports: [port] } });
    const off = await api.update(`${services}/${name}`, (found) => ({
      ...found,
      spec: { ...specOf(found), sessionAffinity: 'None', sessionAffinityConfig: undefined },
    }));
    expect(off['spec']).toMatchObject({ sessionAffinity: 'None' });
    const on = await api.update(`${services}/${name}`, (found) => ({ ...found, spec: { ...specOf(found), sessionAffinity: 'ClientIP' } }));
    expect(on['spec']).toMatchObject({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } });
  });
});

test('a Service status runs through its lifecycle, as a watch shows', async () => {
  const selector = 'labelSelector=test-service-static%3Dtrue';
  const path = `${services}/lived`;
  await using watch = await api.watch(services, selector);
  await api.post(services, {
    metadata: { name: 'lived', labels: { 'test-service-static': 'true' } },
    spec: { type: 'LoadBalancer', ports: [port] },
  });
  expect((await api.get(`${pathOf('v1', 'services')}?${selector}`)).items).toHaveLength(1);
  expect(await api.get(`${path}/status`)).toMatchObject({ status: { loadBalancer: {} } });
  await api.patch(`${path}/status`, 'merge', {
    metadata: { annotations: { patchedstatus: 'true' } },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
  });
  const condition = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from e2e test' };
  await api.update(
    `${path}/status`,
    (found) => ({
      ...found,
      status: { ...(found['status'] as object), conditions: [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }] },
    }),
    `${path}/status`,
  );
  await api.patch(path, 'strategic', { metadata: { labels: { 'test-service': 'patched' } } });
  await api.delete(`${services}?${selector}`);
  const seen = await watch.until(({ type }) => type === 'DELETED');
  expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED']);
  expect(seen.at(-1)?.object).toMatchObject({
    metadata: { annotations: { patchedstatus: 'true' }, labels: { 'test-service': 'patched' } },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] }, conditions: [condition] },
  });
});

test('the default ServiceCIDR is there, with a status, listed and watched', async () => {
  const ranges = pathOf('networking.k8s.io/v1', 'servicecidrs');
  await expect.poll(() => api.get(`${ranges}/kubernetes`).then(({ kind }) => kind, String), poll).toBe('ServiceCIDR');
  const found = await api.get(`${ranges}/kubernetes`);
  expect(await api.get(`${ranges}/kubernetes/status`)).toMatchObject({ kind: 'ServiceCIDR', metadata: { uid: found.metadata.uid } });
  expect((await api.get(ranges)).items.map(({ metadata }) => metadata.name)).toContain('kubernetes');
  await using watch = await api.watch(ranges);
  expect((await watch.next()).type).toBe('ADDED');
});

test('IPAddresses of both families are made by anybody, for whatever owns them', async () => {
  const addresses = pathOf('networking.k8s.io/v1', 'ipaddresses');
  const parentRef = { group: 'mygroup', resource: 'myresources', namespace: 'foo', name: 'bar' };
  for (const [name, type] of [
    ['255.255.255.255', 'broadcast'],
    ['fe80::42:1dff:fe84:f9e2', 'link-local'],
  ] as const) {
    await api.post(addresses, { metadata: { name, labels: { type } }, spec: { parentRef } });
  }
  await api.delete(`${addresses}?labelSelector=type%3Dlink-local`);
  expect((await api.get(`${addresses}?labelSelector=type`)).items.map(({ metadata }) => metadata.name)).toEqual(['255.255.255.255']);
});
