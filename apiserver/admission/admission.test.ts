import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { namespace } from '#api/core/namespace.ts';
import { pod, type Pod } from '#api/core/pod/pod.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { type PriorityClass, priorityClass } from '#api/scheduling/priority-class.ts';
import { systemClock } from '#base/clock.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const { signal } = new AbortController();
let server: TestApiServer;
let client: RestClient;

beforeAll(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  await client.create(serviceAccount, { metadata: { namespace: 'default', name: 'default' } }, {}, signal);
  const robot = {
    metadata: { namespace: 'default', name: 'robot' },
    imagePullSecrets: [{ name: 'pull' }],
    automountServiceAccountToken: false,
  };
  await client.create(serviceAccount, robot, {}, signal);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

let count = 0;
const makePod = (spec: Partial<Pod['spec']>): Promise<Pod> =>
  client.create(
    pod,
    { metadata: { namespace: 'default', name: `p${count++}` }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } },
    {},
    signal,
  );
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  );

describe('service accounts of pods', () => {
  test('a pod gets the default account and a token of it', async () => {
    const { spec } = await makePod({});
    expect([spec.serviceAccountName, spec.serviceAccount]).toEqual(['default', 'default']);
    const [volume] = spec.volumes ?? [];
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume?.projected).toMatchObject({
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt' } },
        { downwardAPI: { items: [{ path: 'namespace' }] } },
      ],
    });
    expect(spec.containers[0]?.volumeMounts).toEqual([
      { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ]);
  });

  test('an account may say: no token, but pull secrets', async () => {
    const { spec } = await makePod({ serviceAccountName: 'robot' });
    expect([spec.volumes, spec.imagePullSecrets]).toEqual([undefined, [{ name: 'pull' }]]);
    expect((await makePod({ serviceAccountName: 'robot', automountServiceAccountToken: true })).spec.volumes).toHaveLength(1);
  });

  test('what a container mounts there itself stays', async () => {
    const mounts = [{ name: 'own', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }];
    const { spec } = await makePod({
      containers: [{ name: 'c', image: 'i', volumeMounts: mounts }],
      volumes: [{ name: 'own', emptyDir: {} }],
    });
    expect(spec.volumes?.map(({ name }) => name)).toEqual(['own']);
  });

  test('a missing account is refused', async () => {
    expect(await refusal(makePod({ serviceAccountName: 'ghost' }))).toMatch(
      /^pods "p\d+" is forbidden: error looking up service account default\/ghost: serviceaccount "ghost" not found$/,
    );
  });

  test('the default account of a new namespace may come a little late', async () => {
    await client.create(namespace, { metadata: { name: 'new' } }, {}, signal);
    const making = client.create(
      pod,
      { metadata: { namespace: 'new', name: 'early' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      {},
      signal,
    );
    await client.create(serviceAccount, { metadata: { namespace: 'new', name: 'default' } }, {}, signal);
    expect((await making).spec.serviceAccountName).toBe('default');
  });
});

describe('what else pods are given', () => {
  test('tolerations for five minutes, unless they have their own', async () => {
    const added = (await makePod({})).spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]);
    expect(added).toEqual([
      ['node.kubernetes.io/not-ready', 300],
      ['node.kubernetes.io/unreachable', 300],
    ]);
    expect((await makePod({ tolerations: [{ operator: 'Exists' }] })).spec.tolerations).toEqual([{ operator: 'Exists' }]);
  });

  test('a priority', async () => {
    expect((await makePod({})).spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
    expect((await makePod({ priorityClassName: 'system-node-critical' })).spec.priority).toBe(2_000_001_000);
    expect(await refusal(makePod({ priorityClassName: 'mine' }))).toMatch(/is forbidden: no PriorityClass with name mine was found$/);
    expect(await refusal(makePod({ priority: 5 }))).toMatch(
      /the integer value of priority \(5\) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name$/,
    );
  });
});

