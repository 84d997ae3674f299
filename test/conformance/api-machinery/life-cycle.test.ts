// The life of an object of every kind, in the order in which conformance suites lead it: found in discovery, created, read, listed,
// watched, patched in each way, updated, its status read and written, deleted alone and as a collection.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { type Sample, samples } from '#test/integration/kinds/samples.ts';
import { type AnyObject, type ApiUnderTest, pathOf, startApi } from '../api-session.ts';
import { keepMetadata, statusSamples } from '../status-samples.ts';

const nameOf = ({ apiVersion, kind }: Sample): string => `${apiVersion} ${kind}`;
const kindNamed = (name: string): KindDefinition => {
  const found = builtinKinds.find((kind) => `${apiVersionOf(kind)} ${kind.kind}` === name);
  if (found === undefined) throw new Error(`${name} is not served`);
  return found;
};
const writable = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const subject = { 'special-uid': 'life' };
const selector = 'labelSelector=special-uid%3Dlife';
/** Held until controllers that are not here let them go, or of a kind that only ever goes by its own controller. */
const isHeld = new Set(['v1 PersistentVolume', 'v1 PersistentVolumeClaim', 'storage.k8s.io/v1 VolumeAttributesClass']);

/** Jobs and ReplicationControllers would wait for their dependents to be orphaned. */
const background = { propagationPolicy: 'Background' };

let under: ApiUnderTest;

/** As many as the life needs; names are the server's where the kind lets it choose. */
function makes(sample: Sample, at: number, labels: object = subject): object {
  const { name: _, namespace: __, ...metadata } = sample.metadata;
  const naming = sample.kind === 'IPAddress' ? { name: `192.0.2.${100 + at}` } : { generateName: 'life-' };
  const whole: object = { ...sample, metadata: { ...metadata, ...naming, labels } };
  if (sample.kind !== 'Service') return whole;
  return { ...whole, spec: { ...(sample as unknown as { spec: object }).spec, type: 'LoadBalancer' } };
}

async function letGo(path: string): Promise<void> {
  for (const { metadata } of (await under.api.get(path)).items) {
    if (metadata.deletionTimestamp !== undefined)
      await under.api.patch(`${path}/${metadata.name}`, 'merge', { metadata: { finalizers: null } });
  }
}

async function reads(collection: string, made: readonly AnyObject[], everywhere: string): Promise<AnyObject> {
  const { api } = under;
  for (const { metadata } of made) expect((await api.get(`${collection}/${metadata.name}`)).metadata.uid).toBe(metadata.uid);
  const uids = made.map(({ metadata }) => metadata.uid).sort();
  const inNamespace = await api.get(`${collection}?${selector}`);
  expect(inNamespace.items.map(({ metadata }) => metadata.uid).sort()).toEqual(uids);
  const anywhere = await api.get(`${everywhere}?${selector}`);
  expect(anywhere.items.map(({ metadata }) => metadata.uid).sort()).toEqual(uids);
  return inNamespace;
}

/** Each change is told once, in order, to a watch that began with the list. */
async function changes(collection: string, name: string, from: string): Promise<void> {
  const { api } = under;
  const path = `${collection}/${name}`;
  await using watch = await api.watch(collection, `${selector}&resourceVersion=${from}`);
  const patched = await api.patch(path, 'merge', { metadata: { annotations: { patched: 'merge' } } });
  expect(patched.metadata.annotations).toMatchObject({ patched: 'merge' });
  await api.patch(path, 'strategic', { metadata: { annotations: { patched: 'strategic' } } });
  await api.patch(path, 'json', [{ op: 'replace', path: '/metadata/annotations/patched', value: 'json' }]);
  const updated = await api.update(path, (found) => ({
    ...found,
    metadata: { ...found.metadata, annotations: { ...found.metadata.annotations, patched: 'updated' } },
  }));
  expect(updated.metadata.annotations).toMatchObject({ patched: 'updated' });
  expect(BigInt(updated.metadata.resourceVersion)).toBeGreaterThan(BigInt(patched.metadata.resourceVersion));
  const seen = await watch.until(({ object }) => object.metadata.annotations?.['patched'] === 'updated');
  expect(seen.map(({ type, object }) => [type, object.metadata.annotations?.['patched']])).toEqual([
    ['MODIFIED', 'merge'],
    ['MODIFIED', 'strategic'],
    ['MODIFIED', 'json'],
    ['MODIFIED', 'updated'],
  ]);
}

