import { describe, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { MemoryStore } from '../storage/memory.ts';
import type { AdmissionPlugin, RequestContext } from './contract.ts';
import { aBody, aContext, aDelete, aKind, startRegistry, type TestRegistry, wire } from './testing.ts';

type Wire = KubeObject & Record<string, unknown>;

const configMaps = aKind('configmaps');
const leases = aKind('leases');
const deployments = aKind('deployments');

const stale =
  'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again';

async function create({ registry }: TestRegistry, object: unknown, kind: KindDefinition = configMaps): Promise<Wire> {
  return wire(await registry.create(kind, aBody(object), aContext()));
}

async function update(
  { registry }: TestRegistry,
  object: unknown,
  context: RequestContext = aContext(),
  kind: KindDefinition = configMaps,
  name = 'a',
): Promise<Wire> {
  return wire((await registry.update(kind, name, aBody(object), context)).encoded);
}

function start(admission: readonly AdmissionPlugin[] = []): Promise<TestRegistry> {
  return startRegistry({ kinds: builtinKinds, admission });
}

describe('update', () => {
  test('replaces the object and keeps what clients may leave out', async () => {
    await using t = await start();
    const made = await create(t, { metadata: { name: 'a', labels: { x: '1' } }, data: { k: 'v' } });
    const next = await update(t, { metadata: { name: 'a' }, data: { k: 'w' } });
    expect(next).toMatchObject({
      data: { k: 'w' },
      metadata: { uid: made.metadata.uid, creationTimestamp: made.metadata.creationTimestamp, resourceVersion: '2' },
    });
    expect(next.metadata.labels).toBeUndefined();
  });

  test.each<[string, (made: Wire) => unknown, { code: number; message: string }]>([
    [
      'an older resourceVersion',
      (made) => ({ ...made, metadata: { ...made.metadata, resourceVersion: '99' } }),
      { code: 409, message: stale },
    ],
    [
      'another uid',
      (made) => ({ ...made, metadata: { ...made.metadata, uid: 'u' } }),
      { code: 409, message: expect.stringContaining('Precondition failed: UID in precondition: u, UID in object meta: ') as string },
    ],
    [
      'another name',
      (made) => ({ ...made, metadata: { ...made.metadata, name: 'b' } }),
      { code: 400, message: 'the name of the object (b) does not match the name on the URL (a)' },
    ],
    [
      'no name',
      (made) => ({ ...made, metadata: {} }),
      { code: 400, message: 'the name of the object (a based on URL) was undeterminable: name must be provided' },
    ],
    [
      'another namespace',
      (made) => ({ ...made, metadata: { ...made.metadata, namespace: 'x' } }),
      { code: 400, message: 'the namespace of the provided object does not match the namespace sent on the request' },
    ],
  ])('refuses %s', async (_name, change, refusal) => {
    await using t = await start();
    const made = await create(t, { metadata: { name: 'a' }, data: { k: 'v' } });
    await expect(update(t, change(made))).rejects.toMatchObject(refusal);
    expect(await t.store.currentRevision(aContext().signal)).toBe(1);
  });

  test('of what is not there is refused, with the uid first', async () => {
    await using t = await start();
    await expect(update(t, { metadata: { name: 'a' } })).rejects.toMatchObject({ code: 404, message: 'configmaps "a" not found' });
    await expect(update(t, { metadata: { name: 'a', uid: 'u' } })).rejects.toMatchObject({
      code: 409,
      message:
        'Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: ',
    });
  });

  test.each([
    [{ name: 'b' }, 'the name of the object (b) does not match the name on the URL (a)'],
    [{ name: 'b', uid: 'u' }, 'the name of the object (b) does not match the name on the URL (a)'],
    [{}, 'the name of the object (a based on URL) was undeterminable: name must be provided'],
    [{ name: 'b', namespace: 'x' }, 'the namespace of the provided object does not match the namespace sent on the request'],
  ])('is refused for what it says of itself, %j, before anybody looks for it', async (metadata, message) => {
    await using t = await start();
    await expect(update(t, { metadata })).rejects.toMatchObject({ code: 400, message });
  });

  test('makes objects of kinds that allow it', async () => {
    await using t = await start();
    const { encoded, created } = await t.registry.update(leases, 'l', aBody({ metadata: { name: 'l' }, spec: {} }), aContext());
    expect(created).toBe(true);
    expect(wire(encoded).metadata).toMatchObject({ namespace: 'default', resourceVersion: '1' });
    const next = { metadata: { name: 'l', resourceVersion: '1' }, spec: { holderIdentity: 'x' } };
    expect((await t.registry.update(leases, 'l', aBody(next), aContext())).created).toBe(false);
    const unguarded = { metadata: { name: 'l' }, spec: {} };
    await expect(t.registry.update(leases, 'l', aBody(unguarded), aContext())).rejects.toMatchObject({
      code: 422,
      message: 'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    });
  });

  test('that changes nothing writes nothing, whatever the order of keys', async () => {
    await using t = await start();
    const made = await create(t, { metadata: { name: 'a', labels: { x: '1', y: '2' } }, data: { k: 'v', l: 'w' } });
    await t.clock.advance(5_000);
    const shuffled = { data: { l: 'w', k: 'v' }, metadata: { labels: { y: '2', x: '1' }, name: 'a' } };
    expect((await update(t, shuffled)).metadata).toEqual(made.metadata);
    expect(await t.store.currentRevision(aContext().signal)).toBe(1);
  });

  test('on a dry run stores nothing', async () => {
    await using t = await start();
    await create(t, { metadata: { name: 'a' }, data: { k: 'v' } });
    const next = await update(t, { metadata: { name: 'a' }, data: { k: 'w' } }, aContext({ dryRun: true }));
    expect(next['data']).toEqual({ k: 'w' });
    expect(wire(await t.registry.get(configMaps, 'a', '', aContext()))['data']).toEqual({ k: 'v' });
  });

  test('that lost a race without a resourceVersion runs all steps again on the newest', async () => {
    let attempts = 0;
    const plugin: AdmissionPlugin = {
      name: 'Racer',
      validate: async ({ operation, context }) => {
        if (operation !== 'UPDATE' || context.fieldManager !== 'slow' || attempts++ > 0) return;
        await update(t, { metadata: { name: 'a' }, data: { fast: '1' } }, aContext({ fieldManager: 'fast' }));
      },
    };
    await using t = await start([plugin]);
    await create(t, { metadata: { name: 'a' }, data: {} });
    const next = await update(t, { metadata: { name: 'a' }, data: { slow: '1' } }, aContext({ fieldManager: 'slow' }));
    expect(attempts).toBe(2);
    expect(next).toMatchObject({ data: { slow: '1' }, metadata: { resourceVersion: '3' } });
  });

  test('that lost a race with a resourceVersion is a conflict', async () => {
    let raced = false;
    const plugin: AdmissionPlugin = {
      name: 'Racer',
      validate: async ({ operation }) => {
        if (operation !== 'UPDATE' || raced) return;
        raced = true;
        await update(t, { metadata: { name: 'a' }, data: { fast: '1' } });
      },
    };
    await using t = await start([plugin]);
    const made = await create(t, { metadata: { name: 'a' }, data: {} });
    await expect(update(t, { ...made, data: { slow: '1' } })).rejects.toMatchObject({ code: 409, reason: 'Conflict', message: stale });
  });

  test('tells reservations how each attempt ended', async () => {
    const outcomes: string[] = [];
    let raced = false;
    const plugin: AdmissionPlugin = {
      name: 'Pool',
      reserve: ({ operation, context }) =>
        operation === 'UPDATE' && context.fieldManager === 'slow' ? (outcome) => void outcomes.push(outcome) : undefined,
      validate: async ({ operation }) => {
        if (operation !== 'UPDATE' || raced) return;
        raced = true;
        await update(t, { metadata: { name: 'a' }, data: { fast: '1' } });
      },
    };
    await using t = await start([plugin]);
    await create(t, { metadata: { name: 'a' }, data: {} });
    await update(t, { metadata: { name: 'a' }, data: { slow: '1' } }, aContext({ fieldManager: 'slow' }));
    expect(outcomes).toEqual(['dropped', 'committed']);
  });

  test('cannot unmark an object that is going, and takes it away with its last finalizer', async () => {
    const gone: string[] = [];
    await using t = await start([{ name: 'Watch', removed: (_kind, object) => void gone.push(object.metadata.name ?? '') }]);
    await create(t, { metadata: { name: 'a', finalizers: ['x.io/a', 'x.io/b'] } });
    await t.registry.delete(configMaps, 'a', aDelete(), aContext());
    const kept = await update(t, { metadata: { name: 'a', finalizers: ['x.io/a'] } });
    expect(kept.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 });
    await expect(update(t, { metadata: { name: 'a', finalizers: ['x.io/a', 'x.io/c'] } })).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining('no new finalizers can be added if the object is being deleted') as string,
    });
    const last = await update(t, { metadata: { name: 'a' } });
    expect(last.metadata.finalizers).toBeUndefined();
    await expect(t.registry.get(configMaps, 'a', '', aContext())).rejects.toMatchObject({ code: 404 });
    expect(gone).toEqual(['a']);
  });
});

