// The forms of answers, as clients see them on the wire: over HTTP/1.1 by undici, over HTTP/2 by node:http2.
import { connect as connectHttp2 } from 'node:http2';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startWire, tlsOf, type Wire } from './testing.ts';

let wire: Wire;
const send: Wire['send'] = (...request) => wire.send(...request);

beforeAll(async () => {
  wire = await startWire();
});

afterAll(async () => await wire[Symbol.asyncDispose]());

const configMaps = '/api/v1/namespaces/default/configmaps';

beforeAll(async () => {
  const data = { long: 'x'.repeat(20_000) };
  for (let at = 0; at < 12; at++)
    await send('POST', configMaps, { body: { metadata: { name: `form-${at}`, labels: { at: `${at}` } }, data } });
});

test('tables', async () => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
  const list = await send('GET', `${configMaps}?labelSelector=at%3D3`, { headers: { accept } });
  expect(list.json).toMatchObject({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    rows: [
      {
        cells: ['form-3', expect.anything(), expect.stringMatching(/^\d+s$/)],
        object: { kind: 'PartialObjectMetadata', metadata: { name: 'form-3' } },
      },
    ],
  });
  const full = await send('GET', `${configMaps}/form-3?includeObject=Object`, { headers: { accept } });
  expect(full.json).toMatchObject({ rows: [{ object: { kind: 'ConfigMap', metadata: { name: 'form-3' } } }] });
  const none = await send('GET', `${configMaps}/form-3?includeObject=None`, { headers: { accept } });
  expect(none.json).toMatchObject({ rows: [{ object: null }] });
});

test('metadata alone', async () => {
  const accept = (as: string): Record<string, string> => ({ accept: `application/json;as=${as};v=v1;g=meta.k8s.io` });
  const one = await send('GET', `${configMaps}/form-1`, { headers: accept('PartialObjectMetadata') });
  expect(one.json).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'form-1' } });
  expect(one.json['data']).toBeUndefined();
  const list = await send('GET', configMaps, { headers: accept('PartialObjectMetadataList') });
  expect(list.json).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
});

test('YAML, indented JSON', async () => {
  const yaml = await send('GET', `${configMaps}/form-1`, { headers: { accept: 'application/yaml' } });
  expect(yaml.headers['content-type']).toBe('application/yaml');
  expect(yaml.text).toMatch(/^apiVersion: v1\ndata:\n {2}long: x/);
  expect((await send('GET', `${configMaps}/form-1?pretty=true`)).text).toMatch(/^\{\n {2}"kind": "ConfigMap",\n/);
});

test.each<[isIndented: boolean, headers: Record<string, string>, query: string]>([
  [true, { 'user-agent': 'curl/8' }, ''],
  [true, { 'user-agent': 'curl/8' }, '?pretty='],
  [false, { 'user-agent': 'curl/8' }, '?pretty=0'],
  [false, { 'user-agent': 'curl/8' }, '?pretty=maybe'],
  [true, { accept: 'application/json; pretty=1' }, ''],
  [true, { accept: 'application/json; pretty=1' }, '?pretty=0'],
  [true, { accept: 'unrecognized/stuff,application/json; pretty=1' }, ''],
  [false, { accept: 'application/json; pretty=true' }, ''],
  [false, { accept: 'application/json, text/html; pretty=1' }, ''],
])('JSON is indented, %j: %j %s', async (isIndented, headers, query) => {
  for (const path of ['/form-1', '', '/none']) {
    expect((await send('GET', `${configMaps}${path}${query}`, { headers })).text.startsWith('{\n')).toBe(isIndented);
  }
});

test('lists in YAML and indented say the same as plain ones', async () => {
  const plain = (await send('GET', configMaps)).json;
  const pretty = await send('GET', `${configMaps}?pretty=1`);
  expect(pretty.text).toMatch(/^\{\n {2}"kind": "ConfigMapList",\n[\s\S]*\n {4}\{\n {6}"metadata": \{/);
  const withoutVersion = ({ metadata: _metadata, ...rest }: Record<string, unknown>): object => rest;
  expect(withoutVersion(pretty.json)).toEqual(withoutVersion(plain));
  const yaml = await send('GET', configMaps, { headers: { accept: 'application/yaml' } });
  expect(withoutVersion(parse(yaml.text) as Record<string, unknown>)).toEqual(withoutVersion(plain));
  const none = `${configMaps}?labelSelector=at%3Dnowhere`;
  expect((await send('GET', `${none}&pretty=1`)).json).toMatchObject({ items: [] });
  expect(parse((await send('GET', none, { headers: { accept: 'application/yaml' } })).text)).toMatchObject({ items: [] });
});

test('a review has no table', async () => {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const body = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
  const answer = await send('POST', path, { body, headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
  expect(answer).toMatchObject({ code: 406, json: { reason: 'NotAcceptable' } });
  expect((await send('POST', path, { body })).code).toBe(201);
});

test('items of a list say neither kind nor version: the list has said it', async () => {
  const forms: [string, string][] = [
    ['application/json', ''],
    ['application/json', '?pretty=1'],
    ['application/yaml', ''],
    ['application/json', '?limit=1'],
  ];
  for (const [form, query] of forms) {
    const { text } = await send('GET', configMaps + query, { headers: { accept: form } });
    const [item] = (parse(text) as { items: Record<string, unknown>[] }).items;
    expect(Object.keys(item ?? {}).toSorted(), form + query).toEqual(['data', 'metadata']);
  }
});

test('large answers are packed for clients that unpack', async () => {
  const answer = await send('GET', configMaps, { headers: { 'accept-encoding': 'gzip' } });
  expect(answer.headers['content-encoding']).toBe('gzip');
  const { items } = JSON.parse(gunzipSync(answer.bytes).toString()) as { items: unknown[] };
  expect(items).toHaveLength(12);
  expect(
    (await send('GET', `${configMaps}/form-1`, { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'],
  ).toBeUndefined();
});

test('warnings are headers', async () => {
  const answer = await send('POST', configMaps, { body: { metadata: { name: 'odd' }, nope: 1 } });
  expect(answer.code).toBe(201);
  expect(answer.headers['warning']).toBe('299 - "unknown field \\"nope\\""');
});

test('deprecated kinds say so on every request', async () => {
  const said = `299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"`;
  for (const path of ['/api/v1/endpoints', '/api/v1/namespaces/default/endpoints/kubernetes']) {
    expect((await send('GET', path)).headers['warning']).toBe(said);
  }
});

test('HTTP/2 gives the same', async () => {
  const session = connectHttp2(wire.server.url, tlsOf(wire.server.adminClientConfig));
  const stream = session.request({ ':path': `${configMaps}/form-1` });
  const code = new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  session.close();
  expect(await code).toBe(200);
  expect(Buffer.concat(chunks).toString()).toBe((await send('GET', `${configMaps}/form-1`)).text);
});
