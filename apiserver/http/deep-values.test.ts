// Values nested as deep as bodies may be, through every kind of write and in every form of an answer: whatever becomes of them, it is a Status.
import { type Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf } from './testing.ts';

const revisions = '/apis/apps/v1/namespaces/default/controllerrevisions';
const configMaps = '/api/v1/namespaces/default/configmaps';
const apply = 'application/apply-patch+yaml';

let server: TestApiServer;
let admin: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  admin = agentOf(server.adminClientConfig);
  await send('POST', configMaps, { body: '{"metadata":{"name":"base"}}' });
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
});

interface Sent {
  readonly body?: string;
  readonly type?: string;
  readonly accept?: string;
}

async function send(method: string, path: string, { body, type = 'application/json', accept = '*/*' }: Sent = {}): Promise<string> {
  const { statusCode, body: answer } = await request(`${server.url}${path}`, {
    method: method as 'GET',
    dispatcher: admin,
    headers: { accept, ...(body === undefined ? {} : { 'content-type': type }) },
    body: body ?? null,
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (statusCode < 400) return String(statusCode);
  const { kind, code, message } = JSON.parse(bytes.toString()) as { kind: string; code: number; message: string };
  expect([kind, code]).toEqual(['Status', statusCode]);
  return `${statusCode} ${message.slice(0, 60)}`;
}

const deep = (levels: number, open = '{"a":', close = '}'): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
const aRevision = (name: string, levels: number, more = ''): string =>
  `{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"${name}"},"revision":1${more},"data":${deep(levels)}}`;

test.each([2_000, 5_000, 9_900])('%i levels', async (levels) => {
  const [name, at] = [`a${levels}`, `${revisions}/a${levels}`];
  expect(await send('POST', revisions, { body: aRevision(name, levels) })).toBe('201');
  // What cannot be indented for want of stack comes as it is.
  const forms = ['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/vnd.kubernetes.protobuf'];
  for (const accept of levels > 3_000 ? forms : [...forms, 'application/yaml']) {
    expect(await send('GET', `${at}?pretty=true`, { accept })).toBe('200');
    expect(await send('GET', `${revisions}?pretty=true`, { accept })).toBe('200');
  }
  const answers = [
    await send('PUT', at, { body: aRevision(name, levels) }),
    await send('PATCH', at, { body: '{"metadata":{"labels":{"a":"b"}}}', type: 'application/merge-patch+json' }),
    await send('PATCH', at, { body: '{"metadata":{"labels":{"a":"c"}}}', type: 'application/strategic-merge-patch+json' }),
    await send('PATCH', at, { body: `{"data":${deep(levels)}}`, type: 'application/merge-patch+json' }),
    await send('PATCH', at, { body: `[{"op":"test","path":"/data","value":${deep(levels)}}]`, type: 'application/json-patch+json' }),
    await send('PATCH', at, { body: '[{"op":"copy","from":"/data/a","path":"/data/b"}]', type: 'application/json-patch+json' }),
    await send('PATCH', `${at}?fieldManager=x&force=true`, { body: aRevision(name, levels), type: apply }),
    await send('PATCH', `${configMaps}/base`, { body: `{"x":${deep(levels)}}`, type: 'application/merge-patch+json' }),
    await send('PATCH', `${configMaps}/base`, { body: `{"data":${deep(levels)}}`, type: 'application/merge-patch+json' }),
    await send('PATCH', `${configMaps}/base`, {
      body: `[{"op":"add","path":"/x","value":${deep(levels)}},{"op":"copy","from":"/x","path":"/y"}]`,
      type: 'application/json-patch+json',
    }),
    await send('DELETE', at, { body: `{"preconditions":${deep(levels)}}` }),
  ];
  expect(answers.filter((answer) => /^5|panic/.test(answer))).toEqual([]);
});
