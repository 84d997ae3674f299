import { expect, test } from 'vitest';
import { HealthServer } from './health-server.ts';
import { createMetrics } from './metrics.ts';

test('pages of health and figures, also while the process is not ready', async () => {
  const stop = new AbortController();
  const listening = Promise.withResolvers<void>();
  let state: true | string = 'waiting for caches: pods';
  const server = new HealthServer({ host: '127.0.0.1', port: 0, metrics: createMetrics(), ready: () => state });
  const ended = server.run(stop.signal, () => listening.resolve());
  await listening.promise;
  const get = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return [answer.status, await answer.text()];
  };
  expect(await get('/livez?verbose')).toEqual([200, '[+]ping ok\nlivez check passed\n']);
  expect(await get('/readyz')).toEqual([500, '[+]ping ok\n[-]informer-sync failed: reason withheld\nreadyz check failed\n']);
  expect(await get('/readyz/informer-sync')).toEqual([500, 'internal server error: waiting for caches: pods\n']);
  state = true;
  expect(await get('/readyz')).toEqual([200, 'ok']);
  const [, text] = await get('/metrics/slis');
  expect(text).toContain('kubernetes_healthcheck{name="informer-sync",type="readyz"} 1\n');
  expect((await get('/metrics'))[0]).toBe(200);
  expect(await get('/nothing')).toEqual([404, '404 page not found\n']);
  stop.abort(new Error('over'));
  await ended;
});

test('what the process is, and how it was started, where it wants to tell', async () => {
  const stop = new AbortController();
  const listening = Promise.withResolvers<void>();
  const about = { component: 'kube-thing', flags: { v: '2', 'bind-address': '127.0.0.1' } };
  const server = new HealthServer({ host: '127.0.0.1', port: 0, about });
  const ended = server.run(stop.signal, () => listening.resolve());
  await listening.promise;
  const get = async (path: string, accept: string): Promise<[number, string | null, string]> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { accept } });
    return [answer.status, answer.headers.get('content-type'), await answer.text()];
  };
  const [code, type, text] = await get('/statusz', '*/*');
  expect([code, type]).toEqual([200, 'text/plain; charset=utf-8']);
  expect(text).toMatch(/^\nkube-thing statusz\n(?:.*\n){2}Started: .*\nUp: 0 hr \d\d min/);
  expect(text).toMatch(/^Paths: \/flagz \/healthz \/livez \/readyz \/statusz$/m);
  const full = await get('/flagz', 'application/json;as=Flagz;v=v1beta1;g=config.k8s.io');
  expect(full.slice(0, 2)).toEqual([200, 'application/json']);
  expect(JSON.parse(full[2])).toEqual({
    kind: 'Flagz',
    apiVersion: 'config.k8s.io/v1beta1',
    metadata: { name: 'kube-thing' },
    flags: about.flags,
  });
  expect((await get('/flagz', 'application/json'))[0]).toBe(406);
  stop.abort(new Error('over'));
  await ended;
});
