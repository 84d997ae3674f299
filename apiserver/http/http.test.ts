// Refusals and rights as clients see them on the wire, over real HTTPS.
import { connect as connectTls } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startTestApiServer } from '../testing.ts';
import { startWire, tlsOf, type Wire } from './testing.ts';

let wire: Wire;
const send: Wire['send'] = (...request) => wire.send(...request);

beforeAll(async () => {
  wire = await startWire();
});

afterAll(async () => await wire[Symbol.asyncDispose]());

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
    [
      'GET',
      '/api/v1/namespaces/default?export',
      status(400, 'BadRequest', 'the export parameter, deprecated since v1.14, is no longer supported'),
    ],
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
    // A watch, too, is refused before it begins.
    for (const query of ['', '&watch=true']) {
      expect((await send('GET', `${configMaps}?includeObject=All${query}`, { headers: as('Table') })).json).toMatchObject({
        code: 400,
        message:
          "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
      });
    }
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
      port: Number(new URL(wire.server.url).port),
      ca: wire.server.ca.cert,
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
    expect(await send('GET', '/api', { as: wire.nobody })).toMatchObject({
      code: 403,
      json: { message: 'forbidden: User "system:anonymous" cannot get path "/api"' },
    });
    const headers = { authorization: 'Bearer forged' };
    expect(await send('GET', '/version', { as: wire.nobody, headers })).toMatchObject({
      code: 401,
      json: { kind: 'Status', message: 'Unauthorized', reason: 'Unauthorized', code: 401 },
    });
    for (const path of ['/readyz', '/livez', '/version']) expect((await send('GET', path, { as: wire.nobody })).code).toBe(200);
  });

  test('a user without rights discovers, and is refused the rest in so many words', async () => {
    expect((await send('GET', '/apis', { as: wire.bob })).code).toBe(200);
    expect((await send('GET', '/api/v1/namespaces/default/pods', { as: wire.bob })).json).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
      details: { kind: 'pods' },
    });
    expect((await send('GET', '/apis/apps/v1/deployments', { as: wire.bob })).json).toMatchObject({
      message: 'deployments.apps is forbidden: User "bob" cannot list resource "deployments" in API group "apps" at the cluster scope',
    });
    expect((await send('POST', '/api/v1/namespaces/default/pods/p/exec', { as: wire.bob })).json).toMatchObject({
      message: 'pods "p" is forbidden: User "bob" cannot create resource "pods/exec" in API group "" in the namespace "default"',
    });
    expect((await send('GET', '/metrics', { as: wire.bob })).json).toMatchObject({
      message: 'forbidden: User "bob" cannot get path "/metrics"',
    });
  });

  test('one may ask what one may do and who one is', async () => {
    const question = { spec: { resourceAttributes: { verb: 'list', resource: 'pods' } } };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    expect((await send('POST', path, { as: wire.bob, body: question })).json).toMatchObject({ status: { allowed: false } });
    expect((await send('POST', path, { body: question })).json).toMatchObject({ status: { allowed: true } });
    const whoAmI = await send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { as: wire.bob, body: {} });
    expect(whoAmI).toMatchObject({
      code: 201,
      json: { status: { userInfo: { username: 'bob', groups: ['team', 'system:authenticated'] } } },
    });
  });

  test('certificates of another authority are refused', async () => {
    await using other = await startTestApiServer();
    const stranger = new Agent({ connect: { ...tlsOf(other.adminClientConfig), ca: wire.server.ca.cert } });
    expect((await send('GET', '/api', { as: stranger })).code).toBe(401);
    await stranger.destroy();
  });
});
