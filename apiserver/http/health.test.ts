import { type Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { MemoryStore } from '../storage/memory.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf } from './testing.ts';

/** A store that tells what keeps it from keeping writes. */
class TestStore extends MemoryStore {
  trouble: string | undefined;
}
const store = new TestStore({ clock: systemClock });

let server: TestApiServer;
let admin: Agent;

beforeAll(async () => {
  server = await startTestApiServer({ store });
  admin = agentOf(server.adminClientConfig);
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
  await store[Symbol.asyncDispose]();
});

async function get(path: string) {
  const answer = await request(`${server.url}${path}`, { dispatcher: admin });
  return { code: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

describe('health', () => {
  const hooks = [
    'poststarthook/generic-apiserver-start-informers',
    'poststarthook/start-system-namespaces-controller',
    'poststarthook/start-cluster-authentication-info-controller',
    'poststarthook/start-kube-apiserver-identity-lease-controller',
    'poststarthook/start-kube-apiserver-identity-lease-garbage-collector',
    'poststarthook/start-legacy-token-tracking-controller',
    'poststarthook/start-service-ip-repair-controllers',
    'poststarthook/rbac/bootstrap-roles',
    'poststarthook/scheduling/bootstrap-system-priority-classes',
    'poststarthook/priority-and-fairness-config-producer',
    'poststarthook/bootstrap-controller',
    'poststarthook/start-kubernetes-service-cidr-controller',
    'poststarthook/kube-apiserver-autoregistration',
    'autoregister-completion',
  ];
  const live = ['ping', 'log', 'etcd', ...hooks];
  const ready = ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync', ...hooks, 'shutdown'];
  const linesOf = (names: readonly string[]): string => names.map((name) => `[+]${name} ok\n`).join('');

  test('every check has a line and a page of its own', async () => {
    expect(await get('/readyz?verbose')).toMatchObject({ code: 200, text: `${linesOf(ready)}readyz check passed\n` });
    expect((await get('/livez?verbose')).text).toBe(`${linesOf(live)}livez check passed\n`);
    expect((await get('/healthz?verbose')).text).toBe(`${linesOf(live)}healthz check passed\n`);
    for (const name of ready) expect((await get(`/readyz/${name}`)).text).toBe('ok');
    for (const name of ['shutdown', 'nope', 'poststarthook']) {
      expect(await get(`/livez/${name}`)).toMatchObject({ code: 404, text: '404 page not found\n' });
    }
  });

  test('checks can be left out; strange ones are named', async () => {
    const { text } = await get('/livez?verbose&exclude=ping&exclude=z&exclude=a');
    const [, ...rest] = live;
    expect(text).toBe(
      `[+]ping excluded: ok\n${linesOf(rest)}warn: some health checks cannot be excluded: no matches for "a","z"\nlivez check passed\n`,
    );
  });

  test('a store that does not keep writes at the moment is not ready, and no reason to start the server anew', async () => {
    store.trouble = 'etcdserver: mvcc: database space exceeded';
    expect(await get('/readyz')).toMatchObject({ code: 500, text: expect.stringContaining('[-]etcd-readiness failed: reason withheld\n') });
    expect((await get('/readyz/etcd-readiness')).text).toBe('internal server error: etcdserver: mvcc: database space exceeded\n');
    expect((await get('/livez')).text).toBe('ok');
    store.trouble = undefined;
    expect((await get('/readyz')).text).toBe('ok');
  });

  test('what probes found is told as indicators', async () => {
    await get('/readyz');
    const { text, headers } = await get('/metrics/slis');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toMatch(/^# HELP kubernetes_healthcheck \[STABLE\] This metric records the result of a single healthcheck\.$/m);
    expect(text).toMatch(/^kubernetes_healthcheck\{name="etcd",type="readyz"\} 1$/m);
    expect(text).toMatch(/^kubernetes_healthchecks_total\{name="ping",status="success",type="livez"\} [1-9]/m);
  });
});
