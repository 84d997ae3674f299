import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Endpoints, endpoints } from '#api/core/endpoints.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type Service, service } from '#api/core/service/service.ts';
import { type EndpointSlice, endpointSlice } from '#api/discovery/endpoint-slice.ts';
import deepEqual from 'fast-deep-equal';
import { ControlPlane } from '../testing.ts';

const never = new AbortController().signal;
const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

describe.concurrent('the endpoints of a Service', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await ControlPlane.start({ loadBalancerCidr: '172.31.254.0/29' });
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  const serve = (ns: string, spec: Partial<Service['spec']> = {}, name = 'web'): Promise<Service> =>
    plane.client.create<Service>(
      service,
      { metadata: { name, namespace: ns }, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8_080 }], ...spec } },
      {},
      never,
    );
  const slicesOf = (ns: string): Promise<readonly EndpointSlice[]> => plane.list<EndpointSlice>(endpointSlice, ns);
  const onlySlice = (ns: string, what: string, isRight: (slice: EndpointSlice) => boolean): Promise<EndpointSlice> =>
    plane.until(what, async () => {
      await plane.runPods(ns);
      const [slice, ...others] = await slicesOf(ns);
      return slice !== undefined && others.length === 0 && isRight(slice) && slice;
    });
  const readyCount = ({ endpoints: list }: EndpointSlice): number =>
    (list ?? []).filter(({ conditions }) => conditions?.ready === true).length;

  test('follow its pods, and go with it', async () => {
    const ns = await plane.inNamespace('served');
    await serve(ns);
    const empty = await onlySlice(ns, 'an empty slice', ({ endpoints: list }) => (list ?? []).length === 0);
    await plane.deploy(ns, { replicas: 2 });
    const slice = await onlySlice(ns, 'both ready', (one) => readyCount(one) === 2);
    // The empty slice was filled, not replaced.
    expect(slice.metadata.name).toBe(empty.metadata.name);
    expect(slice.ports).toEqual([{ name: '', port: 8_080, protocol: 'TCP' }]);
    expect(slice.metadata.annotations?.[triggerAnnotation]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const list = await plane.until('Endpoints', async () => {
      const found = await plane.find<Endpoints>(endpoints, 'web', ns);
      return found?.subsets?.[0]?.addresses?.length === 2 && found;
    });
    expect(list.subsets?.[0]?.ports).toEqual([{ port: 8_080, protocol: 'TCP' }]);

    const ports = { spec: { ports: [{ port: 80, targetPort: 9_090 }] } };
    await plane.client.patch<Service>(service, { namespace: ns, name: 'web' }, ports, { type: 'merge' }, never);
    const moved = await onlySlice(ns, 'the other port', (one) => one.ports?.[0]?.port === 9_090);
    expect([moved.metadata.name, readyCount(moved)]).toEqual([slice.metadata.name, 2]);

    await plane.patchDeployment(ns, { replicas: 0 });
    await onlySlice(ns, 'none left', (one) => (one.endpoints ?? []).length === 0);
    await plane.client.delete(service, { namespace: ns, name: 'web' }, {}, never);
    await plane.until('all gone', async () => (await slicesOf(ns)).length === 0 && (await plane.list(endpoints, ns)).length === 0);
  });

  test("have hints by the zones' parts of the CPUs where the Service asks for them", async () => {
    const ns = await plane.inNamespace('zoned');
    for (const zone of ['east', 'west']) {
      const made = await plane.client.create<Node>(
        node,
        { metadata: { name: `${zone}-1`, labels: { 'topology.kubernetes.io/zone': zone } } },
        {},
        never,
      );
      const status = { conditions: [{ type: 'Ready', status: 'True' }], allocatable: { cpu: '2' } };
      await plane.client.update<Node>(node, { ...made, status }, { subresource: 'status' }, never);
      const spec = { nodeName: `${zone}-1`, containers: [{ name: 'web', image: 'web:1' }] };
      await plane.client.create<Pod>(pod, { metadata: { name: zone, namespace: ns, labels: { app: 'web' } }, spec }, {}, never);
    }
    await serve(ns);
    const hints = ({ endpoints: list }: EndpointSlice): string[] =>
      (list ?? []).map(({ zone, hints: own }) => [zone, ...(own?.forZones ?? []).map(({ name }) => name)].join(' for ')).toSorted();
    await onlySlice(ns, 'both ready', (one) => readyCount(one) === 2);
    const mode = async (value: string | null): Promise<void> => {
      const annotations = { 'service.kubernetes.io/topology-mode': value };
      await plane.client.patch<Service>(service, { namespace: ns, name: 'web' }, { metadata: { annotations } }, { type: 'merge' }, never);
    };
    await mode('Auto');
    await onlySlice(ns, 'hints', (one) => deepEqual(hints(one), ['east for east', 'west for west']));
    await mode(null);
    await onlySlice(ns, 'no hints', (one) => deepEqual(hints(one), ['east', 'west']));
    const said = plane.events.filter(({ about, reason }) => about === 'Service/web' && reason.startsWith('TopologyAware'));
    expect(said.map(({ source, reason, message }) => [source, reason, message]).slice(-2)).toEqual([
      ['endpoint-slice-controller', 'TopologyAwareHintsEnabled', 'Topology Aware Hints has been enabled, addressType: IPv4'],
      ['endpoint-slice-controller', 'TopologyAwareHintsDisabled', 'Topology Aware Hints has been disabled, addressType: IPv4'],
    ]);
  });

  test('without selector are what somebody wrote, mirrored to slices', async () => {
    const ns = await plane.inNamespace('mirrored');
    const { selector: _none, ...spec } = (await serve(ns, {}, 'other')).spec;
    await plane.client.create<Service>(service, { metadata: { name: 'db', namespace: ns }, spec: { ports: spec.ports ?? [] } }, {}, never);
    const subsets = [{ addresses: [{ ip: '192.0.2.10' }], ports: [{ port: 5_432 }] }];
    await plane.client.create<Endpoints>(endpoints, { metadata: { name: 'db', namespace: ns }, subsets }, {}, never);
    const mirrors = async (): Promise<readonly EndpointSlice[]> =>
      (await slicesOf(ns)).filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'db');
    const [mirror] = await plane.until('a mirror', async () => {
      const found = await mirrors();
      return found.length === 1 && found;
    });
    expect(mirror?.endpoints).toEqual([{ addresses: ['192.0.2.10'], conditions: { ready: true } }]);
    // With a selector the Service is the slices' owner: the mirror goes.
    await plane.client.patch<Service>(
      service,
      { namespace: ns, name: 'db' },
      { spec: { selector: { app: 'db' } } },
      { type: 'merge' },
      never,
    );
    await plane.until('no mirror', async () => {
      const [only, ...others] = await mirrors();
      return others.length === 0 && only?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io';
    });
  });

  test('with more addresses than are mirrored say so', async () => {
    const ns = await plane.inNamespace('many');
    await plane.client.create<Service>(service, { metadata: { name: 'db', namespace: ns }, spec: { ports: [{ port: 80 }] } }, {}, never);
    const addresses = Array.from({ length: 1_002 }, (_, at) => ({ ip: `198.18.${at >> 8}.${at & 255}` }));
    const subsets = [{ addresses, ports: [{ port: 80 }] }];
    await plane.client.create<Endpoints>(endpoints, { metadata: { name: 'db', namespace: ns }, subsets }, {}, never);
    await plane.until('a full mirror', async () => (await slicesOf(ns))[0]?.endpoints?.length === 1_000);
    expect(plane.events.filter(({ about }) => about === 'Endpoints/db')[0]).toMatchObject({
      source: 'endpoint-slice-mirroring-controller',
      reason: 'TooManyAddressesToMirror',
      message: 'A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 2 addresses were skipped',
    });
  });

  test('of type LoadBalancer have an address of the pool, each another', async () => {
    const ns = await plane.inNamespace('balanced');
    for (const name of ['a', 'b']) await serve(ns, { type: 'LoadBalancer' }, name);
    const addresses = async (): Promise<(string | undefined)[]> =>
      (await plane.list<Service>(service, ns)).flatMap(({ status }) => (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
    await plane.until('two addresses', async () => new Set(await addresses()).size === 2);
    expect(new Set(await addresses())).toEqual(new Set(['172.31.254.1', '172.31.254.2']));
    await plane.client.patch<Service>(service, { namespace: ns, name: 'a' }, { spec: { type: 'ClusterIP' } }, { type: 'merge' }, never);
    await plane.until('one address', async () => (await addresses()).length === 1);
    await plane.until('given back', async () => ((await plane.find<Service>(service, 'a', ns))?.metadata.finalizers ?? []).length === 0);
    const events = plane.events.filter(({ about }) => about === 'Service/a');
    expect(events.map(({ source, reason, message }) => [source, reason, message])).toEqual([
      ['service-controller', 'EnsuringLoadBalancer', 'Ensuring load balancer'],
      ['service-controller', 'EnsuredLoadBalancer', 'Ensured load balancer'],
      ['service-controller', 'DeletingLoadBalancer', 'Deleting load balancer'],
      ['service-controller', 'DeletedLoadBalancer', 'Deleted load balancer'],
    ]);
    // Who goes gives back first, and is then gone.
    await plane.client.delete(service, { namespace: ns, name: 'b' }, {}, never);
    await plane.until('gone', async () => (await plane.find<Service>(service, 'b', ns)) === undefined);
    await serve(ns, { type: 'LoadBalancer' }, 'c');
    await plane.until('the first address', async () => (await addresses())[0] === '172.31.254.1');
  });
});
