// The admission of claims, volumes, Ingresses, nodes and RuntimeClasses, through the real API server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { node } from '#api/core/node/node.ts';
import { persistentVolume } from '#api/core/persistent-volume/persistent-volume.ts';
import { persistentVolumeClaim, type PersistentVolumeClaim } from '#api/core/persistent-volume-claim/persistent-volume-claim.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { ingress, type Ingress } from '#api/networking/ingress.ts';
import { ingressClass } from '#api/networking/ingress-class.ts';
import { runtimeClass } from '#api/node/runtime-class.ts';
import { storageClass } from '#api/storage/storage-class.ts';
import { volumeAttributesClass } from '#api/storage/volume-attributes-class.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

const { signal } = new AbortController();
const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
let server: TestApiServer;
let client: RestClient;
let count = 0;

beforeAll(async () => {
  server = await startTestApiServer({ clock });
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  await client.create(serviceAccount, { metadata: { namespace: 'default', name: 'default' } }, {}, signal);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await server.stop();
});

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  );
const requests = (storage: string) => ({ resources: { requests: { storage } } });
const makeClaim = (
  spec: Partial<PersistentVolumeClaim['spec']> = {},
  annotations: Record<string, string> = {},
): Promise<PersistentVolumeClaim> =>
  client.create(
    persistentVolumeClaim,
    {
      metadata: { namespace: 'default', name: `c${count++}`, annotations },
      spec: { accessModes: ['ReadWriteOnce'], ...requests('1Gi'), ...spec },
    },
    {},
    signal,
  );

describe('storage', () => {
  test('claims, volumes and classes of attributes are protected', async () => {
    const claim = await makeClaim();
    expect([claim.metadata.finalizers, claim.spec.storageClassName]).toEqual([['kubernetes.io/pvc-protection'], undefined]);
    const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: 's', path: '/p' } };
    const volume = await client.create(persistentVolume, { metadata: { name: 'v' }, spec }, {}, signal);
    expect(volume.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
    expect(volume.status).toEqual({ phase: 'Pending', lastPhaseTransitionTime: '2026-01-01T00:00:00Z' });
    const body = { metadata: { name: 'a', finalizers: ['kubernetes.io/vac-protection'] }, driverName: 'd', parameters: { a: 'b' } };
    const attributes = await client.create(volumeAttributesClass, body, {}, signal);
    expect(attributes.metadata.finalizers).toEqual(['kubernetes.io/vac-protection']);
  });

  test('the newest default class is for claims that name none', async () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    for (const name of ['old', 'new-b', 'new-a']) {
      await client.create(storageClass, { metadata: { name, annotations }, provisioner: 'p', allowVolumeExpansion: true }, {}, signal);
      if (name === 'old') await clock.advance(1_000);
    }
    expect((await makeClaim()).spec.storageClassName).toBe('new-a');
    expect((await makeClaim({ storageClassName: '' })).spec.storageClassName).toBe('');
    expect((await makeClaim({}, { 'volume.beta.kubernetes.io/storage-class': 'x' })).spec.storageClassName).toBe(undefined);
  });

  test('claims grow once bound, where their class lets them', async () => {
    await client.create(storageClass, { metadata: { name: 'fixed' }, provisioner: 'p' }, {}, signal);
    const grown = async (className: string, isBound: boolean): Promise<string> => {
      const claim = await makeClaim({ storageClassName: className });
      const status = { phase: 'Bound', capacity: { storage: '1Gi' } };
      const made = isBound ? await client.update(persistentVolumeClaim, { ...claim, status }, { subresource: 'status' }, signal) : claim;
      const why = await refusal(client.update(persistentVolumeClaim, { ...made, spec: { ...made.spec, ...requests('2Gi') } }, {}, signal));
      return why.replace(claim.metadata.name ?? '', 'c');
    };
    expect(await grown('new-a', true)).toBe('nothing was refused');
    expect(await grown('fixed', true)).toBe(
      'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
    // Validation comes before this plugin, and says more.
    expect(await grown('new-a', false)).toMatch(/^PersistentVolumeClaim "c" is invalid: spec: Forbidden: spec is immutable after creation/);
  });
});

test('Ingresses get the default class', async () => {
  const make = (extra: Partial<Ingress>): Promise<Ingress> => {
    const spec = { defaultBackend: { service: { name: 's', port: { number: 80 } } }, ...extra.spec };
    return client.create(
      ingress,
      { metadata: { namespace: 'default', name: `i${count++}`, ...extra.metadata }, spec, status: {} },
      {},
      signal,
    );
  };
  expect((await make({})).spec.ingressClassName).toBe(undefined);
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  await client.create(ingressClass, { metadata: { name: 'web', annotations }, spec: { controller: 'example.com/c' } }, {}, signal);
  expect((await make({})).spec.ingressClassName).toBe('web');
  expect((await make({ spec: { ingressClassName: 'own' } })).spec.ingressClassName).toBe('own');
  expect((await make({ metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } } })).spec.ingressClassName).toBe(undefined);
});

test('new nodes are not ready yet', async () => {
  const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
  expect((await client.create(node, { metadata: { name: 'n1' } }, {}, signal)).spec?.taints).toEqual([taint]);
  const taints = [
    { ...taint, value: 'x' },
    { key: 'a', effect: 'NoExecute' },
  ];
  expect((await client.create(node, { metadata: { name: 'n2' }, spec: { taints } }, {}, signal)).spec?.taints).toEqual(taints);
});