async function goes(sample: Sample, collection: string, made: readonly AnyObject[]): Promise<void> {
  const { api } = under;
  const held = isHeld.has(nameOf(sample));
  const [first] = made;
  const path = `${collection}/${first?.metadata.name}`;
  const { resourceVersion } = (await api.get(collection)).metadata;
  await using watch = await api.watch(collection, `${selector}&resourceVersion=${resourceVersion}`);
  await api.delete(path, background);
  if (held) await letGo(collection);
  const seen = await watch.until(({ type }) => type === 'DELETED');
  expect(seen.at(-1)?.object.metadata.uid).toBe(first?.metadata.uid);
  await expect(api.get(path)).rejects.toThrow(/^NotFound: /);
  expect((await api.get(`${collection}?${selector}`)).items).toHaveLength(made.length - 1);
  if (kindNamed(nameOf(sample)).verbs?.includes('deletecollection') === false) return;
  const bystander = await api.post(collection, makes(sample, 9, { 'special-uid': 'other' }));
  await api.delete(`${collection}?${selector}`, background);
  if (held) await letGo(collection);
  expect((await api.get(`${collection}?${selector}`)).items).toEqual([]);
  expect((await api.get(`${collection}/${bystander.metadata.name}`)).metadata.deletionTimestamp).toBeUndefined();
}

beforeAll(async () => {
  under = await startApi({ admissionPlugins: [] });
});
afterAll(async () => under[Symbol.asyncDispose]());

describe.each(samples.filter(({ kind }) => kind !== 'Namespace').map((sample) => [nameOf(sample), sample] as const))(
  '%s',
  (name, sample) => {
    const kind = kindNamed(name);
    const everywhere = pathOf(sample.apiVersion, kind.names.plural);
    const collection = pathOf(sample.apiVersion, kind.names.plural, kind.scope === 'namespaced' ? 'default' : undefined);
    const hasStatus = kind.subresources?.status === true;

    test('is in the discovery documents of its group and version', async () => {
      const { resources } = (await under.api.get(pathOf(sample.apiVersion, ''))) as unknown as {
        resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
      };
      const found = resources.find((one) => one.name === kind.names.plural);
      expect(found).toMatchObject({ kind: kind.kind, namespaced: kind.scope === 'namespaced', verbs: writable });
      const status = resources.find((one) => one.name === `${kind.names.plural}/status`);
      expect(status?.verbs).toEqual(hasStatus ? ['get', 'patch', 'update'] : undefined);
      if (kind.group === '') return;
      const { groups } = (await under.api.get('/apis')) as unknown as { groups: { name: string; versions: { groupVersion: string }[] }[] };
      const group = groups.find((one) => one.name === kind.group);
      expect(group?.versions.map(({ groupVersion }) => groupVersion)).toContain(sample.apiVersion);
      expect(await under.api.get(`/apis/${kind.group}`)).toMatchObject({ kind: 'APIGroup', name: kind.group, versions: group?.versions });
    });

    test('supports create, get, list, watch, patch, update, delete and deletecollection', async () => {
      const made: AnyObject[] = [];
      for (let at = 0; at < 3; at++) made.push(await under.api.post(collection, makes(sample, at)));
      const list = await reads(collection, made, everywhere);
      await changes(collection, made[0]?.metadata.name ?? '', list.metadata.resourceVersion);
      await goes(sample, collection, made);
    });

    test.runIf(hasStatus)('supports reading, patching and updating its status', async () => {
      const { api } = under;
      const made = await api.post(collection, makes(sample, 5));
      const path = `${collection}/${made.metadata.name}`;
      const status = statusSamples[name];
      expect(await api.get(`${path}/status`)).toMatchObject({ kind: kind.kind, metadata: { uid: made.metadata.uid } });
      const annotations = { 'patched-status': 'true' };
      const patched = await api.patch(`${path}/status`, 'merge', { metadata: { annotations }, status });
      expect(patched['status']).toMatchObject(status ?? {});
      expect(patched.metadata.annotations?.['patched-status']).toBe(keepMetadata.has(name) ? undefined : 'true');
      expect(patched['spec']).toEqual(made['spec']);
      expect(patched.metadata.generation).toBe(made.metadata.generation);
      // What is sent to the object itself does not reach the status.
      const kept = await api.update(path, (found) => ({ ...found, status: {} }));
      expect(kept['status']).toEqual(patched['status']);
      const again = await api.update(
        `${path}/status`,
        (found) => ({ ...found, status: { ...(found['status'] as object), ...status }, spec: made['spec'] }),
        `${path}/status`,
      );
      expect(again['status']).toMatchObject(status ?? {});
      expect(await api.get(path)).toMatchObject({ status });
      await api.delete(path);
    });
  },
);
