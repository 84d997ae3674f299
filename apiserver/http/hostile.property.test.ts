// Requests of any shape against a real server: every refusal is a Status with the code of the answer, and none is an internal error.
import fc from 'fast-check';
import { type Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf } from './testing.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

let server: TestApiServer;
let admin: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  admin = agentOf(server.adminClientConfig);
  for (const name of ['one', 'two', 'three']) {
    await send('POST', configMaps, { body: JSON.stringify({ metadata: { name, labels: { a: name } }, data: { a: 'b' } }) });
  }
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
});

interface Answer {
  readonly code: number;
  readonly status: {
    readonly kind?: string;
    readonly code?: number;
    readonly message?: string;
    readonly details?: { causes?: { field: string }[] };
  };
}

interface Sent {
  readonly body?: string | Buffer;
  readonly type?: string;
}

/** Sends a request. Of a watch only the head is read. */
async function send(method: string, path: string, { body, type = 'application/json' }: Sent = {}): Promise<Answer> {
  const answer = await request(`${server.url}${path}`, {
    method: method as 'GET',
    dispatcher: admin,
    headers: body === undefined ? {} : { 'content-type': type },
    body: body ?? null,
  });
  if (answer.statusCode < 400) {
    answer.body.on('error', () => {}).destroy();
    return { code: answer.statusCode, status: {} };
  }
  const text = await answer.body.text();
  const status = JSON.parse(text) as Answer['status'];
  expect([status.kind, status.code]).toEqual(['Status', answer.statusCode]);
  // Upstream gives this one no code of its own.
  if (status.message?.startsWith('resourceVersion: Invalid value: ') !== true) expect(answer.statusCode, text).toBeLessThan(500);
  return { code: answer.statusCode, status };
}

const odd = fc.constantFrom(
  '',
  '0',
  '1',
  '-1',
  '+1',
  '1.5',
  '9'.repeat(30),
  'true',
  'false',
  'None',
  'All',
  'a',
  '\u0000',
  '%',
  'ä',
  '../..',
  '*',
  '{}',
  '&',
  'NaN',
);
const value = fc.oneof(odd, fc.string({ maxLength: 20 }));
const names = [
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'labelSelector',
  'fieldSelector',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'fieldManager',
  'fieldValidation',
  'dryRun',
  'force',
  'pretty',
  'gracePeriodSeconds',
  'propagationPolicy',
  'orphanDependents',
  'includeObject',
] as const;
const query = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 }).map((params) =>
  Object.entries(params)
    .map(([name, one]) => `${name}=${encodeURIComponent(one.toWellFormed())}`)
    .join('&'),
);

describe('queries of any kind', () => {
  test.each([
    ['GET', ''],
    ['GET', '/one'],
    ['DELETE', '/nothing'],
    ['DELETE', '?dryRun=All'],
  ])('%s %s', async (method, where) => {
    const join = where.includes('?') ? '&' : '?';
    await fc.assert(
      fc.asyncProperty(query, async (some) => void (await send(method, `${configMaps}${where}${join}${some}`))),
      { numRuns: 80 },
    );
  });

  test.each([
    ['POST', '', 'application/json', '{"metadata":{"name":"new"}}'],
    ['PUT', '/one', 'application/json', '{"metadata":{"name":"one"}}'],
    ['PATCH', '/one', 'application/merge-patch+json', '{"data":{"c":"d"}}'],
    ['PATCH', '/one', 'application/apply-patch+yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}'],
  ])('%s %s %s', async (method, where, type, body) => {
    await fc.assert(
      fc.asyncProperty(query, async (some) => void (await send(method, `${configMaps}${where}?${some}`, { body, type }))),
      { numRuns: 50 },
    );
  });

  test('of watches', async () => {
    await fc.assert(
      fc.asyncProperty(query, async (some) => void (await send('GET', `${configMaps}?watch=true&timeoutSeconds=1&${some}`))),
      { numRuns: 50 },
    );
  });
});