describe('RuntimeClasses of pods', () => {
  const make = (spec: Partial<Pod['spec']>): Promise<Pod> =>
    client.create(
      pod,
      { metadata: { namespace: 'default', name: `p${count++}` }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } },
      {},
      signal,
    );

  test('say what running costs and where it works', async () => {
    const scheduling = { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'sandbox', operator: 'Exists' }] };
    const body = { metadata: { name: 'sandbox' }, handler: 'runsc', overhead: { podFixed: { memory: '64Mi', cpu: '0.25' } }, scheduling };
    await client.create(runtimeClass, body, {}, signal);
    const { spec } = await make({ runtimeClassName: 'sandbox', nodeSelector: { a: 'b' } });
    expect(spec.overhead).toEqual({ memory: '64Mi', cpu: '250m' });
    expect(spec.nodeSelector).toEqual({ a: 'b', sandbox: 'yes' });
    expect(spec.tolerations?.map(({ key }) => key)).toEqual(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable', 'sandbox']);
    expect((await make({ runtimeClassName: 'sandbox', overhead: { memory: '64Mi', cpu: '250m' } })).spec.overhead).toEqual(spec.overhead);
  });

  test.each<[string, Partial<Pod['spec']>, string]>([
    ['an unknown class', { runtimeClassName: 'ghost' }, 'pod rejected: RuntimeClass "ghost" not found'],
    [
      'costs without a class',
      { overhead: { cpu: '1' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
    [
      'other costs',
      { runtimeClassName: 'sandbox', overhead: { cpu: '1' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      'other nodes',
      { runtimeClassName: 'sandbox', nodeSelector: { sandbox: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no',
    ],
  ])('refuse %s', async (_name, spec, why) => {
    expect(await refusal(make(spec))).toBe(`pods "p${count - 1}" is forbidden: ${why}`);
  });
});

describe('Secrets that a service account allows', () => {
  const make = (spec: Partial<Pod['spec']>, annotations: Record<string, string> = {}): Promise<Pod> =>
    client.create(
      pod,
      {
        metadata: { namespace: 'default', name: `p${count++}`, annotations },
        spec: { containers: [{ name: 'c', image: 'i' }], serviceAccountName: 'careful', ...spec },
      },
      {},
      signal,
    );
  const env = (name: string) => [{ name: 'V', valueFrom: { secretKeyRef: { name, key: 'k' } } }];

  beforeAll(async () => {
    const metadata = { namespace: 'default', name: 'careful', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } };
    const secrets = [{ name: 'mine', kind: 'Secret', uid: 'u' }];
    const made = await client.create(serviceAccount, { metadata, secrets, imagePullSecrets: [{ name: 'pull' }] }, {}, signal);
    expect(made.secrets).toEqual([{ name: 'mine' }]);
  });

  test('are enough', async () => {
    const volumes = [{ name: 'v', secret: { secretName: 'mine' } }];
    const { spec } = await make({ volumes, containers: [{ name: 'c', image: 'i', env: env('mine') }] });
    expect(spec.imagePullSecrets).toEqual([{ name: 'pull' }]);
  });

  const tail = 'is not allowed because service account careful does not reference that secret';
  test.each<[string, Partial<Pod['spec']>, string]>([
    ['a volume', { volumes: [{ name: 'v', secret: { secretName: 'other' } }] }, `volume with secret.secretName="other" ${tail}`],
    [
      'a variable',
      { containers: [{ name: 'c', image: 'i', env: env('other') }] },
      `container c with envVar V referencing secret.secretName="other" ${tail}`,
    ],
    [
      'variables of an init container',
      { initContainers: [{ name: 'd', image: 'i', envFrom: [{ secretRef: { name: 'other' } }] }] },
      `init container d with envFrom referencing secret.secretName="other" ${tail}`,
    ],
    [
      'pulling',
      { imagePullSecrets: [{ name: 'other' }] },
      'imagePullSecrets[0].name="other" is not allowed because service account careful does not reference that imagePullSecret',
    ],
  ])('are all: %s', async (_name, spec, why) => {
    expect(await refusal(make(spec))).toBe(`pods "p${count - 1}" is forbidden: ${why}`);
  });

  test('are all before a pod is judged by itself', async () => {
    expect(await refusal(make({ imagePullSecrets: [{ name: 'other' }], containers: [] }))).toContain('is forbidden');
  });

  test('are all for containers that are added, too', async () => {
    const made = await make({});
    const ephemeralContainers = [{ name: 'e', image: 'i', env: env('other') }];
    const adding = client.update(
      pod,
      { ...made, spec: { ...made.spec, ephemeralContainers } },
      { subresource: 'ephemeralcontainers' },
      signal,
    );
    expect(await refusal(adding)).toBe(`ephemeral container e with envVar V referencing secret.secretName="other" ${tail}`);
  });

  test.each<[Partial<Pod['spec']>, string]>([
    [{}, 'a mirror pod may not reference service accounts'],
    [{ serviceAccountName: '', imagePullSecrets: [{ name: 'a' }] }, 'a mirror pod may not reference secrets'],
    [
      { serviceAccountName: '', volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'a' } }] } }] },
      'a mirror pod may not use ServiceAccountToken volume projections',
    ],
  ])('mirror pods have nothing: %j', async (spec, why) => {
    expect(await refusal(make({ nodeName: 'n', ...spec }, { 'kubernetes.io/config.mirror': 'x' }))).toBe(
      `pods "p${count - 1}" is forbidden: ${why}`,
    );
  });
});
