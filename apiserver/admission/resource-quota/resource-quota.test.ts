import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import type { ResourceQuota } from '#api/core/resource-quota.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { ApiError } from '#api/meta/status.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { AdmissionPlugin, Change, Registry, RequestContext } from '../../registry/contract.ts';
import type { GenericRegistry } from '../../registry/registry.ts';
import { aBody, aContext, aKind, startRegistry, type TestRegistry } from '../../registry/testing.ts';
import type { LimitedResource } from './limited.ts';
import { resourceQuotaPlugin } from './plugin.ts';

let running: TestRegistry;
let registry: GenericRegistry;
let clock: FakeClock;
const limited: LimitedResource[] = [];
/** Refuses what is called `unlucky`, after everything else has been decided. */
const lastWord: AdmissionPlugin = {
  name: 'LastWord',
  charge: ({ object }) => {
    if (object?.metadata.name === 'unlucky') throw new Error('no luck');
    return undefined;
  },
};

/** Called before a quota is charged. */
let onCharge: ((name: string) => void | Promise<void>) | undefined;
/** The registry, as the ledger sees it: something may come between judging and writing. */
const disturbed = {
  find: (group: string, version: string, plural: string) => registry.find(group, version, plural),
  peek: (kind: KindDefinition, namespace: string, name: string) => registry.peek(kind, namespace, name),
  peekAll: (kind: KindDefinition, namespace: string) => registry.peekAll(kind, namespace),
  change: async (kind: KindDefinition, name: string, change: Change, context: RequestContext) => {
    await onCharge?.(name);
    return await registry.change(kind, name, change, context);
  },
} as Registry;

beforeEach(async () => {
  clock = new FakeClock();
  onCharge = undefined;
  const admission = [resourceQuotaPlugin({ registry: () => disturbed, clock, limited }), lastWord];
  running = await startRegistry({ kinds: builtinKinds, admission });
  ({ registry } = running);
});

afterEach(() => running[Symbol.asyncDispose]());

const create = async (plural: string, object: object, parts: Partial<RequestContext> = {}): Promise<KubeObject> => {
  const kind = aKind(plural);
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  return (await registry.create(kind, aBody({ apiVersion, kind: kind.kind, ...object }), aContext(parts))).object();
};
const makePod = (name: string, requests: object = {}, parts: Partial<RequestContext> = {}): Promise<KubeObject> =>
  create('pods', { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests } }] } }, parts);

/** A quota as the controller leaves it: counted, nothing used. */
async function makeQuota(name: string, hard: Record<string, string>, spec: object = {}): Promise<void> {
  await create('resourcequotas', { metadata: { name }, spec: { hard, ...spec } });
  const used = Object.fromEntries(Object.keys(hard).map((resource) => [resource, '0']));
  await setStatus(name, { hard, used });
}

async function setStatus(name: string, status: ResourceQuota['status']): Promise<void> {
  const change = (current: KubeObject): KubeObject => ({ ...current, status }) as KubeObject;
  await registry.change(aKind('resourcequotas'), name, change, aContext({ subresource: 'status' }));
}

const used = async (name: string): Promise<unknown> =>
  ((await registry.get(aKind('resourcequotas'), name, '', aContext())).object() as ResourceQuota).status?.used;
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  );