describe('a wrong word is named', () => {
  const waiting = 'resourceVersionMatch is forbidden unless resourceVersion is provided';
  test.each<[string, string, number, string]>([
    ['GET', '?limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['GET', '?limit=99999999999999999999', 400, 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
    ['GET', '?continue=!', 400, 'invalid continue token: continue key is not valid: illegal base64 data at input byte 0'],
    [
      'GET',
      `?continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":5,"start":"../../x"}').toString('base64url')}`,
      400,
      'invalid continue token: continue key is not valid: ../../x',
    ],
    [
      'GET',
      '?resourceVersion=x',
      400,
      'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    ],
    ['GET', '?resourceVersionMatch=Exact', 422, waiting],
    ['GET', '?labelSelector=a%3D%3D%3Db', 400, "unable to parse requirement: found '=', expected: identifier"],
    ['GET', '?labelSelector=a+in+(', 400, "unable to parse requirement: found '', expected: ',', ')' or identifier"],
    ['GET', '?fieldSelector=a', 400, "invalid selector: 'a'; can't understand 'a'"],
    ['GET', '?fieldSelector=spec.x%3Dy', 400, '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    ['DELETE', '/one?gracePeriodSeconds=soon', 400, 'strconv.ParseInt: parsing "soon": invalid syntax'],
    [
      'DELETE',
      '/one?propagationPolicy=Up',
      422,
      'propagationPolicy: Unsupported value: "Up": supported values: "Foreground", "Background", "Orphan", "nil"',
    ],
    ['DELETE', '/one?dryRun=Some', 422, 'dryRun: Unsupported value: ["Some"]: supported values: "All"'],
  ])('%s %s', async (method, where, code, message) => {
    const answer = await send(method, `${configMaps}${where}`);
    expect([answer.code, answer.status.message]).toEqual([code, expect.stringContaining(message)]);
  });
});

describe('bodies of any kind', () => {
  const types = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
  const patchTypes = ['json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json', 'apply-patch+yaml'].map(
    (type) => `application/${type}`,
  );
  const json = fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.string(),
    fc.constantFrom('', '[]', '{', 'null', '{"metadata":1}', '[{"op":"add","path":"/data/x","value":{}}]'),
  );
  const body = fc.oneof(
    json.map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), bytes])),
  );

  test('to create and to update', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...types),
        fc.constantFrom('POST ', 'PUT /one', 'DELETE /nothing'),
        body,
        async (type, what, sent) => {
          const [method = '', where = ''] = what.split(' ');
          await send(method, `${configMaps}${where}`, { body: sent, type });
        },
      ),
      { numRuns: 120 },
    );
  });

  test('to patch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...patchTypes), body, async (type, sent) => {
        await send('PATCH', `${configMaps}/two?fieldManager=me&force=${String(type.includes('apply'))}`.replace('&force=false', ''), {
          body: sent,
          type,
        });
      }),
      { numRuns: 120 },
    );
  });

  test.each<[string, string, string, number, string]>([
    ['POST', '', '{"metadata":{"name":"x"},"data":{"a b":"c"}}', 422, 'data[a b]'],
    ['POST', '', '{"metadata":{"name":"X"}}', 422, 'metadata.name'],
    ['POST', '', '{"metadata":{"name":"x","labels":{"a/b/c":""}}}', 422, 'metadata.labels'],
    ['PUT', '/one', '{"metadata":{"name":"one","finalizers":["x y"]}}', 422, 'metadata.finalizers'],
  ])('%s %s %s names the field', async (method, where, sent, code, field) => {
    const answer = await send(method, `${configMaps}${where}`, { body: sent });
    expect([answer.code, answer.status.details?.causes?.map((cause) => cause.field)]).toEqual([code, expect.arrayContaining([field])]);
  });

  test('numbers that no double holds stay as they are, through every kind of write', async () => {
    const path = '/apis/apps/v1/namespaces/default/controllerrevisions';
    const long = (name: string): string => `{"metadata":{"name":"long"},"revision":1,"data":{"${name}":12345678901234567890,"half":1.5}}`;
    const read = async (): Promise<string> => (await request(`${server.url}${path}/long`, { dispatcher: admin })).body.text();
    expect((await send('POST', path, { body: long('a') })).code).toBe(201);
    expect(await read()).toContain('"data":{"a":12345678901234567890,"half":1.5}');
    expect((await send('PUT', `${path}/long`, { body: long('a') })).code).toBe(200);
    const applied = `{"apiVersion":"apps/v1","kind":"ControllerRevision",${long('a').slice(1)}`;
    expect((await send('PATCH', `${path}/long?fieldManager=me`, { body: applied, type: 'application/apply-patch+yaml' })).code).toBe(200);
    const changed = await send('PATCH', `${path}/long`, {
      body: '{"data":{"b":98765432109876543210}}',
      type: 'application/merge-patch+json',
    });
    expect(changed.status.message).toContain(
      'data: Invalid value: {"a":12345678901234567890,"half":1.5,"b":98765432109876543210}: field is immutable',
    );
    expect((await send('PUT', `${path}/long`, { body: long('c') })).code).toBe(422);
    const owned = await read();
    expect(owned).toContain('"f:a":{}');
    expect(owned).not.toContain('rawJSON');
  });

  test('under a type that JavaScript knows', async () => {
    expect(await send('PATCH', `${configMaps}/one`, { body: '{}', type: 'constructor' })).toMatchObject({ code: 415 });
  });

  test('the server is as it was', async () => {
    expect((await send('GET', `${configMaps}/three`)).code).toBe(200);
    expect((await send('GET', '/readyz')).code).toBe(200);
  });
});

test('paths of any kind', async () => {
  const part = fc.constantFrom(
    'api',
    'apis',
    'v1',
    'apps',
    'namespaces',
    'default',
    'pods',
    'watch',
    'proxy',
    'status',
    '',
    '.',
    '%2e%2e',
    '%00',
    '%2f',
    'a:b:c',
    '%zz',
    'ä',
    'log',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 7 }), fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'), async (parts, method) => {
      const answer = await request(`${server.url}/${parts.join('/')}`, { method, dispatcher: admin });
      const text = await answer.body.text();
      // The one that upstream has not as the client's mistake.
      if (/: unable to determine kind and namespace from url, \/.*\/(watch|proxy)\/*\n$/.test(text)) return;
      expect(answer.statusCode).toBeLessThan(500);
    }),
    { numRuns: 200 },
  );
});
