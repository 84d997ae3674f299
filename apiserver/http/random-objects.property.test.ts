// Objects of every kind with whatever fits their fields, through every verb that writes: what is wrong with them is said, what is stored
// reads the same in JSON and in protobuf, and nothing is an internal error.
import fc from 'fast-check';
import { type Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { createCodec } from '#api/schema/codec.ts';
import { randomObject } from '#api/schema/random-object.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import { agentOf } from './testing.ts';

const codec = createCodec();
const protobuf = 'application/vnd.kubernetes.protobuf';
const kinds = builtinKinds.filter(({ verbs }) => verbs === undefined || verbs.includes('create'));
/** Refusals for which upstream has no code but 500. */
const plainRefusal =
  /^failed to create typed patch object|does not contain declared merge key|^unable to find api field in struct|^resourceVersion: /;

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
  readonly bytes: Buffer;
}

async function send(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: object | Buffer,
  type = 'application/json',
  accept = 'application/json',
): Promise<Answer> {
  const answer = await request(`${server.url}${path}`, {
    method,
    dispatcher: admin,
    headers: { accept, ...(body === undefined ? {} : { 'content-type': type }) },
    body: body === undefined ? null : Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  if (answer.statusCode >= 500) {
    const { message = '' } = JSON.parse(bytes.toString()) as { message?: string };
    expect(message, `${method} ${path} ${JSON.stringify(body)}`).toMatch(plainRefusal);
  }
  return { code: answer.statusCode, bytes };
}

function pathOf(kind: KindDefinition): string {
  const root = kind.group === '' ? '/api' : `/apis/${kind.group}`;
  return `${root}/${kind.version}${kind.scope === 'namespaced' ? '/namespaces/default' : ''}/${kind.names.plural}`;
}

/** Both ways to read an object say the same. */
async function expectSame(kind: KindDefinition, path: string): Promise<void> {
  const [json, binary] = [await send('GET', path), await send('GET', path, undefined, '', protobuf)];
  const back = codec.decodeBody({ bytes: binary.bytes, mediaType: protobuf }, kind, 'Strict').object;
  expect(withoutNulls(back)).toEqual(withoutNulls(JSON.parse(json.bytes.toString())));
}

function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, one: unknown) => (one === null ? undefined : one)));
}

test.each(kinds.map((kind) => [`${kind.kind} of ${apiVersionOf(kind)}`, kind] as const))('%s', async (_name, kind) => {
  const path = pathOf(kind);
  const schema = codec.schemas.get(kind.schema);
  const object = fc
    .gen()
    .map((gen) => ({ ...randomObject(schema, gen), apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: 'x' } }));
  const write = async (first: object, second: object): Promise<void> => {
    const created = await send('POST', path, first);
    if (created.code === 201 && (kind.verbs === undefined || kind.verbs.includes('get'))) await expectSame(kind, `${path}/x`);
    await send('PUT', `${path}/x`, second);
    await send(
      'PUT',
      `${path}/x?dryRun=All`,
      codec.protobuf.object(codec.decodeValue(structuredClone(first) as never, kind, 'Ignore').object),
      protobuf,
    );
    await send('PATCH', `${path}/x?fieldManager=me&force=true`, second, 'application/apply-patch+yaml');
    await send('PATCH', `${path}/x?fieldManager=you`, first, 'application/apply-patch+yaml');
    await send('PATCH', `${path}/x`, second, 'application/strategic-merge-patch+json');
    await send('PATCH', `${path}/x`, first, 'application/merge-patch+json');
    await send('PATCH', `${path}/x/status`, second, 'application/merge-patch+json');
    await send('GET', path, undefined, '', 'application/json;as=Table;g=meta.k8s.io;v=v1');
    await send('GET', path, undefined, '', protobuf);
    await send('DELETE', `${path}/x?gracePeriodSeconds=0`);
  };
  // One seed for all, so that a failure has to do with what was changed; `SEED` and `RUNS` in the environment look further.
  const { SEED = '1', RUNS = '2' } = process.env;
  await fc.assert(fc.asyncProperty(object, object, write), { seed: Number(SEED), numRuns: Number(RUNS), endOnFailure: true });
});
