// How answers look beyond what they say: where they end, and what methods that nobody knows are told.
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

interface Asked {
  readonly headers?: Record<string, string>;
  readonly body?: object;
}

const configMaps = '/api/v1/namespaces/default/configmaps';
let server: TestApiServer;
let agent: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  const { ca, credentials } = server.adminClientConfig;
  agent = new Agent({
    connect: { ca: ca ?? '', ...(credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {}) },
  });
  await send('POST', configMaps, { body: { metadata: { name: 'one' } } });
});

afterAll(async () => {
  await agent.destroy();
  await server.stop();
});

async function send(method: string, path: string, { headers = {}, body }: Asked = {}): Promise<{ text: string }> {
  const answer = await request(`${server.url}${path}`, {
    method: method as 'GET',
    dispatcher: agent,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { text: await answer.body.text() };
}

test('JSON for programs ends with a line, JSON for people with its last brace', async () => {
  const as = (form: string): Record<string, string> => ({ accept: `application/json;as=${form};v=v1;g=meta.k8s.io` });
  const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
  const body = { metadata: { name: 'ends' } };
  const asked: [string, string, Asked][] = [
    ['GET', `${configMaps}/one`, {}],
    ['GET', `${configMaps}/one`, { headers: as('Table') }],
    ['GET', `${configMaps}/one`, { headers: as('PartialObjectMetadata') }],
    ['GET', `${configMaps}/nobody`, {}],
    ['GET', configMaps, {}],
    ['GET', configMaps, { headers: as('Table') }],
    ['GET', `${configMaps}?labelSelector=at%3Dnowhere`, {}],
    ['POST', `${configMaps}?dryRun=All`, { body }],
    ['GET', '/api', {}],
    ['GET', '/apis/apps/v1', {}],
    ['GET', '/apis', { headers: aggregated }],
  ];
  for (const [method, path, options] of asked) {
    const pretty = `${path}${path.includes('?') ? '&' : '?'}pretty=true`;
    expect((await send(method, path, options)).text, path).toMatch(/^\{".*\}\n$/);
    expect((await send(method, pretty, options)).text, pretty).toMatch(/^\{\n {2}"[^]*\n\}$/);
  }
});

test('rows of pods that have ended say so', async () => {
  const pods = '/api/v1/namespaces/default/pods';
  await send('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } });
  const phases = { goes: 'Running', fine: 'Succeeded', broken: 'Failed' };
  for (const [name, phase] of Object.entries(phases)) {
    await send('POST', pods, { body: { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } } });
    const headers = { 'content-type': 'application/merge-patch+json' };
    await send('PATCH', `${pods}/${name}/status`, { body: { status: { phase } }, headers });
  }
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const { rows } = JSON.parse((await send('GET', pods, { headers })).text) as { rows: { cells: string[]; conditions?: object[] }[] };
  const completed = { type: 'Completed', status: 'True' };
  expect(rows.map(({ cells, conditions }) => [cells[0], conditions])).toEqual([
    ['broken', [{ ...completed, reason: 'Failed', message: 'The pod failed.' }]],
    ['fine', [{ ...completed, reason: 'Succeeded', message: 'The pod has completed successfully.' }]],
    ['goes', undefined],
  ]);
});

test('a Scale has columns of its own', async () => {
  const pod = { spec: { containers: [{ name: 'c', image: 'i' }] }, metadata: { labels: { a: 'b' } } };
  const body = { metadata: { name: 'scaled' }, spec: { replicas: 3, selector: { matchLabels: { a: 'b' } }, template: pod } };
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  await send('POST', deployments, { body });
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const table = JSON.parse((await send('GET', `${deployments}/scaled/scale`, { headers })).text) as {
    columnDefinitions: { name: string; type: string; format: string; description: string }[];
    rows: { cells: unknown[] }[];
  };
  expect(table.columnDefinitions.map(({ name, type, format }) => [name, type, format])).toEqual([
    ['Name', 'string', ''],
    ['Desired', 'integer', ''],
    ['Available', 'integer', ''],
    ['Age', 'string', ''],
  ]);
  expect(table.columnDefinitions.map(({ description }) => description.length > 20)).toEqual([true, true, true, true]);
  expect(table.rows.map(({ cells }) => cells)).toEqual([['scaled', 3, 0, expect.stringMatching(/^\d+s$/)]]);
});

test.each([
  ['FOO', configMaps, 405, 'MethodNotAllowed'],
  ['PURGE', '/version', 405, 'MethodNotAllowed'],
  ['LINK', '/nowhere', 404, undefined],
])('HTTP/2 has any method: %s %s', async (method, path, code, reason) => {
  const { ca, credentials } = server.adminClientConfig;
  if (ca === undefined || credentials.kind !== 'certificate') throw new Error('the administrator comes with a certificate');
  const session = connectHttp2(server.url, { ca, cert: credentials.cert, key: credentials.key });
  const stream = session.request({ ':method': method, ':path': path });
  const status = new Promise((resolve) => stream.once('response', (head) => resolve(head[':status'])));
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += String(chunk);
  session.close();
  expect(await status).toBe(code);
  if (reason === undefined) expect(text).toBe('404 page not found\n');
  else expect(JSON.parse(text)).toMatchObject({ kind: 'Status', reason });
});

test('who forgot TLS is told so, and nobody else', async () => {
  const answerTo = async (bytes: string): Promise<string> => {
    const socket = connect(server.port, '127.0.0.1').setEncoding('utf8');
    socket.write(bytes);
    let text = '';
    // A connection that is cut says no more either.
    await new Promise<void>((resolve) =>
      socket
        .on('data', (part) => (text += String(part)))
        .on('error', resolve)
        .on('close', resolve),
    );
    return text;
  };
  const told = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';
  expect(await answerTo('GET /version HTTP/1.1\r\nHost: x\r\n\r\n')).toBe(told);
  expect(await answerTo(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\n\r\n{}`)).toBe(told);
  expect(await answerTo('SSH-2.0-OpenSSH_9.2\r\n')).not.toContain('HTTP');
});
