// What is done elsewhere comes to the same: two registries get the same requests, one of them sends every one of them away, and answers,
// refusals, warnings and what is stored, managedFields included, are the same to the byte.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { ApiError } from '#api/meta/status.ts';
import { randomObject } from '#api/schema/random-object.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { PatchType, RequestContext } from '../registry/contract.ts';
import { aContext, aDelete, startRegistry, testCodec, type TestRegistry } from '../registry/testing.ts';
import { everythingIsLarge } from './testing.ts';

const kinds = builtinKinds.filter(({ verbs }) => verbs === undefined || (verbs.includes('create') && verbs.includes('get')));

/** One request of the story, and who sends it. */
interface Step {
  readonly how: 'create' | 'update' | 'delete' | PatchType;
  readonly body: object;
  readonly context: Partial<RequestContext>;
}

/** All that a client sees of it. Uids and ends of names are drawn by lot. */
async function outcome({ registry }: TestRegistry, kind: KindDefinition, { how, body, context }: Step): Promise<unknown> {
  const warnings: string[] = [];
  const namespace = kind.scope === 'namespaced' ? 'default' : '';
  const about = aContext({ namespace, ...context, warn: (text) => void warnings.push(text) });
  const bytes = Buffer.from(JSON.stringify(body));
  const write = async (): Promise<Uint8Array> => {
    const sent = { bytes, mediaType: 'application/json' } as const;
    if (how === 'create') return (await registry.create(kind, sent, about)).json;
    if (how === 'delete') return (await registry.delete(kind, 'x', aDelete(), about)).object.json;
    if (how === 'update') return (await registry.update(kind, 'x', sent, about)).encoded.json;
    return (await registry.patch(kind, 'x', { type: how, bytes, force: context.fieldManager === 'forced' }, about)).encoded.json;
  };
  const answer = await write().then(
    (json) => Buffer.from(json).toString(),
    (error: unknown) => (error instanceof ApiError ? JSON.stringify(error.toStatus()) : Promise.reject(error)),
  );
  const told = answer.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'uid').replaceAll(/\bx-[a-z0-9]{5}\b/g, 'x-');
  // What is not stored is written as it lies in memory: members in another order.
  return [context.dryRun === true ? JSON.parse(told) : told, warnings];
}

function storyOf(kind: KindDefinition, first: object, second: object, strictness: RequestContext['fieldValidation']): Step[] {
  const named = (object: object): object => ({ ...object, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: 'x' } });
  const context = { fieldValidation: strictness };
  const list = [{ op: 'add', path: '/metadata/labels', value: { a: 'b' } }];
  return [
    { how: 'merge', body: named(first), context },
    { how: 'create', body: { ...named(first), strange: 1 }, context },
    { how: 'create', body: { ...named(second), metadata: { name: 'x' } }, context: { ...context, dryRun: true } },
    { how: 'apply', body: named(first), context: { ...context, fieldManager: 'first' } },
    { how: 'update', body: named(second), context },
    { how: 'update', body: { ...named(second), metadata: { name: 'x', uid: 'another' } }, context },
    { how: 'update', body: { ...named(first), metadata: { name: 'y' } }, context },
    { how: 'apply', body: named(second), context: { ...context, fieldManager: 'second' } },
    { how: 'apply', body: named(second), context: { ...context, fieldManager: 'forced' } },
    { how: 'apply', body: named(second), context: { ...context, fieldManager: 'forced' } },
    { how: 'merge', body: named(first), context: { ...context, subresource: 'status' } },
    { how: 'strategic', body: named(second), context },
    { how: 'strategic', body: { metadata: { labels: { a: 'c' } } }, context },
    { how: 'merge', body: named(first), context: { ...context, dryRun: true } },
    { how: 'json', body: list, context },
    { how: 'json', body: list, context },
    { how: 'create', body: { ...named(first), metadata: { generateName: 'x-', labels: { a: 'b c' } } }, context },
    { how: 'delete', body: {}, context: { ...context, dryRun: true } },
    { how: 'delete', body: {}, context },
  ];
}

test.each(kinds.map((kind) => [`${kind.kind} of ${apiVersionOf(kind)}`, kind] as const))('%s', async (_name, kind) => {
  const schema = testCodec.schemas.get(kind.schema);
  const object = fc.gen().map((gen) => randomObject(schema, gen));
  const strictness = fc.constantFrom('Ignore' as const, 'Warn' as const, 'Strict' as const);
  const compare = async (first: object, second: object, mode: RequestContext['fieldValidation']): Promise<void> => {
    const largeWork = everythingIsLarge(builtinKinds);
    await using here = await startRegistry({ kinds: builtinKinds, clock: new FakeClock() });
    await using elsewhere = await startRegistry({ kinds: builtinKinds, clock: new FakeClock(), largeWork });
    for (const step of storyOf(kind, first, second, mode)) {
      expect(await outcome(elsewhere, kind, step), `${step.how} ${JSON.stringify(step.body)}`).toEqual(await outcome(here, kind, step));
    }
    expect(largeWork.done).toContain('propose');
  };
  const { RUNS = '3' } = process.env;
  await fc.assert(fc.asyncProperty(object, object, strictness, compare), { numRuns: Number(RUNS), endOnFailure: true });
});