describe('a quota', () => {
  test('is charged, and refuses what does not fit any more', async () => {
    await makeQuota('q', { pods: '2', 'requests.cpu': '1', memory: '1Gi' });
    await makePod('a', { cpu: '600m', memory: '1Mi' });
    expect(await used('q')).toEqual({ pods: '1', 'requests.cpu': '600m', memory: '1Mi' });
    await expect(makePod('b', { cpu: '500m', memory: '2Gi' })).rejects.toMatchObject({
      reason: 'Forbidden',
      message:
        'pods "b" is forbidden: exceeded quota: q, requested: memory=2Gi,requests.cpu=500m, used: memory=1Mi,requests.cpu=600m, limited: memory=1Gi,requests.cpu=1',
    });
    expect(await refusal(makePod('b', { cpu: '1m' }))).toBe('pods "b" is forbidden: failed quota: q: must specify memory for: c');
    expect(await used('q')).toEqual({ pods: '1', 'requests.cpu': '600m', memory: '1Mi' });
  });

  test('lets nothing in before it has been counted, but for what it does not limit', async () => {
    await create('resourcequotas', { metadata: { name: 'q' }, spec: { hard: { pods: '1' } } });
    await makePod('early');
    await setStatus('q', { hard: { pods: '1' } });
    expect(await refusal(makePod('b'))).toBe('pods "b" is forbidden: status unknown for quota: q, resources: pods');
    await create('configmaps', { metadata: { name: 'c' } });
  });

  test('counts objects by either name, and updates by their difference', async () => {
    await makeQuota('q', { 'count/deployments.apps': '0', configmaps: '1', 'services.nodeports': '2' });
    await create('configmaps', { metadata: { name: 'a' } });
    expect(await refusal(create('configmaps', { metadata: { name: 'b' } }))).toBe(
      'configmaps "b" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1',
    );
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } };
    expect(await refusal(create('deployments', deployment))).toBe(
      'deployments.apps "d" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=0, limited: count/deployments.apps=0',
    );
    const ports = (count: number): object[] =>
      Array.from({ length: count }, (_, at) => ({ name: `p${at}`, port: at + 1, nodePort: 30_000 + at }));
    await create('services', {
      metadata: { name: 's' },
      spec: { type: 'NodePort', clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ports: ports(1) },
    });
    const resize = (count: number): Promise<unknown> => {
      const bytes = Buffer.from(JSON.stringify({ spec: { ports: ports(count) } }));
      return registry.patch(aKind('services'), 's', { type: 'merge', bytes, force: false }, aContext());
    };
    await resize(2);
    expect(await used('q')).toMatchObject({ 'services.nodeports': '2' });
    expect(await refusal(resize(3))).toBe(
      'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=2, limited: services.nodeports=2',
    );
  });

  test('of a scope concerns only what is in it', async () => {
    await makeQuota('q', { pods: '0' }, { scopes: ['NotBestEffort'] });
    await makePod('a');
    expect(await refusal(makePod('b', { cpu: '1' }))).toContain('exceeded quota: q, requested: pods=1');
  });

  test('of pods that end by themselves is charged when a pod gets a deadline', async () => {
    await makeQuota('q', { pods: '1' }, { scopes: ['Terminating'] });
    const hurry = (name: string): Promise<unknown> => {
      const bytes = Buffer.from('{"spec":{"activeDeadlineSeconds":9}}');
      return registry.patch(aKind('pods'), name, { type: 'merge', bytes, force: false }, aContext());
    };
    await makePod('a');
    await makePod('b');
    expect(await used('q')).toEqual({ pods: '0' });
    await hurry('a');
    expect(await used('q')).toEqual({ pods: '1' });
    expect(await refusal(hurry('b'))).toBe('pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1');
  });

  test('is charged what a claim tells that it was given, however much', async () => {
    await makeQuota('q', { 'requests.storage': '2Gi' });
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await create('persistentvolumeclaims', { metadata: { name: 'c' }, spec });
    const tell = (storage: string): Promise<unknown> => {
      const bytes = Buffer.from(JSON.stringify({ status: { allocatedResources: { storage } } }));
      const context = aContext({ subresource: 'status' });
      return registry.patch(aKind('persistentvolumeclaims'), 'c', { type: 'merge', bytes, force: false }, context);
    };
    await tell('3Gi');
    expect(await used('q')).toEqual({ 'requests.storage': '3Gi' });
  });

  test('is given back what comes to nothing, and dry runs cost nothing', async () => {
    await makeQuota('q', { pods: '1' });
    expect(await refusal(makePod('unlucky'))).toBe('no luck');
    await makePod('dry', {}, { dryRun: true });
    await makePod('a');
    expect(await refusal(makePod('a'))).toContain('exceeded quota');
    expect(await refusal(makePod('dry', {}, { dryRun: true }))).toContain('exceeded quota: q');
    expect(await used('q')).toEqual({ pods: '1' });
  });

  test('a name that is taken costs nothing', async () => {
    await makeQuota('q', { pods: '3' });
    await makePod('a');
    expect(await refusal(makePod('a'))).toContain('already exists');
    await makePod('b');
    expect(await used('q')).toEqual({ pods: '2' });
  });
});

