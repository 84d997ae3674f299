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
