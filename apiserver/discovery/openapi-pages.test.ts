import { gunzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let agent: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  const { ca, credentials } = server.adminClientConfig;
  agent = new Agent({
    connect: { ca: ca ?? '', ...(credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {}) },
  });
});

afterAll(async () => {
  await agent.destroy();
  await server.stop();
});

async function get(path: string, headers: Record<string, string> = {}) {
  const answer = await request(`${server.url}${path}`, { dispatcher: agent, headers });
  return { code: answer.statusCode, headers: answer.headers, bytes: Buffer.from(await answer.body.arrayBuffer()) };
}

const protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

describe('/openapi/v2', () => {
  test('is JSON by default, packed where the client likes that', async () => {
    const plain = await get('/openapi/v2');
    expect(plain).toMatchObject({ code: 200, headers: { 'content-type': 'application/json' } });
    const document = JSON.parse(plain.bytes.toString()) as { swagger: string; definitions: object };
    expect(document.swagger).toBe('2.0');
    expect(document.definitions).toHaveProperty(['io.k8s.api.apps.v1.Deployment']);
    const packed = await get('/openapi/v2', { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.bytes)).toEqual(plain.bytes);
  });

  test.each([
    ['old kubectl', protobuf],
    ['newer clients', 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'],
    ['those that take either', `${protobuf}, application/json;q=0.5`],
  ])('is protobuf for %s', async (_name, accept) => {
    const answer = await get('/openapi/v2', { accept });
    expect(answer).toMatchObject({ code: 200, headers: { 'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' } });
    // Field 1, a string of three bytes.
    expect(answer.bytes.subarray(0, 5).toString()).toBe('\n\u00032.0');
  });

  test('is refused in other forms', async () => {
    expect((await get('/openapi/v2', { accept: 'text/html' })).code).toBe(406);
  });

  test('is not sent again to who has it', async () => {
    const { etag } = (await get('/openapi/v2')).headers;
    const again = await get('/openapi/v2', { 'if-none-match': String(etag) });
    expect(again.code).toBe(304);
    expect(again.bytes).toHaveLength(0);
    expect((await get('/openapi/v2', { 'if-none-match': '"other"' })).code).toBe(200);
  });
});

describe('/openapi/v3', () => {
  test('the index of all pages names no single document', async () => {
    const { paths } = JSON.parse((await get('/')).bytes.toString()) as { paths: string[] };
    expect(paths.filter((path) => path.startsWith('/openapi'))).toEqual(['/openapi/v2', '/openapi/v3', '/openapi/v3/']);
  });

  test('the index leads to documents that may be kept for ever', async () => {
    const index = JSON.parse((await get('/openapi/v3')).bytes.toString()) as { paths: Record<string, { serverRelativeURL: string }> };
    const address = index.paths['apis/apps/v1']?.serverRelativeURL ?? '';
    const answer = await get(address);
    expect(answer.code).toBe(200);
    expect(answer.headers).toMatchObject({ 'cache-control': 'public, immutable', vary: 'Accept' });
    expect(answer.headers['expires']).toMatch(/^\w{3}, \d{2} \w{3} \d{4} [\d:]{8} UTC$/);
    const days = (Date.parse(String(answer.headers['expires'])) - Date.parse(String(answer.headers['date']))) / 86_400_000;
    expect([365, 366]).toContain(Math.round(days));
    expect(address).toContain(`?hash=${String(answer.headers['etag']).slice(1, -1)}`);
    expect(JSON.parse(answer.bytes.toString())).toHaveProperty(['paths', '/apis/apps/v1/namespaces/{namespace}/deployments']);
  });

  test('an outdated address leads to the present one', async () => {
    const answer = await get('/openapi/v3/apis/apps/v1?hash=OLD');
    expect([answer.code, answer.headers['content-type']]).toEqual([301, 'text/html; charset=utf-8']);
    expect(answer.bytes.toString()).toBe(`<a href="${String(answer.headers.location)}">Moved Permanently</a>.\n\n`);
    expect((await get(String(answer.headers.location))).code).toBe(200);
  });

  test.each(['application/com.github.proto-openapi.spec.v3.v1.0+protobuf', 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf'])(
    'is protobuf for who accepts %s, under the tag of the JSON',
    async (accept) => {
      const answer = await get('/openapi/v3/apis/apps/v1', { accept });
      expect(answer).toMatchObject({
        code: 200,
        headers: { 'content-type': 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf', vary: 'Accept' },
      });
      // Field 1, a string of five bytes.
      expect(answer.bytes.subarray(0, 7).toString()).toBe('\n\u00053.0.0');
      expect(answer.headers['etag']).toBe((await get('/openapi/v3/apis/apps/v1')).headers['etag']);
    },
  );

  test('is refused in other forms, without a word', async () => {
    const answer = await get('/openapi/v3/apis/apps/v1', { accept: 'text/html' });
    expect([answer.code, answer.bytes.length]).toEqual([406, 0]);
  });

  test('a document without a hash in its address is asked for anew', async () => {
    const { headers } = await get('/openapi/v3/apis/apps/v1');
    expect(headers['cache-control']).toBe('no-cache, private');
    expect(Date.parse(String(headers['last-modified']))).toBeLessThanOrEqual(Date.now());
    expect((await get('/openapi/v3/apis/apps/v1', { 'if-none-match': String(headers['etag']) })).code).toBe(304);
  });

  test.each(['/openapi/v3/apis/apps/v9', '/openapi/v3/nothing', '/openapi/v1'])('%s is not there', async (path) => {
    expect((await get(path)).code).toBe(404);
  });
});
