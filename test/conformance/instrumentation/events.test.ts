// Events of both groups: one and the same object, led through its life by either.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyObject, type ApiSession, type ApiUnderTest, pathOf, startApi } from '../api-session.ts';

let under: ApiUnderTest;
let api: ApiSession;
const core = pathOf('v1', 'events', 'default');
const recent = pathOf('events.k8s.io/v1', 'events', 'default');
const micro = '2026-01-01T00:00:00.123456Z';
const series = { count: 100, lastObservedTime: micro };
const labelled = 'labelSelector=testevent-constant%3Dtrue';

beforeAll(async () => {
  under = await startApi();
  ({ api } = under);
  await api.post('/api/v1/namespaces', { metadata: { name: 'other' } });
});
afterAll(async () => under[Symbol.asyncDispose]());

const newEvent = (name: string): object => ({
  metadata: { name, labels: { 'testevent-constant': 'true' } },
  regarding: { namespace: 'default', kind: 'Pod', name: 'test-pod' },
  eventTime: micro,
  note: `This is ${name}`,
  action: 'Do',
  reason: 'Test',
  reportingController: 'test-controller',
  reportingInstance: 'test-node',
  type: 'Normal',
});

describe('events of the core group', () => {
  test('manage the lifecycle of an event', async () => {
    const made = await api.post(core, {
      metadata: { name: 'core-event', labels: { 'testevent-constant': 'true' } },
      message: 'This is a test event',
      reason: 'Test',
      type: 'Normal',
      count: 1,
      involvedObject: { namespace: 'default' },
    });
    const everywhere = await api.get(`${pathOf('v1', 'events')}?${labelled}`);
    expect(everywhere.items.map(({ metadata }) => metadata.uid)).toEqual([made.metadata.uid]);
    const path = `${core}/core-event`;
    await api.patch(path, 'strategic', { message: 'This is a test event - patched' });
    const found = await api.get(path);
    expect(found['message']).toBe('This is a test event - patched');
    await api.put(path, { ...found, series });
    expect((await api.get(path))['series']).toEqual(series);
    await api.delete(path);
    expect((await api.get(`${pathOf('v1', 'events')}?${labelled}`)).items).toEqual([]);
  });

  test('delete a collection of events', async () => {
    for (const at of [1, 2, 3]) {
      const involvedObject = { namespace: 'default' };
      await api.post(core, {
        metadata: { name: `set-${at}`, labels: { set: 'yes' } },
        involvedObject,
        message: 'm',
        reason: 'Test',
        type: 'Normal',
      });
    }
    expect((await api.get(`${core}?labelSelector=set%3Dyes`)).items).toHaveLength(3);
    await api.delete(`${core}?labelSelector=set%3Dyes`);
    expect((await api.get(`${core}?labelSelector=set%3Dyes`)).items).toEqual([]);
  });
});

describe('events of events.k8s.io', () => {
  test('create, read, list, patch, update and delete one', async () => {
    const names = async (path: string, query = ''): Promise<string[]> =>
      (await api.get(`${path}?${query}`)).items.map(({ metadata }) => metadata.name);
    const made = await api.post(recent, newEvent('single'));
    expect(await names(pathOf('events.k8s.io/v1', 'events'))).toContain('single');
    expect(await names(pathOf('events.k8s.io/v1', 'events', 'other'))).toEqual([]);
    for (const field of ['reportingController=test-controller', 'reason=Test', 'type=Normal', 'metadata.name=single']) {
      expect(await names(recent, `fieldSelector=${encodeURIComponent(field)}`)).toEqual(['single']);
    }
    expect(await names(core, 'fieldSelector=reportingComponent%3Dtest-controller')).toEqual(['single']);
    const path = `${recent}/single`;
    const before = (await api.get(path)) as AnyObject;
    expect(before).toMatchObject({ note: 'This is single', eventTime: micro, metadata: { uid: made.metadata.uid } });
    // What a client would send that knows only the old and the new object.
    const patched = await api.patch(path, 'strategic', { series: { count: 2, lastObservedTime: micro } });
    expect(patched['series']).toEqual({ count: 2, lastObservedTime: micro });
    const updated = await api.update(path, (found) => ({ ...found, series }));
    expect(updated['series']).toEqual(series);
    await api.delete(path);
    await expect(api.get(path)).rejects.toThrow(/^NotFound: events\.events\.k8s\.io "single" not found$/);
  });

  test('delete a collection of them', async () => {
    for (const at of [1, 2, 3]) await api.post(recent, newEvent(`of-set-${at}`));
    expect((await api.get(`${recent}?${labelled}`)).items).toHaveLength(3);
    await api.delete(`${recent}?${labelled}`);
    expect((await api.get(`${recent}?${labelled}`)).items).toEqual([]);
  });
});
