// Lists longer than the writer's buffer, with items on both sides of its size, over both protocols.
import { connect as connectHttp2 } from 'node:http2';
import { type Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf, tlsOf } from './testing.ts';

const path = '/api/v1/namespaces/default/configmaps';
const sizes = [1_000, 700_000, 3, 262_144, 262_000, 90_000, 5];

let server: TestApiServer;
let admin: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  admin = agentOf(server.adminClientConfig);
  for (const [at, size] of sizes.entries()) {
    const body = JSON.stringify({ metadata: { name: `long-${at}` }, data: { value: String(at).repeat(size) } });
    const headers = { 'content-type': 'application/json' };
    const answer = await request(server.url + path, { method: 'POST', dispatcher: admin, headers, body });
    await answer.body.dump();
    expect(answer.statusCode).toBe(201);
  }
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
});

function lengths(text: string): number[] {
  const { kind, items } = JSON.parse(text) as { kind: string; items: { metadata: { name: string }; data?: { value?: string } }[] };
  expect(kind).toBe('ConfigMapList');
  return items.filter(({ metadata }) => metadata.name.startsWith('long-')).map(({ data }) => data?.value?.length ?? 0);
}

test('are whole and say their length over HTTP/1.1, one after another on a connection', async () => {
  for (let round = 0; round < 2; round++) {
    const answer = await request(`${server.url}${path}`, { dispatcher: admin });
    const text = await answer.body.text();
    expect(Number(answer.headers['content-length'])).toBe(Buffer.byteLength(text));
    expect(lengths(text)).toEqual(sizes);
  }
});

test('are whole over HTTP/2', async () => {
  const session = connectHttp2(server.url, tlsOf(server.adminClientConfig));
  const chunks: Buffer[] = [];
  for await (const chunk of session.request({ ':path': path })) chunks.push(chunk as Buffer);
  session.close();
  expect(lengths(Buffer.concat(chunks).toString())).toEqual(sizes);
});

test('end quietly when the client goes away in the middle', async () => {
  const answer = await request(`${server.url}${path}`, { dispatcher: admin });
  answer.body.on('error', () => undefined);
  answer.body.destroy();
  expect(lengths(await (await request(`${server.url}${path}`, { dispatcher: admin })).body.text())).toEqual(sizes);
});