test('those who write a status are warned of addresses in it, and of nothing else', async () => {
  await using t = await start();
  const pods = aKind('pods');
  const spec = {
    nodeName: 'n',
    terminationGracePeriodSeconds: 5,
    containers: [{ name: 'c', image: 'i', env: [{ name: 'A' }, { name: 'A' }] }],
  };
  const made = await create(t, { metadata: { name: 'a' }, spec }, pods);
  const warnings: string[] = [];
  const context = aContext({ subresource: 'status', warn: (text) => void warnings.push(text) });
  const status = { phase: 'Pending', podIPs: [{ ip: '2001:db8::0' }], hostIPs: [{ ip: '2001:DB8::1' }], hostIP: '2001:DB8::1' };
  await update(t, { ...made, status }, context, pods);
  const usual = (field: string, ip: string, better: string): string =>
    `status.${field}[0].ip: IPv6 address "${ip}" should be in RFC 5952 canonical format ("${better}")`;
  expect(warnings.splice(0)).toEqual([usual('podIPs', '2001:db8::0', '2001:db8::'), usual('hostIPs', '2001:DB8::1', '2001:db8::1')]);
  const services = aKind('services');
  const service = await create(
    t,
    { metadata: { name: 'a' }, spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Cluster', externalName: 'x', ports: [{ port: 1 }] } },
    services,
  );
  await update(t, { ...service, status: { loadBalancer: { ingress: [{ ip: '2001:DB8::1' }] } } }, context, services);
  expect(warnings).toEqual([
    'status.loadBalancer.ingress[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ]);
});

describe('generation and status', () => {
  const spec = {
    replicas: 1,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  };

  test('the generation counts changes of the spec, not of status or labels', async () => {
    await using t = await start();
    const made = await create(t, { metadata: { name: 'a', generation: 7 }, spec }, deployments);
    expect(made.metadata.generation).toBe(1);
    const labelled = await update(t, { ...made, metadata: { ...made.metadata, labels: { x: 'y' } } }, aContext(), deployments);
    expect(labelled.metadata.generation).toBe(1);
    const scaled = await update(t, { ...labelled, spec: { ...(labelled['spec'] as object), replicas: 2 } }, aContext(), deployments);
    expect(scaled.metadata.generation).toBe(2);
    const status = { ...scaled, status: { replicas: 2 } };
    expect((await update(t, status, aContext({ subresource: 'status' }), deployments)).metadata.generation).toBe(2);
  });

  test("the generation counts changes by a pod's sub-resources", async () => {
    await using t = await start();
    const pods = aKind('pods');
    const resources = { requests: { cpu: '1' } };
    const pod = await create(t, { metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i', resources }] } }, pods);
    const podSpec = pod['spec'] as { containers: object[] };
    const looking = { ...pod, spec: { ...podSpec, ephemeralContainers: [{ name: 'e', image: 'i' }] } };
    const looked = await update(t, looking, aContext({ subresource: 'ephemeralcontainers' }), pods);
    expect(looked.metadata.generation).toBe(2);
    const containers = [{ ...podSpec.containers[0], resources: { requests: { cpu: '2' } } }];
    const resizing = { ...looked, spec: { ...(looked['spec'] as object), containers } };
    expect((await update(t, resizing, aContext({ subresource: 'resize' }), pods)).metadata.generation).toBe(3);
  });

  test('the object endpoint leaves the status alone, the status endpoint the spec', async () => {
    await using t = await start();
    const made = await create(t, { metadata: { name: 'a' }, spec }, deployments);
    const both = { ...made, spec: { ...(made['spec'] as object), replicas: 5 }, status: { replicas: 4 } };
    const viaObject = await update(t, { ...both, status: { replicas: 4 } }, aContext(), deployments);
    expect((viaObject['status'] as { replicas?: number } | undefined)?.replicas ?? 0).toBe(0);
    const viaStatus = await update(
      t,
      { ...viaObject, spec: { ...(made['spec'] as object), replicas: 9 }, status: { replicas: 4 } },
      aContext({ subresource: 'status', fieldManager: 'controller' }),
      deployments,
    );
    expect(viaStatus).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 4 } });
    expect(viaStatus.metadata.managedFields?.find((entry) => entry.manager === 'controller')).toMatchObject({
      subresource: 'status',
      fieldsV1: { 'f:status': {} },
    });
  });
});

test('change gives the newest object and stores what comes back', async () => {
  await using t = await start();
  await create(t, { metadata: { name: 'a' }, data: { n: '0' } });
  const count = (current: KubeObject): KubeObject => {
    const { data } = current as unknown as { data: { n: string } };
    data.n = String(Number(data.n) + 1);
    return current;
  };
  await Promise.all(Array.from({ length: 10 }, () => t.registry.change(configMaps, 'a', count, aContext())));
  expect(wire(await t.registry.get(configMaps, 'a', '', aContext()))['data']).toEqual({ n: '10' });
  await expect(t.registry.change(configMaps, 'b', count, aContext())).rejects.toMatchObject({ code: 404 });
});

test('what older versions let in may stay in an object, but does not come into one', async () => {
  const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }];
  const aDeployment = (name: string, labels: Record<string, string>, init: object): object => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default', uid: name, labels },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: {
        metadata: { labels: { a: 'b' } },
        spec: { initContainers: [{ name: 'i', image: 'i', ...init }], containers: [{ name: 'c', image: 'i' }] },
      },
    },
  });
  await using store = new MemoryStore({ clock: new FakeClock() });
  const { signal } = aContext();
  for (const [name, init] of Object.entries({ old: { resizePolicy }, young: {} })) {
    const value = Buffer.from(JSON.stringify(aDeployment(name, {}, init)));
    await store.put(`/registry/deployments/default/${name}`, value, { expectedRevision: 0 }, signal);
  }
  await using t = await startRegistry({ kinds: [deployments], store });
  const change = (name: string): Promise<unknown> =>
    t.registry.update(deployments, name, aBody(aDeployment(name, { x: 'y' }, { resizePolicy })), aContext());
  await change('old');
  await expect(change('young')).rejects.toMatchObject({
    code: 422,
    message:
      'Deployment.apps "young" is invalid: spec.template.spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: "RestartContainer": must not be set to \'RestartContainer\' for non-sidecar initContainers',
  });
});
