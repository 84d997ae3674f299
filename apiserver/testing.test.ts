import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Agent, request } from 'undici';
import type { Json } from '#api/meta/object.ts';
import { startTestApiServer, type TestApiServer } from './testing.ts';
import { agentOf } from './http/testing.ts';

let server: TestApiServer;
let agent: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  agent = agentOf(server.adminClientConfig);
});

afterAll(async () => {
  await agent.close();
  await server.stop();
});

async function send(method: string, path: string, body?: Json): Promise<{ code: number; json: Record<string, Json> }> {
  const answer = await request(`${server.url}${path}`, {
    method: method as 'GET',
    dispatcher: agent,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { code: answer.statusCode, json: (await answer.body.json()) as Record<string, Json> };
}

describe('a test API server', () => {
  test('has the system objects', async () => {
    const { json } = await send('GET', '/api/v1/namespaces/default/services/kubernetes');
    expect(json).toMatchObject({ kind: 'Service', spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] } });
    const { json: list } = await send('GET', '/api/v1/namespaces');
    expect((list['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
  });

  test('creates, reads, changes and deletes', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const created = await send('POST', path, { metadata: { name: 'a' }, data: { x: '1' } });
    expect(created).toMatchObject({ code: 201, json: { kind: 'ConfigMap', data: { x: '1' } } });
    const changed = await send('PUT', `${path}/a`, { metadata: { name: 'a' }, data: { x: '2' } });
    expect(changed).toMatchObject({ code: 200, json: { data: { x: '2' } } });
    expect(await send('GET', `${path}/a`)).toMatchObject({ code: 200, json: { data: { x: '2' } } });
    expect(await send('DELETE', `${path}/a`)).toMatchObject({ code: 200, json: { kind: 'Status', status: 'Success' } });
    expect(await send('GET', `${path}/a`)).toMatchObject({
      code: 404,
      json: { reason: 'NotFound', message: 'configmaps "a" not found', details: { name: 'a', kind: 'configmaps' } },
    });
  });

  test('two live side by side and know nothing of each other', async () => {
    await using other = await startTestApiServer();
    expect(other.port).not.toBe(server.port);
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'only-here' } });
    const kind = other.registry.find('', 'v1', 'namespaces');
    expect(kind).toBeDefined();
    const answer = await request(`${other.url}/readyz`, { dispatcher: new Agent({ connect: { ca: other.ca.cert } }) });
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'ok']);
  });
});
