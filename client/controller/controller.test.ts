import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { namespace } from '#api/core/namespace.ts';
import { secret } from '#api/core/secret.ts';
import { keyText } from '#api/meta/object.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { runServices } from '#base/lifecycle.ts';
import { silentLog } from '#base/log.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import { ClusterCache } from '../cluster-cache.ts';
import { connect, type RestClient } from '../rest.ts';
import { eventually } from '../testing.ts';
import { kindsOf, runControllers } from './controller.ts';
import { again, type ControllerDefinition, controllerOf, defineController, done, on, TerminalError } from './define.ts';

const never = new AbortController().signal;
let server: TestApiServer;
let client: RestClient;
let stop: AbortController;
let ended: Promise<void>;
let metrics: Metrics;

beforeEach(async () => {
  server = await startTestApiServer();
  client = connect(server.adminClientConfig, { clock: systemClock, component: 'test' });
  await client.create(namespace, { metadata: { name: 'a' } }, {}, never);
  stop = new AbortController();
  ended = Promise.resolve();
  metrics = createMetrics();
});
afterEach(async () => {
  stop.abort(new Error('the test is over'));
  await ended;
  await client[Symbol.asyncDispose]();
  await server.stop();
});

function start(definition: ControllerDefinition): void {
  const cluster = new ClusterCache(kindsOf([definition]), { client, clock: systemClock, log: silentLog });
  const events = { event: () => undefined };
  const deps = { client: () => client, cluster, events: () => events, clock: systemClock, log: silentLog, metrics };
  ended = runServices(stop.signal, [cluster, runControllers([definition], deps)]);
}

const make = (name: string, labels: Record<string, string> = {}) =>
  client.create(configMap, { metadata: { namespace: 'a', name, labels } }, {}, never);

describe('a controller', () => {
  test('does what its declaration says: here, a secret for every labelled config map', async () => {
    start(
      defineController({
        name: 'secret-maker',
        reconciles: configMap,
        reads: [secret],
        writes: [secret],
        wakes: [on(secret, controllerOf(configMap))],
        reconcile: async ({ key, cache, client: own, signal }) => {
          const found = cache.get(configMap, key);
          if (found?.metadata.labels?.['want'] !== 'yes' || cache.ownedBy(secret, found.metadata.uid ?? '').length > 0) return done;
          const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: key.name, uid: found.metadata.uid ?? '', controller: true };
          await own.create(secret, { metadata: { namespace: 'a', name: key.name, ownerReferences: [owner] } }, {}, signal);
          return done;
        },
      }),
    );
    await make('plain');
    await make('wanted', { want: 'yes' });
    const key = { namespace: 'a', name: 'wanted' };
    const first = await eventually(() => client.get(secret, key, never).catch(() => undefined));
    // The secret's going wakes its owner.
    await client.delete(secret, key, {}, never);
    const second = await eventually(() => client.get(secret, key, never).catch(() => undefined));
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    expect((await client.list(secret, { namespace: 'a' }, never)).items).toHaveLength(1);
    expect(await metrics.text()).toMatch(/workqueue_adds_total\{name="secret-maker"\} \d/);
    expect(await metrics.text()).toContain('workqueue_unfinished_work_seconds{name="secret-maker"}');
  });

  test('comes again after a failure, after the time it asked for, and not after a final failure', async () => {
    const calls = new Map<string, number>();
    start(
      defineController({
        name: 'counter',
        reconciles: configMap,
        reads: [],
        writes: [],
        workers: 1,
        reconcile: async ({ key }) => {
          const count = (calls.get(key.name) ?? 0) + 1;
          calls.set(key.name, count);
          if (key.name === 'fails' && count < 4) throw new Error('not yet');
          if (key.name === 'hopeless') throw new TerminalError('never');
          return key.name === 'again' && count < 3 ? again(10) : done;
        },
      }),
    );
    for (const name of ['fails', 'hopeless', 'again', 'good']) await make(name);
    await eventually(() => calls.get('fails') === 4 && calls.get('again') === 3);
    await systemClock.sleep(50, never);
    const { fails, hopeless, again: repeated, good } = Object.fromEntries(calls);
    expect({ fails, hopeless, repeated, good }).toEqual({ fails: 4, hopeless: 1, repeated: 3, good: 1 });
    expect(await metrics.text()).toContain('workqueue_retries_total{name="counter"} 3');
  });

  test('one key is never with two workers', async () => {
    let working = 0;
    let most = 0;
    const seen = new Set<string>();
    start(
      defineController({
        name: 'slow',
        reconciles: configMap,
        reads: [],
        writes: [],
        reconcile: async ({ key, signal }) => {
          if (key.name !== 'busy') return done;
          most = Math.max(most, ++working);
          await systemClock.sleep(20, signal).catch(() => undefined);
          working--;
          seen.add(keyText(key));
          return done;
        },
      }),
    );
    await make('busy');
    const key = { namespace: 'a', name: 'busy' };
    for (let at = 0; at < 10; at++) await client.patch(configMap, key, { data: { at: String(at) } }, { type: 'merge' }, never);
    await eventually(() => working === 0 && seen.size === 1);
    expect(most).toBe(1);
  });

  test.each([
    { what: 'reads secrets', step: 'read' },
    { what: 'writes secrets', step: 'write' },
  ])('may not do what it did not declare: $what', async ({ what, step }) => {
    const errors: string[] = [];
    start(
      defineController({
        name: 'nosy',
        reconciles: configMap,
        reads: [],
        writes: [configMap],
        reconcile: async ({ cache, client: own, key, signal }) => {
          try {
            if (step === 'read') cache.list(secret);
            else await own.delete(secret, key, {}, signal);
          } catch (error) {
            errors.push(String(error));
          }
          return done;
        },
      }),
    );
    await make('x');
    await eventually(() => errors.length > 0);
    expect(errors[0]).toContain(`nosy ${what} but does not declare it`);
  });
});
