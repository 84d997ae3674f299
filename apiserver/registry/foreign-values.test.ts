// What others have written to a store: relatives of the stored kind, protobuf, and what nobody can read.
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { horizontalPodAutoscalerV1 } from '#api/autoscaling/horizontal-pod-autoscaler-v1.ts';
import { horizontalPodAutoscaler } from '#api/autoscaling/horizontal-pod-autoscaler.ts';
import { MemoryStore } from '../storage/memory.ts';
import { aBody, aContext, aDelete, aKind, aList, aWatch, startRegistry, testCodec, wire } from './testing.ts';

const { signal } = new AbortController();
const event = aKind('events', '');
const newEvent = aKind('events', 'events.k8s.io');
const configMap = aKind('configmaps');
const scalers = [horizontalPodAutoscaler, horizontalPodAutoscalerV1] as unknown as (typeof event)[];
const kinds = [event, newEvent, configMap, ...scalers];

let clock: FakeClock;
let store: MemoryStore;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryStore({ clock });
  return async () => await store[Symbol.asyncDispose]();
});

const put = async (key: string, value: unknown): Promise<void> => {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  const current = await store.get(`/registry/${key}`, signal);
  await store.put(`/registry/${key}`, bytes, { expectedRevision: current?.modRevision ?? 0 }, signal);
};
const metadata = (name: string, more: object = {}): object => ({ name, namespace: 'default', uid: name, ...more });
const aMap = (name: string): object => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: metadata(name), data: { a: '1' } });

test('an object that was stored as a relative of its kind is served as all of them', async () => {
  await put('events/default/e', {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: metadata('e', { labels: { a: 'b' } }),
    eventTime: '2026-01-02T03:04:05.000006Z',
    note: 'said',
    regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
    reportingController: 'c',
    reportingInstance: 'i',
    action: 'Do',
    type: 'Normal',
    reason: 'Why',
  });
  await put('horizontalpodautoscalers/default/h', {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata('h'),
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 60,
    },
  });
  await using t = await startRegistry({ kinds, store, clock });
  const selected = aList({ fieldSelector: 'involvedObject.name=p', labelSelector: 'a=b' });
  const [old] = [...(await t.registry.list(event, selected, aContext())).items].map(wire);
  expect(old).toMatchObject({ apiVersion: 'v1', message: 'said', involvedObject: { name: 'p' } });
  expect(wire(await t.registry.get(newEvent, 'e', '', aContext()))).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'said' });
  const scaler = wire(await t.registry.get(scalers[0] as never, 'h', '', aContext()));
  expect(scaler).toMatchObject({ spec: { metrics: [{ resource: { target: { averageUtilization: 60 } } }] } });
});

test('so is one that comes while the server runs, and one in protobuf', async () => {
  await put('configmaps/default/p', testCodec.protobuf.object(aMap('p')));
  await using t = await startRegistry({ kinds, store, clock });
  expect(wire(await t.registry.get(configMap, 'p', '', aContext()))).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } });
  await put('events/default/e', { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: metadata('e'), note: 'said' });
  expect(wire(await t.registry.get(event, 'e', '', aContext()))).toMatchObject({ message: 'said' });
});

test.each<[text: string, why: string]>([
  [
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"bad"',
    "couldn't get version/kind; json parse error: unexpected end of JSON input",
  ],
  [
    '{"kind":"Nobody","apiVersion":"v1","metadata":{"name":"bad"}}',
    'no kind "Nobody" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  ],
  ['{"kind":"Event","apiVersion":"v1","metadata":{"name":"bad"}}', 'converting (v1.Event) to (core.ConfigMap): unknown conversion'],
  ['nonsense', "couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u')"],
])('what nobody can read fails where it is read, and nothing else: %s', async (text, message) => {
  await put('configmaps/default/bad', text);
  await put('configmaps/default/good', aMap('good'));
  await put('configmaps/other/good', { ...aMap('good'), metadata: { ...metadata('good'), namespace: 'other' } });
  await using t = await startRegistry({ kinds, store, clock });
  const failure = { code: 500, reason: '', message };
  await expect(t.registry.get(configMap, 'bad', '', aContext())).rejects.toMatchObject(failure);
  await expect(t.registry.list(configMap, aList(), aContext())).rejects.toMatchObject(failure);
  await expect(t.registry.watch(configMap, aWatch(), aContext())).rejects.toMatchObject(failure);
  await expect(t.registry.delete(configMap, 'bad', aDelete(), aContext())).rejects.toMatchObject(failure);
  expect(wire(await t.registry.get(configMap, 'good', '', aContext())).metadata.name).toBe('good');
  expect((await t.registry.list(configMap, aList(), aContext({ namespace: 'other' }))).items).toHaveLength(1);
  expect((await t.registry.list(configMap, { ...aList(), skipsUnreadable: true }, aContext())).items).toHaveLength(1);
  const again = t.registry.create(configMap, aBody({ ...aMap('bad'), metadata: { name: 'bad' } }), aContext());
  await expect(again).rejects.toMatchObject({ reason: 'AlreadyExists' });

  await put('configmaps/default/bad', aMap('bad'));
  expect((await t.registry.list(configMap, aList(), aContext())).items).toHaveLength(2);
});

test('who watches when an object goes bad has to list anew, and learns why', async () => {
  await put('configmaps/default/a', aMap('a'));
  await using t = await startRegistry({ kinds, store, clock });
  const { resourceVersion } = await t.registry.list(configMap, aList(), aContext());
  const watch = await t.registry.watch(configMap, aWatch({ resourceVersion }), aContext());
  await put('configmaps/default/a', 'x');
  const seen: string[] = [];
  for await (const frames of watch) seen.push(...frames.map(({ type }) => type));
  expect(seen).toEqual([]);
  await expect(t.registry.list(configMap, aList(), aContext())).rejects.toMatchObject({
    message: expect.stringContaining('json parse error'),
  });
  const current = await store.get('/registry/configmaps/default/a', signal);
  await store.delete('/registry/configmaps/default/a', current?.modRevision ?? 0, signal);
  expect((await t.registry.list(configMap, aList(), aContext())).items).toHaveLength(0);
});