describe('priority classes', () => {
  const makeClass = (name: string, rest: Omit<PriorityClass, 'metadata'>): Promise<PriorityClass> =>
    client.create(priorityClass, { metadata: { name }, ...rest }, {}, signal);
  const remove = (name: string): Promise<void> => client.delete(priorityClass, { name }, {}, signal);

  test('of the system are there', async () => {
    const { items } = await client.list(priorityClass, {}, signal);
    expect(items.map(({ metadata, value, preemptionPolicy }) => [metadata.name, value, preemptionPolicy, metadata.generation])).toEqual([
      ['system-cluster-critical', 2_000_000_000, 'PreemptLowerPriority', 1],
      ['system-node-critical', 2_000_001_000, 'PreemptLowerPriority', 1],
    ]);
  });

  test('give pods their priority and their manners', async () => {
    await makeClass('calm', { value: 7, preemptionPolicy: 'Never' });
    expect((await makePod({ priorityClassName: 'calm' })).spec).toMatchObject({ priority: 7, preemptionPolicy: 'Never' });
    expect((await makePod({ priorityClassName: 'calm', priority: 7, preemptionPolicy: 'Never' })).spec.priority).toBe(7);
    expect(await refusal(makePod({ priorityClassName: 'calm', preemptionPolicy: 'PreemptLowerPriority' }))).toMatch(
      /the string value of PreemptionPolicy \(PreemptLowerPriority\) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name$/,
    );
    await remove('calm');
  });

  test('the default one serves pods that name none; there is one', async () => {
    await makeClass('usual', { value: 3, globalDefault: true });
    expect((await makePod({})).spec).toMatchObject({ priorityClassName: 'usual', priority: 3 });
    const second =
      'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist';
    expect(await refusal(makeClass('other', { value: 4, globalDefault: true }))).toBe(second);
    await makeClass('other', { value: 4 });
    expect(await refusal(client.patch(priorityClass, { name: 'other' }, { globalDefault: true }, { type: 'merge' }, signal))).toBe(second);
    await client.patch(priorityClass, { name: 'usual' }, { description: 'x' }, { type: 'merge' }, signal);
    await Promise.all([remove('usual'), remove('other')]);
    expect((await makePod({})).spec.priorityClassName).toBeUndefined();
  });

  test('a pod keeps what it was given', async () => {
    await makeClass('brief', { value: 9 });
    const { metadata } = await makePod({ priorityClassName: 'brief' });
    await remove('brief');
    const found = await client.get(pod, { namespace: 'default', name: metadata.name ?? '' }, signal);
    const { priority: _priority, preemptionPolicy: _policy, ...spec } = found.spec;
    expect((await client.update(pod, { ...found, spec }, {}, signal)).spec).toMatchObject({ priority: 9 });
  });
});

describe('namespaces', () => {
  test('must exist', async () => {
    expect(await refusal(client.create(configMap, { metadata: { namespace: 'ghost', name: 'x' } }, {}, signal))).toBe(
      'namespaces "ghost" not found',
    );
  });

  test('of the system stay', async () => {
    for (const name of ['default', 'kube-system', 'kube-public']) {
      expect(await refusal(client.delete(namespace, { name }, {}, signal))).toBe(
        `namespaces "${name}" is forbidden: this namespace may not be deleted`,
      );
    }
  });

  test('that are going take nothing new, and are gone once finalized', async () => {
    await client.create(namespace, { metadata: { name: 'going' } }, {}, signal);
    await client.delete(namespace, { name: 'going' }, {}, signal);
    const found = await client.get(namespace, { name: 'going' }, signal);
    expect([found.status?.phase, found.spec?.finalizers]).toEqual(['Terminating', ['kubernetes']]);
    const making = client.create(configMap, { metadata: { namespace: 'going', name: 'x' } }, {}, signal);
    await expect(making).rejects.toMatchObject({
      reason: 'Forbidden',
      message: 'configmaps "x" is forbidden: unable to create new content in namespace going because it is being terminated',
      details: {
        name: 'x',
        kind: 'configmaps',
        causes: [{ reason: 'NamespaceTerminating', message: 'namespace going is being terminated', field: 'metadata.namespace' }],
      },
    });
    await client.update(namespace, { ...found, spec: { finalizers: [] } }, { subresource: 'finalize' }, signal);
    expect(await refusal(client.get(namespace, { name: 'going' }, signal))).toBe('namespaces "going" not found');
  });
});
