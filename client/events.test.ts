import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { event } from '#api/core/event/event.ts';
import { namespace } from '#api/core/namespace.ts';
import { eventsEvent } from '#api/events/event.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { EventSender } from './events.ts';
import { connect, type RestClient } from './rest.ts';
import { eventually } from './testing.ts';

const never = new AbortController().signal;
let server: TestApiServer;
let client: RestClient;
let sender: EventSender;
let stop: AbortController;
let ended: Promise<void>;

beforeEach(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  await client.create(namespace, { metadata: { name: 'a' } }, {}, never);
  sender = new EventSender({ client, clock: systemClock, log: silentLog });
  stop = new AbortController();
  ended = sender.run(stop.signal, () => undefined);
});
afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await ended;
  await client[Symbol.asyncDispose]();
  await server.stop();
});

const coreEvents = async () => (await client.list(event, { namespace: 'a' }, never)).items;

describe('EventSender', () => {
  test('writes events about objects and counts the same ones up', async () => {
    const about = await client.create(configMap, { metadata: { namespace: 'a', name: 'x' } }, {}, never);
    const recorder = sender.recorder('tester');
    for (let at = 0; at < 3; at++) recorder.event(about, 'Warning', 'Odd', 'something is odd');
    recorder.event(about, 'Normal', 'Fine', 'all is well');
    const found = await eventually(async () => {
      const items = await coreEvents();
      return items.length === 2 && items.some(({ count }) => count === 3) && items;
    });
    expect(found.find(({ reason }) => reason === 'Odd')).toMatchObject({
      message: 'something is odd',
      type: 'Warning',
      source: { component: 'tester' },
      reportingComponent: 'tester',
      involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'x', uid: about.metadata.uid },
    });
  });

  test('an event that expired is written anew with its count', async () => {
    const about = { kind: 'Pod', apiVersion: 'v1', namespace: 'a', name: 'p', uid: 'u', fieldPath: 'spec.containers{c}' };
    const recorder = sender.recorder('kubelet', 'node-1');
    recorder.about(about, 'Normal', 'Pulled', 'pulled');
    const [first] = await eventually(async () => {
      const items = await coreEvents();
      return items.length === 1 && items;
    });
    await client.delete(event, { namespace: 'a', name: first?.metadata.name ?? '' }, {}, never);
    recorder.about(about, 'Normal', 'Pulled', 'pulled');
    const [second] = await eventually(async () => {
      const items = await coreEvents();
      return items.length === 1 && items;
    });
    expect(second).toMatchObject({ count: 2, source: { component: 'kubelet', host: 'node-1' }, involvedObject: about });
  });

  test('actions become series', async () => {
    const regarding = { kind: 'Pod', apiVersion: 'v1', namespace: 'a', name: 'p', uid: 'u' };
    const recorder = sender.actionRecorder('default-scheduler');
    for (let at = 0; at < 2; at++) {
      recorder.record({ regarding, type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', note: 'no room' });
    }
    const found = await eventually(async () => {
      const { items } = await client.list(eventsEvent, { namespace: 'a' }, never);
      return items.some(({ series }) => series?.count === 2) && items;
    });
    expect(found).toMatchObject([{ note: 'no room', reportingController: 'default-scheduler', action: 'Scheduling', regarding }]);
    expect(await coreEvents()).toMatchObject([{ message: 'no room', reportingComponent: 'default-scheduler' }]);
  });

  test('what was said last is sent before the end', async () => {
    const about = { kind: 'Pod', apiVersion: 'v1', namespace: 'a', name: 'p', uid: 'u' };
    for (let at = 0; at < 5; at++) sender.recorder('tester').about(about, 'Normal', 'Last', `word ${at}`);
    stop.abort(new Error('stop'));
    await ended;
    expect(await coreEvents()).toHaveLength(5);
  });

  test('a full queue drops and counts', () => {
    const about = { kind: 'Pod', apiVersion: 'v1', namespace: 'gone', name: 'p', uid: 'u' };
    for (let at = 0; at < 1_010; at++) sender.recorder('tester').about(about, 'Normal', 'Many', `word ${at}`);
    expect(sender.dropped).toBeGreaterThan(0);
    expect(sender.dropped).toBeLessThanOrEqual(10);
  });
});
