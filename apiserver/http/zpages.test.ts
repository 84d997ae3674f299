import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
const agents: Agent[] = [];

beforeAll(async () => {
  server = await startTestApiServer({ flags: { 'secure-port': '0', 'authorization-mode': '[Node,RBAC]' } });
});

afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.destroy()));
  await server.stop();
});

async function get(path: string, accept?: string, groups = ['system:masters']): Promise<{ code: number; type: unknown; text: string }> {
  const { ca, credentials } = await server.clientConfigFor('somebody', groups);
  const pair = credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {};
  const agent = new Agent({ connect: { ca: ca ?? '', ...pair } });
  agents.push(agent);
  const { statusCode, headers, body } = await request(`${server.url}${path}`, {
    dispatcher: agent,
    headers: accept === undefined ? {} : { accept },
  });
  return { code: statusCode, type: headers['content-type'], text: await body.text() };
}

test.each([undefined, 'text/plain', '*/*', 'application/json, */*', 'application/json;v=v1beta1;g=config.k8s.io;as=Flagz, text/*'])(
  'statusz is text for %s',
  async (accept) => {
    const { code, type, text } = await get('/statusz', accept);
    expect({ code, type }).toEqual({ code: 200, type: 'text/plain; charset=utf-8' });
    expect(text).toMatch(/^\nkube-apiserver statusz\nWarning: [^\n]+\n\nStarted: /);
    expect(text).toMatch(/^Paths: .*\/apis .*\/flagz .*\/healthz .*\/statusz .*\/version$/m);
  },
);

test('flagz tells how the server was started', async () => {
  const { code, text } = await get('/flagz');
  expect(code).toBe(200);
  expect(text).toMatch(/^\nkube-apiserver flags\nWarning: [^\n]+\n\nauthorization-mode=\[Node,RBAC\]\nsecure-port=0\n$/);
});

test('both are objects for who names them in full', async () => {
  const status = await get('/statusz', 'application/json;v=v1beta1;g=config.k8s.io;as=Statusz');
  expect(status).toMatchObject({ code: 200, type: 'application/json' });
  expect(JSON.parse(status.text)).toMatchObject({
    kind: 'Statusz',
    apiVersion: 'config.k8s.io/v1beta1',
    metadata: { name: 'kube-apiserver' },
    emulationVersion: '1.36',
  });
  const flags = await get('/flagz', 'application/yaml;as=Flagz;g=config.k8s.io;v=v1beta1');
  expect(flags).toMatchObject({ code: 200, type: 'application/yaml' });
  expect(parse(flags.text)).toMatchObject({ kind: 'Flagz', flags: { 'secure-port': '0' } });
});

test.each(['application/json', 'application/json;v=v1;g=config.k8s.io;as=Statusz', 'application/cbor'])('%s is refused', async (accept) => {
  const { code, text } = await get('/statusz', accept);
  expect(code).toBe(406);
  expect(text).toContain('only the following media types are accepted: application/json, application/yaml, text/plain');
});

test('monitoring may read them, others may not', async () => {
  expect((await get('/statusz', undefined, ['system:monitoring'])).code).toBe(200);
  expect((await get('/flagz', undefined, ['system:monitoring'])).code).toBe(200);
  expect((await get('/statusz', undefined, ['team'])).code).toBe(403);
});
