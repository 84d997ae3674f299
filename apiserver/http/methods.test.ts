// Which methods the paths take. What upstream serves by its library for REST refuses those it has no route for; its other pages are
// plain functions that never ask.
import { type Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf } from './testing.ts';

let server: TestApiServer;
let admin: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  admin = agentOf(server.adminClientConfig);
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'HEAD';

async function send(method: Method, path: string): Promise<{ code: number; text: string }> {
  const answer = await request(`${server.url}${path}`, { method, dispatcher: admin });
  return { code: answer.statusCode, text: await answer.body.text() };
}

test.each(['/healthz', '/healthz/ping', '/livez', '/readyz?verbose', '/', '/openapi/v2', '/openapi/v3', '/metrics/slis'])(
  '%s answers every method as GET',
  async (path) => {
    const { code } = await send('GET', path);
    expect(code).toBe(200);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) expect((await send(method, path)).code).toBe(200);
    expect(await send('HEAD', path)).toEqual({ code: 200, text: '' });
  },
);

test('health is told to whoever posts', async () => {
  expect(await send('POST', '/healthz')).toEqual({ code: 200, text: 'ok' });
});

test.each(['/version', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/.well-known/openid-configuration', '/openid/v1/jwks'])(
  '%s takes GET alone',
  async (path) => {
    expect((await send('GET', path)).code).toBe(200);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      const { code, text } = await send(method, path);
      expect(code).toBe(405);
      expect(JSON.parse(text)).toMatchObject({ reason: 'MethodNotAllowed', details: {} });
    }
    expect(await send('HEAD', path)).toEqual({ code: 405, text: '' });
  },
);

const inside = '/api/v1/namespaces/default';

test.each<[Method, string, number]>([
  ['PATCH', '/api/v1/nodes', 405],
  ['GET', '/api/v1/blah', 404],
  ['GET', '/api/v1/nodes/bar/baz', 404],
  ['DELETE', '/api/v1/nodes/bar/baz', 404],
  ['PUT', '/api/v1/nodes', 405],
  ['PUT', '/api/v1/nodes/bar/baz', 404],
  ['GET', '/api/v1/watch/', 500],
  ['PATCH', `${inside}/configmaps`, 405],
  ['GET', `${inside}/configmaps/bar/baz`, 404],
  ['POST', `${inside}/configmaps/bar`, 405],
  ['DELETE', `${inside}/configmaps/bar/baz`, 404],
  ['PUT', `${inside}/configmaps`, 405],
  ['PUT', `${inside}/configmaps/bar/baz`, 404],
  ['POST', '/api/v1/watch/namespaces/default/configmaps/bar', 405],
  ['POST', `${inside}/configmaps/bar?watch=true`, 405],
  ['PUT', '/api/v1/namespaces/default/blah/bar', 404],
  ['GET', '/apis/apps/v1/proxy/deployments/bar', 404],
  ['GET', '/apis/apps/v1/watch/blah/bar', 404],
])('%s %s is %d', async (method, path, code) => {
  expect((await send(method, path)).code).toBe(code);
});