describe('what is limited by default', () => {
  const limits: LimitedResource[] = [
    { resource: 'persistentvolumeclaims', matchContains: ['.storageclass.storage.k8s.io/'] },
    { apiGroup: 'apps', resource: 'deployments', matchContains: ['count/'] },
    { resource: 'pods', matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high', 'higher'] }] },
  ];
  const claim = (storageClassName?: string): object => ({
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...(storageClassName && { storageClassName }) },
  });
  const gold = 'gold.storageclass.storage.k8s.io/persistentvolumeclaims';
  const goldStorage = 'gold.storageclass.storage.k8s.io/requests.storage';
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } };
  const urgent = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }], priorityClassName: 'high' } };
  const classScope = { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } };

  beforeEach(() => limited.push(...limits));
  afterEach(() => void limited.splice(0));

  test.each<[string, string, object, Record<string, string>, object, string]>([
    [
      'nothing of a class without a quota',
      'persistentvolumeclaims',
      claim('gold'),
      {},
      {},
      `403 persistentvolumeclaims "c" is forbidden: insufficient quota to consume: ${gold},${goldStorage}`,
    ],
    [
      'half of it covered is too little',
      'persistentvolumeclaims',
      claim('gold'),
      { [gold]: '5' },
      {},
      `403 persistentvolumeclaims "c" is forbidden: insufficient quota to consume: ${goldStorage}`,
    ],
    ['all of it covered', 'persistentvolumeclaims', claim('gold'), { [gold]: '5', [goldStorage]: '5Gi' }, {}, 'made'],
    ['what is not limited', 'persistentvolumeclaims', claim(), {}, {}, 'made'],
    [
      'another group',
      'deployments',
      deployment,
      {},
      {},
      '403 deployments.apps "d" is forbidden: insufficient quota to consume: count/deployments.apps',
    ],
    ['a covered count', 'deployments', deployment, { 'count/deployments.apps': '1' }, {}, 'made'],
    ['a scope without a quota', 'pods', urgent, {}, {}, '500 insufficient quota to match these scopes: [{PriorityClass In [high higher]}]'],
    ['a scope that a quota names', 'pods', urgent, { pods: '1' }, classScope, 'made'],
    [
      'a quota of no scope',
      'pods',
      urgent,
      { pods: '1' },
      {},
      '500 insufficient quota to match these scopes: [{PriorityClass In [high higher]}]',
    ],
  ])('%s', async (_name, plural, object, hard, spec, wanted) => {
    if (Object.keys(hard).length > 0) await makeQuota('q', hard, spec);
    const answer = await create(plural, object).then(
      () => 'made',
      (error: unknown) => `${(error as ApiError).code} ${(error as ApiError).message}`,
    );
    expect(answer).toBe(wanted);
  });
});

/** Lets time pass until the work is done. */
async function outlast<T>(work: Promise<T>): Promise<T> {
  let isDone = false;
  const ended = work.finally(() => {
    isDone = true;
  });
  while (!isDone) await clock.advance(100);
  return await ended;
}

/** Another server writes the quota, and keeps what is used. */
const touch = (name: string): Promise<unknown> => {
  const stamp = (current: KubeObject): KubeObject =>
    ({ ...current, metadata: { ...current.metadata, labels: { at: `x${current.metadata.resourceVersion}` } } }) as KubeObject;
  return registry.change(aKind('resourcequotas'), name, stamp, aContext());
};

