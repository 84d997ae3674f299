// What clients see that accept nothing but protobuf.
import { type Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { ApiError } from '#api/meta/status.ts';
import { createCodec } from '#api/schema/codec.ts';
import { pod } from '#api/core/pod/pod.ts';
import { createMetrics } from '#base/metrics.ts';
import { everythingIsLarge } from '../large/testing.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { ProtobufFrames } from './protobuf-frames.ts';
import { WatchMetrics } from './watch-metrics.ts';
import { pump } from './watch-writer.ts';
import { agentOf, tlsOf } from './testing.ts';

const protobuf = 'application/vnd.kubernetes.protobuf';
const partial = `${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;
const partialList = `${protobuf};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`;
const codec = createCodec();
const path = '/api/v1/namespaces/default/configmaps';

let server: TestApiServer;
let admin: Agent;

beforeAll(async () => {
  server = await startTestApiServer();
  admin = agentOf(server.adminClientConfig);
});

afterAll(async () => {
  await admin.destroy();
  await server.stop();
});

interface Answer {
  readonly code: number;
  readonly type: unknown;
  readonly bytes: Buffer;
}

interface Sent {
  readonly accept?: string;
  readonly body?: object;
  readonly type?: string;
}

/** Sends an object as protobuf, or anything as JSON of another type. */
async function send(method: string, where: string, { accept = protobuf, body, type = protobuf }: Sent = {}): Promise<Answer> {
  const bytes = body === undefined ? null : type === protobuf ? (codec.protobuf.object(body) ?? null) : JSON.stringify(body);
  const answer = await request(`${server.url}${where}`, {
    method: method as 'GET',
    dispatcher: admin,
    headers: { accept, ...(bytes === null ? {} : { 'content-type': type }) },
    body: bytes,
  });
  return { code: answer.statusCode, type: answer.headers['content-type'], bytes: Buffer.from(await answer.body.arrayBuffer()) };
}

/** Reads what an envelope says it is. */
function read(bytes: Buffer, apiVersion: string, kind: string): Record<string, unknown> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const schema = codec.schemas.find({ group, version, kind }) ?? `io.k8s.api.core.v1.${kind}`;
  return codec.decodeBody({ bytes, mediaType: protobuf }, { group, version, kind, schema }, 'Strict').object as never;
}

function aConfigMap(name: string, value = '1'): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } };
}

describe('objects', () => {
  test('are created, read, updated, patched and deleted', async () => {
    const created = await send('POST', path, { body: aConfigMap('one') });
    expect([created.code, created.type]).toEqual([201, protobuf]);
    const object = read(created.bytes, 'v1', 'ConfigMap') as { metadata: object };
    expect(object).toMatchObject({ metadata: { name: 'one', namespace: 'default', uid: expect.any(String) }, data: { value: '1' } });
    expect((await send('GET', `${path}/one`)).bytes).toEqual(created.bytes);
    const updated = await send('PUT', `${path}/one`, { body: { ...object, data: { value: '2' } } });
    expect(read(updated.bytes, 'v1', 'ConfigMap')['data']).toEqual({ value: '2' });
    const patched = await send('PATCH', `${path}/one`, { type: 'application/merge-patch+json', body: { data: { more: '3' } } });
    expect(read(patched.bytes, 'v1', 'ConfigMap')['data']).toEqual({ value: '2', more: '3' });
    const json = await send('GET', `${path}/one`, { accept: 'application/json' });
    expect(JSON.parse(json.bytes.toString())).toEqual(JSON.parse(JSON.stringify(read(patched.bytes, 'v1', 'ConfigMap'))));
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' };
    const deleted = await send('DELETE', `${path}/one`, { body: options });
    expect(read(deleted.bytes, 'v1', 'Status')).toMatchObject({ status: 'Success', details: { name: 'one', kind: 'configmaps' } });
  });

  test('JSON is answered where it is accepted, too', async () => {
    const answer = await send('POST', path, { body: aConfigMap('both'), accept: `${protobuf},application/json` });
    expect(answer.type).toBe('application/json');
  });

  test('errors are a Status', async () => {
    const answer = await send('GET', `${path}/nothing`);
    expect([answer.code, answer.type]).toEqual([404, protobuf]);
    expect(read(answer.bytes, 'v1', 'Status')).toMatchObject({
      status: 'Failure',
      reason: 'NotFound',
      message: 'configmaps "nothing" not found',
      details: { name: 'nothing', kind: 'configmaps' },
      code: 404,
    });
  });

  test('a broken body is refused', async () => {
    const answer = await request(`${server.url}${path}`, {
      method: 'POST',
      dispatcher: admin,
      headers: { accept: protobuf, 'content-type': protobuf },
      body: Buffer.from('6b387300121a0a', 'hex'),
    });
    expect(answer.statusCode).toBe(400);
    const status = read(Buffer.from(await answer.body.arrayBuffer()), 'v1', 'Status');
    expect(status['message']).toBe('the object provided is unrecognized (must be of type ConfigMap): unexpected EOF (6b387300121a0a)');
  });

  test('are reduced to their metadata', async () => {
    await send('POST', path, { body: aConfigMap('partial', 'not-shown') });
    const answer = await send('GET', `${path}/partial`, { accept: partial });
    const { head } = codec.protobuf.around({ group: 'meta.k8s.io', version: 'v1', kind: 'PartialObjectMetadata' }, 0);
    expect(answer.bytes.subarray(0, head.length - 1)).toEqual(head.subarray(0, -1));
    expect(answer.bytes.includes('partial')).toBe(true);
    expect(answer.bytes.includes('not-shown')).toBe(false);
  });

  test('tables are not to be had', async () => {
    const answer = await send('GET', path, { accept: `${protobuf};as=Table;g=meta.k8s.io;v=v1` });
    expect(answer.code).toBe(406);
    const status = JSON.parse(answer.bytes.toString()) as { message: string };
    expect(status.message).toBe(
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  });
});

describe('acts and documents', () => {
  test('a token is signed, a question answered', async () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'signed' } };
    await send('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account });
    const spec = { audiences: ['https://other'], expirationSeconds: 700 };
    const request_ = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec };
    const token = await send('POST', '/api/v1/namespaces/default/serviceaccounts/signed/token', { body: request_ });
    expect([token.code, token.type]).toEqual([201, protobuf]);
    const answered = read(token.bytes, 'authentication.k8s.io/v1', 'TokenRequest');
    expect(answered).toMatchObject({ spec, status: { token: expect.stringMatching(/^ey/), expirationTimestamp: expect.any(String) } });
    const question = { resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', metadata: {}, spec: question };
    const answer = await send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { body: review });
    expect(read(answer.bytes, 'authorization.k8s.io/v1', 'SelfSubjectAccessReview')).toMatchObject({ status: { allowed: true } });
  });

  test.each([
    ['/api', 'APIVersions', { versions: ['v1'] }],
    ['/apis', 'APIGroupList', { groups: expect.arrayContaining([expect.objectContaining({ name: 'apps' })]) }],
    ['/apis/apps', 'APIGroup', { name: 'apps', preferredVersion: { groupVersion: 'apps/v1' } }],
    [
      '/apis/apps/v1',
      'APIResourceList',
      { resources: expect.arrayContaining([expect.objectContaining({ name: 'deployments', verbs: expect.arrayContaining(['watch']) })]) },
    ],
  ])('%s', async (where, kind, expected) => {
    const answer = await send('GET', where);
    expect(answer.type).toBe(protobuf);
    expect(read(answer.bytes, 'v1', kind)).toMatchObject(expected);
  });
});

describe('lists', () => {
  test('come whole, also long ones', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'many' } };
    await send('POST', '/api/v1/namespaces', { body: namespace });
    const many = '/api/v1/namespaces/many/configmaps';
    const names = Array.from({ length: 60 }, (_, at) => `map-${String(at).padStart(3, '0')}`);
    await Promise.all(names.map((name) => send('POST', many, { body: aConfigMap(name, name.repeat(2_000)) })));
    const answer = await send('GET', many);
    expect(answer.type).toBe(protobuf);
    const { items, metadata } = read(answer.bytes, 'v1', 'ConfigMapList') as {
      items: { metadata: { name: string }; data: { value: string } }[];
      metadata: { resourceVersion: string };
    };
    expect(items.filter(({ metadata: { name } }) => name !== 'kube-root-ca.crt').map(({ metadata: { name } }) => name)).toEqual(names);
    expect(items.find(({ metadata: { name } }) => name === 'map-007')?.data.value).toBe('map-007'.repeat(2_000));
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(0);
    const page = read((await send('GET', `${many}?limit=2`)).bytes, 'v1', 'ConfigMapList') as { items: unknown[]; metadata: object };
    expect(page.items).toHaveLength(2);
    expect(page.metadata).toMatchObject({ continue: expect.any(String), remainingItemCount: expect.any(Number) });
  });

  test('of metadata only', async () => {
    await send('POST', path, { body: aConfigMap('listed', 'not-shown') });
    for (const [version, first] of [
      ['v1', 0x0a],
      ['v1beta1', 0x0a],
    ] as const) {
      const { bytes } = await send('GET', path, { accept: partialList.replace('v=v1', `v=${version}`) });
      expect(bytes.includes(`meta.k8s.io/${version}`)).toBe(true);
      expect(bytes.includes('listed')).toBe(true);
      expect(bytes.includes('not-shown')).toBe(false);
      expect(bytes[4]).toBe(first);
    }
  });

  test('empty ones have their metadata', async () => {
    const answer = await send('GET', '/api/v1/namespaces/kube-public/configmaps?labelSelector=no%3Dsuch');
    expect(read(answer.bytes, 'v1', 'ConfigMapList')).toMatchObject({ items: [], metadata: { resourceVersion: expect.any(String) } });
  });
});

interface Event {
  readonly type: string;
  /** In its envelope. */
  readonly object: Buffer;
}

/** Reads a WatchEvent by hand: a text, and bytes in a message. */
function eventOf(message: Buffer): Event {
  const typeLength = message[1] ?? 0;
  const type = message.toString('latin1', 2, 2 + typeLength);
  return { type, object: message.subarray(message.indexOf('k8s\0')) };
}

describe('watches', () => {
  test('send frames with their length', async () => {
    await send('POST', path, { body: aConfigMap('watched') });
    const answer = await request(
      `${server.url}${path}?watch=true&fieldSelector=metadata.name%3Dwatched&allowWatchBookmarks=true&timeoutSeconds=3`,
      {
        dispatcher: admin,
        headers: { accept: `${protobuf};stream=watch` },
      },
    );
    expect(answer.headers['content-type']).toBe(`${protobuf};stream=watch`);
    const change = send('PATCH', `${path}/watched`, { type: 'application/merge-patch+json', body: { data: { value: '2' } } });
    let bytes = Buffer.alloc(0);
    for await (const chunk of answer.body) bytes = Buffer.concat([bytes, chunk as Buffer]);
    await change;
    const events: Event[] = [];
    while (bytes.length > 0) {
      const length = bytes.readUInt32BE();
      events.push(eventOf(bytes.subarray(4, 4 + length)));
      bytes = bytes.subarray(4 + length);
    }
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'BOOKMARK']);
    const objects = events.map(({ object }) => read(object, 'v1', 'ConfigMap'));
    expect(objects.map((object) => object['data'])).toEqual([{ value: '1' }, { value: '2' }, undefined]);
  });

  test('end in an error of the same kind', async () => {
    const written: Uint8Array[] = [];
    const sink = {
      isOpen: true,
      write: (frames: readonly Uint8Array[]) => written.push(...frames) > 0,
      drained: async () => {},
      end: () => {},
      cut: () => {},
    };
    const frames = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new ApiError({ reason: 'Expired', message: 'too old resource version: 1 (2)' })),
      }),
    };
    const render = new ProtobufFrames(codec.protobuf, everythingIsLarge([])).renderer({
      encoding: 'protobuf',
      form: 'partial',
      formVersion: 'v1',
      stream: true,
    });
    await pump(
      frames,
      sink,
      { render, counter: new WatchMetrics(createMetrics()).of(pod, 'namespace', undefined) },
      new AbortController().signal,
    );
    const { type, object } = eventOf(Buffer.from(written[0] ?? []).subarray(4));
    expect(type).toBe('ERROR');
    expect(read(object, 'v1', 'Status')).toMatchObject({ reason: 'Expired', code: 410, message: 'too old resource version: 1 (2)' });
  });

  test('encode a frame once for all watchers', () => {
    const frames = new ProtobufFrames(codec.protobuf, everythingIsLarge([]));
    const line = Buffer.from('x');
    const object = aConfigMap('shared') as KubeObject;
    const frame = { type: 'ADDED' as const, line, encoded: { json: line, resourceVersion: '1', decoded: object, object: () => object } };
    const wanted = { encoding: 'protobuf' as const, formVersion: '', stream: true };
    const whole = frames.renderer({ ...wanted, form: 'object' });
    expect(frames.renderer({ ...wanted, form: 'object' })(frame)).toBe(whole(frame));
    expect(frames.renderer({ ...wanted, form: 'partial', formVersion: 'v1' })(frame)).not.toEqual(whole(frame));
    expect(whole({ ...frame, line: Buffer.from('y') })).not.toBe(whole(frame));
  });

  test('send binary messages over WebSockets', async () => {
    await send('POST', path, { body: aConfigMap('socket') });
    const url = `${server.url.replace('https', 'wss')}${path}?watch=true&fieldSelector=metadata.name%3Dsocket`;
    const socket = new WebSocket(url, { ...tlsOf(server.adminClientConfig), headers: { accept: protobuf } });
    const [data, isBinary] = await new Promise<[Buffer, boolean]>((resolve, reject) => {
      socket.on('message', (message, binary) => resolve([message as Buffer, binary]));
      socket.on('error', reject);
    });
    socket.close();
    expect(isBinary).toBe(true);
    const { type, object } = eventOf(data);
    expect([type, read(object, 'v1', 'ConfigMap')]).toMatchObject(['ADDED', { metadata: { name: 'socket' } }]);
  });
});

test('kinds without protobuf form neither take nor give it', async () => {
  // The one type of upstream's that has none.
  const plain: KindDefinition = {
    group: 'example.com',
    version: 'v1',
    kind: 'Thing',
    scope: 'cluster',
    names: { plural: 'things' },
    schema: 'io.k8s.apimachinery.pkg.version.Info',
  };
  await using other = await startTestApiServer({ kinds: [...builtinKinds, plain], ca: server.ca });
  const ask = async (method: 'GET' | 'POST', accept: string): Promise<unknown> => {
    const { body, statusCode } = await request(`${other.url}/apis/example.com/v1/things`, {
      method,
      dispatcher: admin,
      headers: { accept, 'content-type': protobuf },
      body: method === 'POST' ? 'k8s\0' : null,
    });
    const bytes = Buffer.from(await body.arrayBuffer());
    const { message } = accept === protobuf ? read(bytes, 'v1', 'Status') : (JSON.parse(bytes.toString()) as Record<string, unknown>);
    return [statusCode, message];
  };
  expect(await ask('GET', protobuf)).toEqual([406, 'only the following media types are accepted: application/json, application/yaml']);
  expect(await ask('GET', `${protobuf},application/json`)).toEqual([200, undefined]);
  expect(await ask('POST', 'application/json')).toEqual([
    415,
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
  ]);
});
