// How a server stops: it says so first, goes on serving for a while, then ends watches and connections so that clients move on.
import { connect as connectHttp2 } from 'node:http2';
import { once } from 'node:events';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { startTestApiServer } from '../testing.ts';
import { agentOf, tlsOf } from './testing.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

test('readyz fails first, requests are served until the delay is over, then watches end and HTTP/2 clients are sent away', async () => {
  const clock = new FakeClock(Date.now());
  const server = await startTestApiServer({ clock, limits: { shutdownDelayMs: 10_000 } });
  const admin = agentOf(server.adminClientConfig);
  const get = async (path: string): Promise<{ code: number; text: string }> => {
    const answer = await request(`${server.url}${path}`, { dispatcher: admin });
    return { code: answer.statusCode, text: await answer.body.text() };
  };
  const session = connectHttp2(server.url, tlsOf(server.adminClientConfig));
  const watch = session.request({ ':path': `${configMaps}?watch=1&resourceVersion=0` });
  await once(watch, 'response');
  watch.resume();
  let isOver = false;
  const ended = once(watch, 'end').then(() => (isOver = true));
  const goneAway = once(session, 'goaway');

  const stopped = server.stop();
  let ready = await get('/readyz');
  while (ready.code === 200) ready = await get('/readyz');
  expect(ready.code).toBe(500);
  expect(ready.text).toContain('[-]shutdown failed: reason withheld\n');
  expect(ready.text).toMatch(/readyz check failed\n$/);
  expect((await get('/livez')).code).toBe(200);
  expect((await get(configMaps)).code).toBe(200);
  expect(isOver).toBe(false);

  await clock.advance(10_000);
  await ended;
  await goneAway;
  await admin.close();
  // Connections that have nothing left to say get a moment.
  await clock.advance(2_000);
  await stopped;
  session.destroy();
});