describe('a charge', () => {
  test('is given back where another quota cannot be charged', async () => {
    await makeQuota('a', { pods: '3' });
    await makeQuota('b', { pods: '3' });
    onCharge = (name) => {
      if (name === 'b') throw new Error('no luck today');
    };
    expect(await refusal(makePod('p'))).toBe('no luck today');
    expect([await used('a'), await used('b')]).toEqual([{ pods: '0' }, { pods: '0' }]);
    onCharge = undefined;
    await makePod('p');
    expect([await used('a'), await used('b')]).toEqual([{ pods: '1' }, { pods: '1' }]);
  });

  test('waits for a quiet moment when others write the quota', async () => {
    await makeQuota('a', { pods: '3' });
    await makeQuota('b', { pods: '3' });
    let disturbances = 15;
    onCharge = async (name) => {
      if (name === 'b' && disturbances-- > 0) await touch('b');
    };
    const startMs = clock.monotonicMs();
    await outlast(makePod('p'));
    expect([await used('a'), await used('b')]).toEqual([{ pods: '1' }, { pods: '1' }]);
    expect(clock.monotonicMs() - startMs).toBeGreaterThan(1_000);
  });

  test('is given up when they never cease', async () => {
    await makeQuota('a', { pods: '3' });
    onCharge = async () => void (await touch('a'));
    expect(await outlast(refusal(makePod('p')))).toBe('Internal error occurred: resource quota evaluation timed out');
    expect(await used('a')).toEqual({ pods: '0' });
  });
});

describe('many at once', () => {
  test('never pass what is allowed, whoever else writes', async () => {
    await makeQuota('a', { pods: '7' });
    await makeQuota('b', { pods: '9', cpu: '5' });
    const making = Array.from({ length: 20 }, (_, at) => refusal(makePod(`p${at}`, { cpu: '1' })));
    const others = Array.from({ length: 5 }, (_, at) =>
      registry.change(
        aKind('resourcequotas'),
        at % 2 === 0 ? 'a' : 'b',
        (current) => ({ ...current, metadata: { ...current.metadata, labels: { at: String(at) } } }),
        aContext(),
      ),
    );
    const answers = await outlast(Promise.all(making));
    await Promise.all(others);
    expect(answers.filter((answer) => answer === 'nothing was refused')).toHaveLength(5);
    expect([await used('a'), await used('b')]).toEqual([{ pods: '5' }, { pods: '5', cpu: '5' }]);
    expect(registry.peekAll(aKind('pods'), 'default')).toHaveLength(5);
  });
});

test('devices of a class are counted by what a claim may get', async () => {
  const name = 'gpu.deviceclass.resource.k8s.io/devices';
  await makeQuota('devices', { [name]: '3' });
  const claim = (called: string, count: number): Promise<KubeObject> =>
    create('resourceclaims', {
      metadata: { name: called },
      spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', count } }] } },
    });
  await claim('a', 2);
  await expect(claim('b', 2)).rejects.toThrow(`exceeded quota: devices, requested: ${name}=2, used: ${name}=2, limited: ${name}=3`);
  await claim('c', 1);
});

test('devices count by the name that containers ask for them with, too', async () => {
  const [stated, implied] = ['requests.example.com/gpu', 'requests.deviceclass.resource.kubernetes.io/gpu'];
  await makeQuota('devices', { [stated]: '3', [implied]: '9' });
  const spec = { extendedResourceName: 'example.com/gpu' };
  await create('deviceclasses', { metadata: { name: 'gpu' }, spec }, { namespace: '' });
  const claim = (name: string, count: number): Promise<KubeObject> =>
    create('resourceclaims', {
      metadata: { name },
      spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', count } }] } },
    });
  await claim('a', 2);
  const limits = { requests: { 'example.com/gpu': '2' }, limits: { 'example.com/gpu': '2' } };
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i', resources: limits }] } };
  const why = `exceeded quota: devices, requested: ${stated}=2, used: ${stated}=2, limited: ${stated}=3`;
  await expect(create('pods', pod)).rejects.toThrow(why);
  await expect(claim('b', 2)).rejects.toThrow(why);
  await claim('c', 1);
});
