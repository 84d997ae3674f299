import { describe, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { forbidden } from '#api/meta/status.ts';
import type { DeleteRequest, RequestContext } from './contract.ts';
import { aBody, aContext, aDelete, aKind, aList, aWatch, startRegistry, type TestRegistry, wire } from './testing.ts';

type Wire = KubeObject & Record<string, unknown>;

const configMaps = aKind('configmaps');
const namespaces = aKind('namespaces');
const pods = aKind('pods');
const cluster = aContext({ namespace: '' });

function aPod(nodeName?: string, meta: object = {}): unknown {
  const spec = { containers: [{ name: 'c', image: 'i' }], terminationGracePeriodSeconds: 30 };
  return { metadata: { name: 'a', ...meta }, spec: nodeName === undefined ? spec : { ...spec, nodeName } };
}

async function startWith(kind: KindDefinition, object: unknown, context: RequestContext = aContext()): Promise<TestRegistry> {
  const t = await startRegistry({ kinds: builtinKinds });
  await t.registry.create(kind, aBody(object), context);
  return t;
}

async function remove(
  { registry }: TestRegistry,
  kind: KindDefinition,
  request: Partial<DeleteRequest> = {},
  context: RequestContext = aContext(),
): Promise<{ gone: boolean; object: Wire }> {
  const { gone, object } = await registry.delete(kind, 'a', aDelete(request), context);
  return { gone, object: wire(object) };
}

async function find({ registry }: TestRegistry, kind: KindDefinition, context: RequestContext = aContext()): Promise<Wire | undefined> {
  return await registry.get(kind, 'a', '', context).then(wire, () => undefined);
}

describe('delete', () => {
  test('removes an object and answers it with the revision of the deletion', async () => {
    await using t = await startWith(configMaps, { metadata: { name: 'a' }, data: { k: 'v' } });
    const { gone, object } = await remove(t, configMaps);
    expect([gone, object.metadata.resourceVersion, object['data']]).toEqual([true, '2', { k: 'v' }]);
    expect(await find(t, configMaps)).toBeUndefined();
    await expect(remove(t, configMaps)).rejects.toMatchObject({ code: 404, message: 'configmaps "a" not found' });
  });

  test('says whose object it was without reading it once more', async () => {
    await using t = await startWith(configMaps, { metadata: { name: 'a' }, data: { k: 'v' } });
    const { uid } = (await find(t, configMaps))?.metadata ?? {};
    const { of, object } = await t.registry.delete(configMaps, 'a', aDelete(), aContext());
    expect([of.name, of.uid]).toEqual(['a', uid]);
    expect(object).toMatchObject({ decoded: undefined });
  });

  test.each<[string, Partial<DeleteRequest>, string]>([
    [
      'uid',
      { uid: 'u' },
      'the UID in the precondition \\(u\\) does not match the UID in record \\(.+\\). The object might have been deleted and then recreated',
    ],
    [
      'resourceVersion',
      { resourceVersion: '9' },
      'the ResourceVersion in the precondition \\(9\\) does not match the ResourceVersion in record \\(1\\). The object might have been modified',
    ],
  ])('checks the %s that it was given', async (_name, request, why) => {
    await using t = await startWith(configMaps, { metadata: { name: 'a' } });
    await expect(remove(t, configMaps, request)).rejects.toMatchObject({
      code: 409,
      message: expect.stringMatching(new RegExp(why)) as string,
    });
    const { uid = '' } = (await find(t, configMaps))?.metadata ?? {};
    expect((await remove(t, configMaps, { uid, resourceVersion: '1' })).gone).toBe(true);
  });

  test('asks admission', async () => {
    const validate = ({ operation, previous }: { operation: string; previous: KubeObject | undefined }): void => {
      if (operation === 'DELETE') throw forbidden({ group: '', plural: 'configmaps' }, previous?.metadata.name ?? '', 'keep it');
    };
    await using t = await startRegistry({ kinds: builtinKinds, admission: [{ name: 'Keep', validate }] });
    await t.registry.create(configMaps, aBody({ metadata: { name: 'a' } }), aContext());
    await expect(remove(t, configMaps)).rejects.toMatchObject({ code: 403, message: 'configmaps "a" is forbidden: keep it' });
  });

  test('on a dry run leaves everything as it is', async () => {
    await using t = await startWith(configMaps, { metadata: { name: 'a' } });
    expect((await remove(t, configMaps, {}, aContext({ dryRun: true }))).gone).toBe(true);
    expect(await find(t, configMaps)).toBeDefined();
  });
});

describe('finalizers', () => {
  test('hold an object, marked', async () => {
    await using t = await startWith(configMaps, { metadata: { name: 'a', finalizers: ['x.io/y'] } });
    const { gone, object } = await remove(t, configMaps);
    expect(gone).toBe(false);
    expect(object.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
      finalizers: ['x.io/y'],
    });
    await t.clock.advance(5_000);
    expect((await remove(t, configMaps)).object.metadata.resourceVersion).toBe('2');
  });

  test.each<[string, Partial<DeleteRequest>, readonly string[], readonly string[] | undefined]>([
    ['Foreground adds its finalizer', { propagationPolicy: 'Foreground' }, [], ['foregroundDeletion']],
    ['Orphan adds its finalizer', { propagationPolicy: 'Orphan' }, ['x.io/y'], ['x.io/y', 'orphan']],
    ['orphanDependents is the old word for Orphan', { orphanDependents: true }, [], ['orphan']],
    ['Background takes both away', { propagationPolicy: 'Background' }, ['x.io/y', 'orphan'], ['x.io/y']],
    ['no policy leaves what is there', {}, ['foregroundDeletion'], ['foregroundDeletion']],
    ['Background removes at once what only that held', { propagationPolicy: 'Background' }, ['orphan'], undefined],
  ])('%s', async (_name, request, before, after) => {
    await using t = await startWith(configMaps, { metadata: { name: 'a', finalizers: before } });
    await remove(t, configMaps, request);
    expect((await find(t, configMaps))?.metadata.finalizers).toEqual(after);
  });

  const [event, newEvent] = ['', 'events.k8s.io'].map((group) => builtinKinds.find((one) => one.kind === 'Event' && one.group === group));
  test.each<[string, KindDefinition | undefined, Partial<DeleteRequest>, readonly string[], readonly string[] | undefined]>([
    ['Foreground', event, { propagationPolicy: 'Foreground' }, [], undefined],
    ['Orphan', event, { propagationPolicy: 'Orphan' }, ['x.io/y'], ['x.io/y']],
    ['orphanDependents', event, { orphanDependents: true }, [], undefined],
    ['no policy', event, {}, ['x.io/y', 'foregroundDeletion'], ['x.io/y']],
    ['Foreground', newEvent, { propagationPolicy: 'Foreground' }, [], undefined],
    ['Orphan', newEvent, { propagationPolicy: 'Orphan' }, ['orphan'], undefined],
  ])('%s holds no event for the garbage collector', async (_name, kind, request, finalizers, after) => {
    if (event === undefined || kind === undefined) throw new Error('no such kind');
    await using t = await startWith(event, { metadata: { name: 'a', finalizers }, involvedObject: { namespace: 'default' } });
    const { gone } = await remove(t, kind, request);
    expect(gone).toBe(after === undefined);
    expect((await find(t, kind))?.metadata.finalizers).toEqual(after);
  });
});

