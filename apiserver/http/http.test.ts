// What clients see on the wire, over real HTTPS: HTTP/1.1 by undici, HTTP/2 by node:http2.
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

interface Answer {
  readonly code: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly bytes: Buffer;
  // The wire is what is tested here, so answers stay untyped.
  readonly json: Record<string, never> & { [key: string]: unknown };
}

interface SendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly raw?: Buffer | string;
  readonly as?: Agent;
}

let server: TestApiServer;
let admin: Agent;
let bob: Agent;
let nobody: Agent;

function agentOf({ ca, credentials }: ApiEndpoint): Agent {
  const pair = credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {};
  return new Agent({ connect: { ca: ca ?? '', ...pair } });
}

beforeAll(async () => {
  server = await startTestApiServer();
  admin = agentOf(server.adminClientConfig);
  bob = agentOf(await server.clientConfigFor('bob', ['team']));
  nobody = new Agent({ connect: { ca: server.ca.cert } });
});

afterAll(async () => {
  await Promise.all([admin, bob, nobody].map((agent) => agent.destroy()));
  await server.stop();
});

async function send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
  const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const answer = await request(`${server.url}${path}`, {
    method: method as 'GET',
    dispatcher: options.as ?? admin,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
    body: body ?? null,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const text = bytes.toString();
  return {
    code: answer.statusCode,
    headers: answer.headers,
    bytes,
    text,
    get json() {
      return JSON.parse(text) as Answer['json'];
    },
  };
}

const configMaps = '/api/v1/namespaces/default/configmaps';

test('who deletes a Job without a word about its pods is told that they stay', async () => {
  const jobs = '/apis/batch/v1/namespaces/default/jobs';
  const spec = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } };
  const warning =
    '299 - "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"';
  for (const [query, expected] of [
    ['', warning],
    ['?propagationPolicy=Background', undefined],
    ['?orphanDependents=true', undefined],
  ] as const) {
    expect((await send('POST', jobs, { body: { metadata: { name: 'j' }, spec } })).code).toBe(201);
    expect((await send('DELETE', `${jobs}/j${query}`)).headers['warning']).toBe(expected);
    // What leaves its pods behind waits for the garbage collector to let go of them.
    await send('PATCH', `${jobs}/j`, {
      body: { metadata: { finalizers: null } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  }
  expect((await send('DELETE', jobs)).headers['warning']).toBe(warning);
});

describe('refusals', () => {
  const status = (code: number, reason: string, message: string) => ({ kind: 'Status', status: 'Failure', code, reason, message });
  const noSuch = status(404, 'NotFound', 'the server could not find the requested resource');
  const notAllowed = status(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');

  test.each<[string, string, object]>([
    ['GET', '/api/v1/nope', noSuch],
    ['GET', '/api/v1/pods/x', noSuch],
    ['GET', '/api/v1/namespaces//pods', noSuch],
    ['GET', '/api/v1/namespaces/default/nodes', noSuch],
    ['GET', '/api/v1/namespaces/default/pods/x/nope', noSuch],
    ['GET', '/apis/apps/v9/deployments', noSuch],
    ['GET', '/apis/apps/v9', noSuch],
    ['GET', '/api/v1/proxy/namespaces/default/pods/x', noSuch],
    ['GET', '/api/v1/proxy/nodes/x', noSuch],
    ['GET', '/apis/authorization.k8s.io/v1/subjectaccessreviews/x', noSuch],
    ['GET', '/api/v1/namespaces/default/bindings/x', noSuch],
    ['POST', '/api/v1/bindings', noSuch],
    ['GET', '/api/v1/watch/componentstatuses', noSuch],
    ['POST', '/api/v1/watch/namespaces', notAllowed],
    ['DELETE', '/api/v1/componentstatuses/x', notAllowed],
    ['GET', '/apis/authorization.k8s.io/v1/subjectaccessreviews', notAllowed],
    ['OPTIONS', '/api/v1/namespaces/default/pods', notAllowed],
    ['TRACE', '/api/v1/namespaces/default/pods', notAllowed],
    ['PROPFIND', '/api/v1/namespaces/default/pods', notAllowed],
    ['FOO', '/api/v1/namespaces/default/pods', notAllowed],
    ['POST', '/api/v1/pods', notAllowed],
    ['POST', `${configMaps}/x`, notAllowed],
    ['PUT', configMaps, notAllowed],
    ['DELETE', '/api/v1/configmaps', notAllowed],
    ['DELETE', '/api/v1/namespaces', notAllowed],
    ['GET', '/api/v1/namespaces/default/bindings', notAllowed],
    ['POST', '/version', notAllowed],
    [
      'GET',
      '/api/v1/watch/namespaces/default/pods/a?fieldSelector=metadata.name%3Db',
      status(400, 'BadRequest', "fieldSelector metadata.name doesn't match requested name"),
    ],
    ['GET', '/api/v1/pods?limit=', status(400, 'BadRequest', 'strconv.ParseInt: parsing "": invalid syntax')],
    ['GET', '/api/v1/pods?limit=x', status(400, 'BadRequest', 'strconv.ParseInt: parsing "x": invalid syntax')],
    [
      'GET',
      '/api/v1/pods?sendInitialEvents=true',
      status(
        422,
        'Invalid',
        'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
      ),
    ],
    [
      'GET',
      '/api/v1/pods?watch=1&resourceVersionMatch=Exact',
      status(
        422,
        'Invalid',
        'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
      ),
    ],
    [
      'DELETE',
      `${configMaps}/x?propagationPolicy=Sideways`,
      status(
        422,
        'Invalid',
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
      ),
    ],
  ])('%s %s', async (method, path, expected) => {
    const answer = await send(method, path);
    expect(answer.json).toMatchObject(expected);
    expect(answer.code).toBe((expected as { code: number }).code);
  });

  test.each<[string, string, object]>([
    ['dryRun=yes', 'dryRun: Unsupported value: ["yes"]: supported values: "All"', {}],
    ['fieldValidation=Maybe', 'fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"', {}],
    [`fieldManager=${'x'.repeat(129)}`, 'fieldManager: Too long: may not be more than 128 bytes', {}],
  ])('create with %s', async (query, message) => {
    const answer = await send('POST', `${configMaps}?${query}`, { body: { metadata: { name: 'never' } } });
    expect(answer.json).toMatchObject({ code: 422, message: `CreateOptions.meta.k8s.io "" is invalid: ${message}` });
  });

  test.each(['/nope', '/apis/nobody.example.com/v1/things', '/apis/nobody.example.com', '/healthz/nope'])('%s is no page', async (path) => {
    const answer = await send('GET', path);
    expect([answer.code, answer.text, answer.headers['content-type']]).toEqual([404, '404 page not found\n', 'text/plain; charset=utf-8']);
  });

  test('unknown media types, both ways', async () => {
    const wrongBody = await send('POST', configMaps, { raw: 'x', headers: { 'content-type': 'text/plain' } });
    expect(wrongBody.json).toMatchObject({ code: 415, reason: 'UnsupportedMediaType' });
    const wrongPatch = await send('PATCH', `${configMaps}/x`, { raw: '{}', headers: { 'content-type': 'application/json' } });
    expect(wrongPatch.json).toMatchObject({
      code: 415,
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
    });
    const wrongAccept = await send('GET', configMaps, { headers: { accept: 'text/html' } });
    expect(wrongAccept.json).toMatchObject({ code: 406, reason: 'NotAcceptable' });
  });

  test('forms that an answer cannot have', async () => {
    const refused = (message: string): object => ({ code: 406, reason: 'NotAcceptable', message });
    const as = (name: string): Record<string, string> => ({ accept: `application/json;as=${name};v=v1;g=meta.k8s.io` });
    expect((await send('GET', '/apis/events.k8s.io/v1/events', { headers: as('PartialObjectMetadata') })).json).toMatchObject(
      refused('you requested PartialObjectMetadata, but the requested object is a list (*core.EventList)'),
    );
    expect((await send('GET', '/api/v1/namespaces/default', { headers: as('PartialObjectMetadataList') })).json).toMatchObject(
      refused('you requested PartialObjectMetadataList, but the requested object is not a list (*core.Namespace)'),
    );
    const watch = await send('GET', `${configMaps}?watch=1`, { headers: { accept: 'application/yaml' } });
    expect(parse(watch.text)).toMatchObject({ code: 406, message: expect.stringContaining('application/json;stream=watch') as string });
    expect((await send('GET', `${configMaps}?includeObject=All`, { headers: as('Table') })).json).toMatchObject({
      code: 400,
      message:
        "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
    });
  });

  test('bodies over 3 MiB, also when they come packed', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024 + 1, 32);
    const tooLarge = { code: 413, reason: 'RequestEntityTooLarge', message: 'Request entity too large: limit is 3145728' };
    expect((await send('POST', configMaps, { raw: large })).json).toMatchObject(tooLarge);
    const packed = await send('POST', configMaps, { raw: gzipSync(large), headers: { 'content-encoding': 'gzip' } });
    expect(packed.json).toMatchObject(tooLarge);
  });

  test.each([
    ['FOO /api/v1/pods HTTP/1.1', 'HTTP/1.1 405 Method Not Allowed', '"reason":"MethodNotAllowed"'],
    ['GET / HTTQ/1.1', 'HTTP/1.1 400 Bad Request', '\r\n\r\n400 Bad Request'],
  ])('bytes that are no request: %s', async (line, first, part) => {
    const socket = connectTls({
      port: Number(new URL(server.url).port),
      ca: server.ca.cert,
      servername: 'localhost',
      ALPNProtocols: ['http/1.1'],
    });
    socket.end(`${line}\r\nHost: x\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toContain(first);
    expect(text).toContain(part);
  });

  test('a broken path', async () => {
    expect((await send('GET', '/api/v1/%zz')).code).toBe(400);
  });
});

describe('who may what', () => {
  test('who shows nothing is anonymous, who shows what does not hold is nobody', async () => {
    expect(await send('GET', '/api', { as: nobody })).toMatchObject({
      code: 403,
      json: { message: 'forbidden: User "system:anonymous" cannot get path "/api"' },
    });
    const headers = { authorization: 'Bearer forged' };
    expect(await send('GET', '/version', { as: nobody, headers })).toMatchObject({
      code: 401,
      json: { kind: 'Status', message: 'Unauthorized', reason: 'Unauthorized', code: 401 },
    });
    for (const path of ['/readyz', '/livez', '/version']) expect((await send('GET', path, { as: nobody })).code).toBe(200);
  });

  test('a user without rights discovers, and is refused the rest in so many words', async () => {
    expect((await send('GET', '/apis', { as: bob })).code).toBe(200);
    expect((await send('GET', '/api/v1/namespaces/default/pods', { as: bob })).json).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
      details: { kind: 'pods' },
    });
    expect((await send('GET', '/apis/apps/v1/deployments', { as: bob })).json).toMatchObject({
      message: 'deployments.apps is forbidden: User "bob" cannot list resource "deployments" in API group "apps" at the cluster scope',
    });
    expect((await send('POST', '/api/v1/namespaces/default/pods/p/exec', { as: bob })).json).toMatchObject({
      message: 'pods "p" is forbidden: User "bob" cannot create resource "pods/exec" in API group "" in the namespace "default"',
    });
    expect((await send('GET', '/metrics', { as: bob })).json).toMatchObject({
      message: 'forbidden: User "bob" cannot get path "/metrics"',
    });
  });

  test('one may ask what one may do and who one is', async () => {
    const question = { spec: { resourceAttributes: { verb: 'list', resource: 'pods' } } };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    expect((await send('POST', path, { as: bob, body: question })).json).toMatchObject({ status: { allowed: false } });
    expect((await send('POST', path, { body: question })).json).toMatchObject({ status: { allowed: true } });
    const whoAmI = await send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { as: bob, body: {} });
    expect(whoAmI).toMatchObject({
      code: 201,
      json: { status: { userInfo: { username: 'bob', groups: ['team', 'system:authenticated'] } } },
    });
  });

  test('certificates of another authority are refused', async () => {
    await using other = await startTestApiServer();
    const { credentials } = other.adminClientConfig;
    if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
    const stranger = new Agent({ connect: { ca: server.ca.cert, cert: credentials.cert, key: credentials.key } });
    expect((await send('GET', '/api', { as: stranger })).code).toBe(401);
    await stranger.destroy();
  });
});

describe('forms of answers', () => {
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
    const { credentials } = server.adminClientConfig;
    if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
    const session = connectHttp2(server.url, { ca: server.ca.cert, cert: credentials.cert, key: credentials.key });
    const stream = session.request({ ':path': `${configMaps}/form-1` });
    const code = new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    session.close();
    expect(await code).toBe(200);
    expect(Buffer.concat(chunks).toString()).toBe((await send('GET', `${configMaps}/form-1`)).text);
  });
});

describe('discovery', () => {
  test('lists what is served, sub-resources included', async () => {
    const { json } = await send('GET', '/apis/apps/v1');
    const names = (json['resources'] as unknown as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual([
      'controllerrevisions',
      'daemonsets',
      'daemonsets/status',
      'deployments',
      'deployments/scale',
      'deployments/status',
      'replicasets',
      'replicasets/scale',
      'replicasets/status',
      'statefulsets',
      'statefulsets/scale',
      'statefulsets/status',
    ]);
    const pods = ((await send('GET', '/api/v1')).json['resources'] as unknown as { name: string }[]).find(({ name }) => name === 'pods');
    expect(pods).toEqual({
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['po'],
      categories: ['all'],
      storageVersionHash: 'xPOwRZ+Yhw8=',
    });
  });

  test('aggregated, with a tag that saves sending it again', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const first = await send('GET', '/apis', { headers: { accept } });
    expect(first.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(first.json).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
    const groups = (first.json['items'] as unknown as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
    expect(groups.slice(0, 3)).toEqual(['apiregistration.k8s.io', 'apps', 'events.k8s.io']);
    expect(first.text).not.toContain('null');
    const again = await send('GET', '/apis', { headers: { accept, 'if-none-match': String(first.headers['etag']) } });
    expect([again.code, again.text]).toEqual([304, '']);
  });

  test('the index names every page', async () => {
    const { paths } = (await send('GET', '/')).json as unknown as { paths: string[] };
    for (const path of ['/api/v1', '/apis/apps', '/readyz/ping', '/version', '/metrics']) expect(paths).toContain(path);
    for (const path of paths.filter((one) => !one.startsWith('/openapi')))
      expect([path, (await send('GET', path)).code]).toEqual([path, 200]);
  });

  test('what is not part of the API is indented', async () => {
    expect((await send('GET', '/version')).text).toMatch(/^\{\n  "major": "1",\n/);
    expect((await send('GET', '/')).text).toMatch(/^\{\n  "paths": \[\n/);
  });

  test('counts what it serves', async () => {
    await send('GET', `${configMaps}/form-1`);
    const { text } = await send('GET', '/metrics');
    const shape = 'group="",resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"';
    expect(text).toMatch(new RegExp(`^apiserver_request_total\\{code="200",component="apiserver",dry_run="",${shape}\\} [1-9]`, 'm'));
    expect(text).toMatch(
      new RegExp(`^apiserver_request_duration_seconds_bucket\\{component="apiserver",dry_run="",${shape},le="60"\\} [1-9]`, 'm'),
    );
    expect(text).toMatch(new RegExp(`^apiserver_response_sizes_bucket\\{component="apiserver",${shape},le="100000"\\} [1-9]`, 'm'));
    expect(text).toMatch(
      /^apiserver_request_total\{code="201",[^}]*resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"\} [1-9]/m,
    );
    expect(text).toMatch(/^apiserver_request_total\{code="200",[^}]*,subresource="\/readyz",verb="GET",version=""\} [1-9]/m);
    expect(text).toMatch(/^apiserver_current_inflight_requests\{request_kind="readOnly"\} 1$/m);
    expect(text).toMatch(/^apiserver_storage_objects\{resource="configmaps"\} [1-9]/m);
    expect(text).toMatch(/^apiserver_storage_objects\{resource="deployments.apps"\} 0$/m);
    expect(text).not.toContain('resource="nope"');
  });
});
