// Large requests on the wire: what another process does for them cannot be told from what is done here.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Agent, request } from 'undici';
import { builtinKinds } from '#api/kinds.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { JobProcess } from '../large/job-process.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf } from './testing.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const count = 5_000;

let server: TestApiServer;
let largeWork: JobProcess;
let admin: Agent;

beforeAll(async () => {
  largeWork = new JobProcess({ kinds: builtinKinds, clock: systemClock, log: silentLog });
  server = await startTestApiServer({ admissionPlugins: [], largeWork });
  admin = agentOf(server.adminClientConfig);
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
});

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly type: string;
  readonly warnings: readonly string[];
}

async function send(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: string, type = '', accept = ''): Promise<Answer> {
  const headers = { ...(type === '' ? {} : { 'content-type': type }), ...(accept === '' ? {} : { accept }) };
  const answer = await request(`${server.url}${path}`, { method, dispatcher: admin, headers, body: body ?? null });
  const warnings = [answer.headers['warning'] ?? []].flat();
  return { code: answer.statusCode, text: await answer.body.text(), type: String(answer.headers['content-type']), warnings };
}

function mapOf(name: string, keys: number): string {
  return `{"metadata":{"name":"${name}"},"data":{${Array.from({ length: keys }, (_, at) => `"k${at}":""`).join(',')}}}`;
}

test('small requests start no process', async () => {
  expect((await send('POST', maps, mapOf('small', 100), 'application/json')).code).toBe(201);
  expect(largeWork.isRunning).toBe(false);
});

test('bodies may have as many values as fit', async () => {
  const args = '"",'.repeat(200_000).slice(0, -1);
  const pod = `{"metadata":{"name":"many"},"spec":{"containers":[{"name":"a","image":"b","args":[${args}]}]}}`;
  const { code, text } = await send('POST', '/api/v1/namespaces/default/pods', pod, 'application/json');
  expect(code).toBe(201);
  expect(JSON.parse(text).spec.containers[0].args).toHaveLength(200_000);
});

test('large objects are stored, shown in every form, changed and deleted', async () => {
  expect((await send('POST', maps, mapOf('large', count), 'application/json')).code).toBe(201);
  expect(largeWork.isRunning).toBe(true);
  const path = `${maps}/large`;
  expect(Object.keys(JSON.parse((await send('GET', path)).text).data)).toHaveLength(count);
  const yaml = await send('GET', path, undefined, '', 'application/yaml');
  expect(yaml).toMatchObject({ code: 200, type: 'application/yaml' });
  expect(yaml.text.startsWith('apiVersion: v1\ndata:\n  k0: ""\n')).toBe(true);
  const pretty = await send('GET', `${path}?pretty=1`);
  expect(pretty.text.startsWith('{\n  "kind": "ConfigMap",\n')).toBe(true);
  const table = await send('GET', path, undefined, '', 'application/json;as=Table;v=v1;g=meta.k8s.io');
  expect(JSON.parse(table.text).rows[0].cells.slice(0, 2)).toEqual(['large', count]);
  const patched = await send('PATCH', path, '{"data":{"one":"more"}}', 'application/merge-patch+json');
  expect(patched.code).toBe(200);
  expect(Object.keys(JSON.parse(patched.text).data)).toHaveLength(count + 1);
  expect((await send('DELETE', path)).code).toBe(200);
  expect((await send('GET', path)).code).toBe(404);
});

test('lists show large objects beside small ones in the same forms', async () => {
  await send('POST', maps, mapOf('list', 3_000), 'application/json');
  const item = JSON.parse((await send('GET', `${maps}/list`)).text);
  const yaml = await send('GET', maps, undefined, '', 'application/yaml');
  expect(yaml.text).toContain(`\n    k999: ""\n`);
  expect(yaml.text).toContain(`\n    name: list\n`);
  const pretty = JSON.parse((await send('GET', `${maps}?pretty=1`)).text);
  expect(pretty.items.find((one: { metadata: { name: string } }) => one.metadata.name === 'list').data).toEqual(item.data);
  const partial = await send('GET', maps, undefined, '', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io');
  const { kind, metadata } = JSON.parse(partial.text).items.find((one: typeof item) => one.metadata.name === 'list');
  expect([kind, metadata]).toEqual(['PartialObjectMetadata', item.metadata]);
  const table = await send('GET', maps, undefined, '', 'application/json;as=Table;v=v1;g=meta.k8s.io');
  expect(JSON.parse(table.text).rows.map(({ cells }: { cells: string[] }) => cells.slice(0, 2))).toEqual(
    expect.arrayContaining([
      ['list', 3000],
      ['small', 100],
    ]),
  );
});

test('a refusal of twenty thousand mistakes is one answer, in every form', async () => {
  const bad = mapOf('bad', 20_000).replaceAll('"k', '"k ');
  const json = await send('POST', maps, bad, 'application/json');
  expect(json.code).toBe(422);
  expect(JSON.parse(json.text)).toMatchObject({ kind: 'Status', reason: 'Invalid', code: 422, details: { name: 'bad' } });
  const yaml = await send('POST', maps, bad, 'application/json', 'application/yaml');
  expect(yaml).toMatchObject({ code: 422, type: 'application/yaml' });
  expect(yaml.text.startsWith('apiVersion: v1\ncode: 422\n')).toBe(true);
});

test('pairs of ports are millions, and the warnings of them as many as fit', async () => {
  const ports = Array.from({ length: 5_000 }, () => '{"containerPort":1}').join(',');
  const pod = `{"metadata":{"name":"ports"},"spec":{"containers":[{"name":"a","image":"b","ports":[${ports}]}]}}`;
  const answer = await send('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod, 'application/json');
  expect(answer.code).toBe(201);
  expect(answer.warnings[0]).toContain('spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]');
});