describe('graceful deletion of pods', () => {
  test('marks the pod for its period, which only shrinks, and grace 0 removes it', async () => {
    await using t = await startWith(pods, aPod('n1'));
    const first = await remove(t, pods);
    expect(first.gone).toBe(false);
    expect(first.object.metadata).toMatchObject({ deletionGracePeriodSeconds: 30, deletionTimestamp: '2026-01-01T00:00:30Z' });
    expect(first.object.metadata.generation).toBe(2);
    await t.clock.advance(5_000);
    expect((await remove(t, pods, { gracePeriodSeconds: 60 })).object.metadata.deletionGracePeriodSeconds).toBe(30);
    const shorter = await remove(t, pods, { gracePeriodSeconds: 10 });
    expect(shorter.object.metadata).toMatchObject({ deletionGracePeriodSeconds: 10, deletionTimestamp: '2026-01-01T00:00:10Z' });
    expect(shorter.object.metadata.generation).toBe(2);
    const last = await remove(t, pods, { gracePeriodSeconds: 0 });
    expect(last.gone).toBe(true);
    expect(await find(t, pods)).toBeUndefined();
  });

  test('is none for a pod without a node', async () => {
    await using t = await startWith(pods, aPod());
    expect((await remove(t, pods)).gone).toBe(true);
  });

  test.each([9_007_199_254_740_991, 2 ** 63 - 1_024, 9_300_000_000])(
    'may take %d seconds, and less after all',
    async (gracePeriodSeconds) => {
      await using t = await startWith(pods, aPod('n1'));
      const { metadata } = (await remove(t, pods, { gracePeriodSeconds })).object;
      expect(metadata.deletionGracePeriodSeconds).toBe(gracePeriodSeconds);
      // Longer than Go's nanoseconds go: they are negative by then, or some other time of these centuries.
      expect(Math.abs(Date.parse(metadata.deletionTimestamp ?? ''))).toBeLessThan(400 * 366 * 86_400_000);
      const shorter = (await remove(t, pods, { gracePeriodSeconds: 10 })).object;
      // Times are whole seconds, the long period was none.
      expect(['2026-01-01T00:00:09Z', '2026-01-01T00:00:10Z']).toContain(shorter.metadata.deletionTimestamp);
    },
  );

  test('takes negative periods for one second', async () => {
    await using t = await startWith(pods, aPod('n1'));
    expect((await remove(t, pods, { gracePeriodSeconds: -5 })).object.metadata.deletionGracePeriodSeconds).toBe(1);
  });

  test('with grace 0 waits for finalizers', async () => {
    await using t = await startWith(pods, aPod('n1', { finalizers: ['x.io/y'] }));
    const { gone, object } = await remove(t, pods, { gracePeriodSeconds: 0 });
    expect([gone, object.metadata.deletionGracePeriodSeconds]).toEqual([false, 0]);
  });

  test('a watcher sees the mark, then the removal with the mark', async () => {
    await using t = await startWith(pods, aPod('n1'));
    const stop = new AbortController();
    const watch = await t.registry.watch(pods, aWatch({ resourceVersion: '1' }), aContext({ signal: stop.signal }));
    await remove(t, pods, { gracePeriodSeconds: 0 });
    const seen: string[] = [];
    for await (const frames of watch) {
      for (const frame of frames) seen.push(`${frame.type} ${wire(frame.encoded).metadata.deletionGracePeriodSeconds}`);
      if (seen.length >= 2) stop.abort();
    }
    expect(seen).toEqual(['MODIFIED 0', 'DELETED 0']);
  });
});

