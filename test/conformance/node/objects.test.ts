// The API part of what nodes run: ConfigMaps, Secrets, PodTemplates, Leases, RuntimeClasses and pods.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyObject, type ApiSession, type ApiUnderTest, pathOf, startApi } from '../api-session.ts';

let under: ApiUnderTest;
let api: ApiSession;
const collection = (plural: string, ns: string | undefined = 'default'): string => pathOf('v1', plural, ns);
const labelled = (label: string): string => `labelSelector=${encodeURIComponent(label)}`;
const namesOf = ({ items }: AnyObject): string[] => items.map(({ metadata }) => metadata.name);

beforeAll(async () => {
  under = await startApi({ admissionPlugins: ['Priority', 'RuntimeClass', 'DefaultTolerationSeconds'] });
  ({ api } = under);
});
afterAll(async () => under[Symbol.asyncDispose]());

describe('ConfigMaps', () => {
  const maps = collection('configmaps');

  test.each(['configmaps', 'secrets'])('%s with an empty key are refused', async (plural) => {
    const made = api.post(collection(plural), {
      metadata: { name: 'empty-key' },
      data: { '': plural === 'secrets' ? 'dmFsdWU=' : 'value' },
    });
    await expect(made).rejects.toThrow(/^Invalid: .*data\[\]: Invalid value: "": /);
  });

  test('run through a lifecycle, as a watch shows', async () => {
    const selector = labelled('test-configmap-static=true');
    await using watch = await api.watch(maps, selector);
    await api.post(maps, { metadata: { name: 'lived', labels: { 'test-configmap-static': 'true' } }, data: { valueName: 'value' } });
    await api.patch(`${maps}/lived`, 'strategic', { metadata: { labels: { 'test-configmap': 'patched' } }, data: { valueName: 'value1' } });
    expect(await api.get(`${maps}/lived`)).toMatchObject({
      data: { valueName: 'value1' },
      metadata: { labels: { 'test-configmap': 'patched' } },
    });
    expect(namesOf(await api.get(`${collection('configmaps', undefined)}?${selector}`))).toContain('lived');
    await api.delete(`${maps}?${selector}`);
    expect((await watch.until(({ type }) => type === 'DELETED')).map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    expect(namesOf(await api.get(`${maps}?${selector}`))).toEqual([]);
  });

  test('are updated', async () => {
    await api.post(maps, { metadata: { name: 'updated' } });
    expect(await api.update(`${maps}/updated`, (found) => ({ ...found, data: { data: 'value' } }))).toMatchObject({
      data: { data: 'value' },
    });
    await expect(api.get(`${maps}/updated`)).resolves.toMatchObject({ data: { data: 'value' } });
  });
});

test('Secrets are patched, found by label in all namespaces, and deleted by it', async () => {
  const secrets = collection('secrets');
  const selector = labelled('testsecret-constant=true');
  await api.post(secrets, {
    metadata: { name: 'patched', labels: { 'testsecret-constant': 'true' } },
    data: { key: 'dmFsdWU=' },
    type: 'Opaque',
  });
  await api.patch(`${secrets}/patched`, 'strategic', { metadata: { labels: { testsecret: 'true' } }, data: { key: 'dmFsdWUx' } });
  const [found] = (await api.get(`${collection('secrets', undefined)}?${labelled('testsecret=true')}`)).items;
  expect(found).toMatchObject({ metadata: { name: 'patched' }, data: { key: 'dmFsdWUx' } });
  await api.delete(`${secrets}?${selector}`);
  expect(namesOf(await api.get(`${collection('secrets', undefined)}?${labelled('testsecret=true')}`))).toEqual([]);
});

describe('PodTemplates', () => {
  const templates = collection('podtemplates');
  const template = { spec: { containers: [{ name: 'nginx', image: 'nginx' }] } };

  test('run through a lifecycle', async () => {
    await api.post(templates, { metadata: { name: 'lived', labels: { 'podtemplate-static': 'true' } }, template });
    await api.patch(`${templates}/lived`, 'strategic', { metadata: { labels: { podtemplate: 'patched' } } });
    const everywhere = `${collection('podtemplates', undefined)}?${labelled('podtemplate-static=true,podtemplate=patched')}`;
    expect(namesOf(await api.get(everywhere))).toEqual(['lived']);
    await api.delete(`${templates}/lived`);
    expect(namesOf(await api.get(everywhere))).toEqual([]);
  });

  test('are replaced, with another annotation', async () => {
    const made = await api.post(templates, { metadata: { name: 'replaced' }, template });
    const replaced = await api.put(`${templates}/replaced`, { ...made, metadata: { ...made.metadata, annotations: { updated: 'true' } } });
    expect(replaced.metadata.annotations).toEqual({ updated: 'true' });
  });

  test('are deleted as a collection', async () => {
    for (const at of [1, 2, 3])
      await api.post(templates, { metadata: { name: `set-${at}`, labels: { 'podtemplate-set': 'true' } }, template });
    expect(namesOf(await api.get(`${templates}?${labelled('podtemplate-set=true')}`))).toEqual(['set-1', 'set-2', 'set-3']);
    await api.delete(`${templates}?${labelled('podtemplate-set=true')}`);
    expect(namesOf(await api.get(`${templates}?${labelled('podtemplate-set=true')}`))).toEqual([]);
  });
});

test('Leases are created, updated, patched, listed and deleted by label', async () => {
  const leases = pathOf('coordination.k8s.io/v1', 'leases', 'default');
  const spec = (holder: string, at: string, transitions: number): object => ({
    holderIdentity: holder,
    leaseDurationSeconds: 30,
    acquireTime: at,
    renewTime: at,
    leaseTransitions: transitions,
  });
  const first = spec('holder', '2026-01-01T00:00:00.000002Z', 0);
  expect((await api.post(leases, { metadata: { name: 'lease' }, spec: first }))['spec']).toEqual(first);
  expect((await api.get(`${leases}/lease`))['spec']).toEqual(first);
  const second = spec('holder2', '2026-01-01T00:00:10.000002Z', 1);
  await api.update(`${leases}/lease`, (found) => ({ ...found, spec: second }));
  expect((await api.get(`${leases}/lease`))['spec']).toEqual(second);
  const third = spec('holder3', '2026-01-01T00:00:50.500005Z', 2);
  await api.patch(`${leases}/lease`, 'strategic', { spec: third });
  expect((await api.get(`${leases}/lease`))['spec']).toEqual(third);
  await api.post(leases, { metadata: { name: 'lease2', labels: { deletecollection: 'true' } }, spec: first });
  expect(namesOf(await api.get(leases))).toEqual(['lease', 'lease2']);
  await api.delete(`${leases}?${labelled('deletecollection=true')}`);
  expect(namesOf(await api.get(leases))).toEqual(['lease']);
  await api.delete(`${leases}/lease`);
  await expect(api.get(`${leases}/lease`)).rejects.toThrow(/^NotFound: leases\.coordination\.k8s\.io "lease" not found$/);
});

describe('pods', () => {
  const pods = collection('pods');
  const body = (name: string, spec: object = {}, labels: object = {}): object => ({
    metadata: { name, labels },
    spec: { containers: [{ name: 'main', image: 'pause', ...('resources' in spec ? { resources: spec.resources } : {}) }], ...spec },
  });

  test('asking for a RuntimeClass that is not there, or not any more, are rejected', async () => {
    const classes = pathOf('node.k8s.io/v1', 'runtimeclasses');
    const refusal = (name: string): RegExp => new RegExp(`^Forbidden: .*RuntimeClass "${name}" not found`);
    await expect(api.post(pods, body('none', { runtimeClassName: 'none' }))).rejects.toThrow(refusal('none'));
    await api.post(classes, { metadata: { name: 'gone' }, handler: 'runc', overhead: { podFixed: { cpu: '10m', memory: '1Mi' } } });
    expect(await api.post(pods, body('there', { runtimeClassName: 'gone' }))).toMatchObject({
      spec: { runtimeClassName: 'gone', overhead: { cpu: '10m', memory: '1Mi' } },
    });
    await api.delete(`${classes}/gone`);
    await expect
      .poll(() => api.post(pods, body('late', { runtimeClassName: 'gone' })).then(() => 'made', String))
      .toMatch(/RuntimeClass "gone" not found/);
  });

  test('have their QOS class set from the start', async () => {
    const resources = { requests: { cpu: '100m', memory: '100Mi' }, limits: { cpu: '100m', memory: '100Mi' } };
    const spec = { containers: [{ name: 'main', image: 'pause', resources }] };
    expect(await api.post(pods, body('qos', spec))).toMatchObject({ status: { qosClass: 'Guaranteed', phase: 'Pending' } });
  });

  test('are patched, found by label, their status replaced and patched, and deleted as a collection', async () => {
    const selector = labelled('test-pod-static=true');
    await using watch = await api.watch(pods, selector);
    await api.post(pods, body('lived', {}, { 'test-pod-static': 'true' }));
    await api.patch(`${pods}/lived`, 'strategic', {
      metadata: { labels: { 'test-pod': 'patched' } },
      spec: { containers: [{ name: 'main', image: 'pause:2' }] },
    });
    const patched = await api.get(`${pods}/lived`);
    expect(patched).toMatchObject({ metadata: { labels: { 'test-pod': 'patched' } }, spec: { containers: [{ image: 'pause:2' }] } });
    const updated = await api.update(
      `${pods}/lived`,
      (found) => ({
        ...found,
        status: { ...(found['status'] as object), conditions: [{ type: 'StatusUpdate', status: 'True', reason: 'E2E' }] },
      }),
      `${pods}/lived/status`,
    );
    expect(updated['status']).toMatchObject({ conditions: [{ type: 'StatusUpdate', status: 'True' }] });
    const condition = { type: 'StatusPatched', status: 'True', reason: 'E2E patch', message: 'Set by e2e test' };
    const again = await api.patch(`${pods}/lived/status`, 'strategic', { status: { conditions: [condition] } });
    expect((again['status'] as { conditions: object[] }).conditions).toHaveLength(2);
    await api.delete(`${pods}?${selector}`);
    const seen = await watch.until(({ type }) => type === 'DELETED');
    expect(seen.map(({ type, object }) => [type, object.metadata.deletionTimestamp !== undefined])).toEqual([
      ['ADDED', false],
      ['MODIFIED', false],
      ['MODIFIED', false],
      ['MODIFIED', false],
      ['MODIFIED', true],
      ['DELETED', true],
    ]);
  });

  test('count generations of their spec: of updates, of none, and of a graceful deletion', async () => {
    const made = await api.post(pods, body('counted', { nodeName: 'a-node', terminationGracePeriodSeconds: 30 }));
    expect(made.metadata.generation).toBe(1);
    const path = `${pods}/counted`;
    const generation = async (change: Promise<AnyObject>): Promise<number | undefined> => (await change).metadata.generation;
    const spec = (found: AnyObject): { tolerations?: object[]; containers: object[] } => found['spec'] as never;
    expect(await generation(api.update(path, (found) => ({ ...found, metadata: { ...found.metadata, labels: { a: 'b' } } })))).toBe(1);
    const tolerated = api.update(path, (found) => ({
      ...found,
      spec: { ...spec(found), tolerations: [...(spec(found).tolerations ?? []), { key: 'foo', operator: 'Exists', effect: 'NoSchedule' }] },
    }));
    expect(await generation(tolerated)).toBe(2);
    const image = api.patch(path, 'strategic', { spec: { containers: [{ name: 'main', image: 'pause:3' }] } });
    expect(await generation(image)).toBe(3);
    // What the server sets wins over what clients send.
    expect(await generation(api.update(path, (found) => ({ ...found, metadata: { ...found.metadata, generation: 99 } })))).toBe(3);
    expect(await generation(api.patch(`${path}/status`, 'merge', { status: { observedGeneration: 3 } }))).toBe(3);
    for (let at = 4; at <= 60; at++) {
      expect(await generation(api.patch(path, 'merge', { spec: { activeDeadlineSeconds: 10_000 - at } }))).toBe(at);
    }
    const going = await api.delete(path);
    expect(going.metadata).toMatchObject({ generation: 61, deletionTimestamp: expect.any(String) as string });
    await api.delete(path, { gracePeriodSeconds: 0 });
  });
});
