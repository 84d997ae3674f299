// What odd paths are answered with. Clients normalise paths before they send them, so these go out as they are written, by HTTP/2.
import { type ClientHttp2Session, connect } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let session: ClientHttp2Session;

beforeAll(async () => {
  server = await startTestApiServer();
  const { ca, credentials } = server.adminClientConfig;
  const pair = credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {};
  session = connect(server.url, { ca: ca ?? '', ...pair });
});

afterAll(async () => {
  session.close();
  await server.stop();
});

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly text: string;
}

function get(path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': method });
    let [code, type, text] = [0, '', ''];
    stream.on('response', (headers) => {
      code = Number(headers[':status']);
      type = String(headers['content-type']);
    });
    stream.setEncoding('utf8');
    // The beginning is enough to tell, and what fails a test is printed.
    stream.on('data', (chunk: string) => (text = (text + chunk).slice(0, 500)));
    stream.on('end', () => resolve({ code, type, text }));
    stream.on('error', reject);
    stream.end();
  });
}

const plain = 'text/plain; charset=utf-8';
const nobodys = { code: 404, type: plain, text: '404 page not found\n' };
const refused = (code: number, message: string): object => ({
  code,
  text: expect.stringContaining(`"message":${JSON.stringify(message)}`) as string,
});

test.each([
  '//api/v1/namespaces/default',
  '//version',
  '/./version',
  '//',
  '/apis//',
  '/healthz/',
  '/readyz/',
  '/livez/',
  '/metrics/',
  '/openapi/v2/',
  '/apis/nope.example/v1/things',
])('%s leads nowhere, and nobody says so in JSON', async (path) => {
  expect(await get(path)).toEqual(nobodys);
});

test.each([
  '/api//v1/namespaces/default',
  '/api/v1//namespaces/default',
  '/api/v1/namespaces/./default',
  '/api/v1/../v1/namespaces/default',
  '/api/v2',
  '/apis/apps/v9/things',
])('%s is no resource', async (path) => {
  expect(await get(path)).toMatchObject(refused(404, 'the server could not find the requested resource'));
});

test.each([
  ['/api/v1/namespaces/default/', 'Namespace'],
  ['/api/v1/namespaces/default//', 'Namespace'],
  ['/api/v1/namespaces/%64efault', 'Namespace'],
  ['/api/v1/namespaces/default%2Fconfigmaps', 'ConfigMapList'],
  ['/api/v1/namespaces/default/configmaps//', 'ConfigMapList'],
  ['/apis/apps/v1//', 'APIResourceList'],
  ['/apis/apps/', 'APIGroup'],
  ['/api//', 'APIVersions'],
])('%s ends in slashes or is escaped, which makes no difference: %s', async (path, kind) => {
  const { code, text } = await get(path);
  expect({ code, kind: /"kind": ?"(\w+)"/.exec(text)?.[1] }).toEqual({ code: 200, kind });
});

test.each(['/version/', '/.well-known/openid-configuration/', '/openid/v1/jwks/'])('%s may end in a slash', async (path) => {
  expect((await get(path)).code).toBe(200);
});

test('the index has two names', async () => {
  expect(await get('/index.html')).toEqual(await get('/'));
});

test.each([
  ['/api/v1/namespaces/..', `Name parameter invalid: "..": may not be '..'`],
  ['/api/v1/namespaces/%2e', `Name parameter invalid: ".": may not be '.'`],
  ['/api/v1/namespaces/default/configmaps/a%25b', `Name parameter invalid: "a%b": may not contain '%'`],
])('%s has a name that no object may have', async (path, message) => {
  for (const method of ['GET', 'DELETE']) {
    expect(await get(path, method)).toMatchObject(refused(400, message));
  }
});

test('bytes that are no text are a name that nobody has', async () => {
  expect(await get('/api/v1/namespaces/%ff')).toMatchObject(refused(404, 'namespaces "\ufffd" not found'));
});

test('an escape that is none is no request', async () => {
  expect(await get('/api/v1/namespaces/%zz')).toEqual({ code: 400, type: plain, text: '400 Bad Request' });
});

test('a watch path without a kind cannot be understood', async () => {
  const text =
    'Internal Server Error: "/api/v1/watch?a=&lt;": failed to create RequestInfo: unable to determine kind and namespace from url, /api/v1/watch?a=&lt;\n';
  expect(await get('/api/v1/watch?a=<')).toEqual({ code: 500, type: plain, text });
});