describe('namespaces', () => {
  test('become Terminating and go when finalize empties their finalizers', async () => {
    await using t = await startWith(namespaces, { metadata: { name: 'a' } }, cluster);
    const first = await remove(t, namespaces, {}, cluster);
    expect(first.gone).toBe(false);
    expect(first.object).toMatchObject({ status: { phase: 'Terminating' }, spec: { finalizers: ['kubernetes'] } });
    expect(first.object.metadata.deletionTimestamp).toBe('2026-01-01T00:00:00Z');
    expect((await remove(t, namespaces, {}, cluster)).gone).toBe(false);
    const finalized = { ...first.object, spec: { finalizers: [] } };
    const { encoded } = await t.registry.update(namespaces, 'a', aBody(finalized), { ...cluster, subresource: 'finalize' });
    expect(wire(encoded)).toMatchObject({ status: { phase: 'Terminating' } });
    expect(await find(t, namespaces, cluster)).toBeUndefined();
  });

  test('keep their finalizers in an ordinary update', async () => {
    await using t = await startWith(namespaces, { metadata: { name: 'a' } }, cluster);
    const { encoded } = await t.registry.update(namespaces, 'a', aBody({ metadata: { name: 'a' }, spec: { finalizers: [] } }), cluster);
    expect(wire(encoded)['spec']).toEqual({ finalizers: ['kubernetes'] });
  });
});

test('deletecollection deletes what is selected in its namespace and answers the list', async () => {
  await using t = await startRegistry({ kinds: builtinKinds });
  for (let at = 0; at < 120; at++) {
    const labels = { parity: at % 2 === 0 ? 'even' : 'odd' };
    await t.registry.create(configMaps, aBody({ metadata: { name: `c${at}`, labels } }), aContext());
  }
  await t.registry.create(configMaps, aBody({ metadata: { name: 'x', labels: { parity: 'even' } } }), aContext({ namespace: 'other' }));
  const answer = await t.registry.deleteCollection(configMaps, aList({ labelSelector: 'parity=even' }), aDelete(), aContext());
  expect(answer.count).toBe(60);
  expect((await t.registry.list(configMaps, aList(), aContext())).count).toBe(60);
  expect((await t.registry.list(configMaps, aList(), cluster)).count).toBe(61);
});
