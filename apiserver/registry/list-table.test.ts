// What lists answer for every kind of resourceVersion, limit and continue token, case by case as upstream tests its stores
// (apiserver/pkg/storage/testing). Pods lie in three namespaces; `first/bar` was changed and `second/baz` is gone again.
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { encodeContinue } from './continue-token.ts';
import type { ListAnswer, ListRequest } from './contract.ts';
import { aBody, aContext, aDelete, aKind, aList, startRegistry, type TestRegistry, wire } from './testing.ts';

const pods = aKind('pods');
const created = ['first/bar', 'second/bar', 'second/foo', 'third/barfoo', 'third/foo', 'second/baz'] as const;
/** Revisions before the first write, after each create, after the change, after the deletion, and after a write elsewhere. */
const at: { initial: string; created: string[]; changed: string; deleted: string; now: string } = {
  initial: '',
  created: [],
  changed: '',
  deleted: '',
  now: '',
};
let t: TestRegistry;

const inNamespace = (namespace: string) => aContext({ namespace });
const podOf = (name: string, nodeName?: string): object => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...(nodeName === undefined ? {} : { nodeName }) },
});

beforeAll(async () => {
  t = await startRegistry({ kinds: builtinKinds });
  await t.registry.create(aKind('configmaps'), aBody({ metadata: { name: 'before' } }), aContext());
  const list = (): Promise<ListAnswer> => t.registry.list(pods, aList(), inNamespace(''));
  at.initial = (await list()).resourceVersion;
  for (const key of created) {
    const [namespace = '', name = ''] = key.split('/');
    // Those that are never changed are on a node from the start.
    const nodeName = key === 'first/bar' ? undefined : 'other';
    const pod = wire(await t.registry.create(pods, aBody(podOf(name, nodeName)), inNamespace(namespace)));
    at.created.push(pod.metadata.resourceVersion ?? '');
  }
  const patch = Buffer.from('{"metadata":{"labels":{"changed":"yes"}}}');
  const changed = await t.registry.patch(pods, 'bar', { type: 'merge', bytes: patch, force: false }, inNamespace('first'));
  at.changed = wire(changed.encoded).metadata.resourceVersion ?? '';
  await t.registry.delete(pods, 'baz', aDelete({ gracePeriodSeconds: 0 }), inNamespace('second'));
  at.deleted = (await list()).resourceVersion;
  await t.registry.create(aKind('configmaps'), aBody({ metadata: { name: 'after' } }), aContext());
  at.now = (await list()).resourceVersion;
});

afterAll(() => t[Symbol.asyncDispose]());

const everything = ['first/bar', 'second/bar', 'second/foo', 'third/barfoo', 'third/foo'];
const token = (start: string, revision: string | number): string => encodeContinue({ revision: Number(revision), start: `${start}\0` });

interface Expected {
  readonly keys: readonly string[];
  readonly revision?: string;
  /** Where it goes on; undefined: nowhere. */
  readonly next?: string;
  readonly remaining?: number;
}

type Case = [string, () => Partial<ListRequest> & { namespace?: string }, () => Expected];

function tokenOf(text: string): { start?: string; rv?: number } {
  return text === '' ? {} : (JSON.parse(Buffer.from(text, 'base64url').toString()) as { start: string; rv: number });
}

async function check(request: Partial<ListRequest> & { namespace?: string }, expected: Expected): Promise<void> {
  const { namespace = '', ...options } = request;
  const answer = await t.registry.list(pods, aList(options), inNamespace(namespace));
  const keys = [...answer.items].map((item) => `${wire(item).metadata.namespace}/${wire(item).metadata.name}`);
  const { start, rv } = tokenOf(answer.continue);
  const { revision = at.now, next, remaining } = expected;
  expect({ keys, revision: answer.resourceVersion, next: start, rv, remaining: answer.remainingItemCount }).toEqual({
    keys: expected.keys,
    revision,
    next: next === undefined ? undefined : `${next}\0`,
    rv: next === undefined ? undefined : Number(revision),
    remaining,
  });
}

const exact = (revision: string) => ({ resourceVersion: revision, resourceVersionMatch: 'Exact' as const });
const notOlder = (revision: string) => ({ resourceVersion: revision, resourceVersionMatch: 'NotOlderThan' as const });
const second = { namespace: 'second' };

describe('revisions', () => {
  test.each<Case>([
    ['the newest', () => ({}), () => ({ keys: everything })],
    ['whatever is there', () => ({ resourceVersion: '0' }), () => ({ keys: everything })],
    ['not older than the change', () => notOlder(at.changed), () => ({ keys: everything })],
    ['a plain one', () => ({ resourceVersion: at.initial }), () => ({ keys: everything })],
    ['of nothing', () => ({ namespace: 'empty' }), () => ({ keys: [] })],
    ['of a namespace', () => second, () => ({ keys: ['second/bar', 'second/foo'] })],
    ['exactly before the first write', () => exact(at.initial), () => ({ keys: [], revision: at.initial })],
    ...created.map(
      (_, index): Case => [
        `exactly write ${index + 1}`,
        () => exact(at.created[index] ?? ''),
        () => ({ keys: created.slice(0, index + 1).toSorted(), revision: at.created[index] ?? '' }),
      ],
    ),
    ['exactly the change', () => exact(at.changed), () => ({ keys: [...created].toSorted(), revision: at.changed })],
    ['exactly the deletion', () => exact(at.deleted), () => ({ keys: everything, revision: at.deleted })],
    ['exactly a write elsewhere', () => exact(at.now), () => ({ keys: everything, revision: at.now })],
  ])('%s', async (_name, request, expected) => await check(request(), expected()));

  test.each([
    ['an exact one of the future', () => exact(String(Number(at.now) + 1))],
    ['one not older than the future', () => notOlder(String(Number(at.now) + 1))],
    ['the largest signed one', () => ({ resourceVersion: '9223372036854775807' })],
    ['the largest of all', () => notOlder('18446744073709551615')],
  ])('%s is too large', async (_name, request) => {
    const answer = t.registry.list(pods, aList(request()), inNamespace(''));
    const message = `Timeout: Too large resource version: ${request().resourceVersion}, current: ${at.now}`;
    const refused = expect(answer).rejects.toMatchObject({ reason: 'Timeout', code: 504, message });
    await t.clock.advance(3_000);
    await refused;
  });

  test.each([
    ['a negative one', () => ({ resourceVersion: '-1' })],
    ['one beyond 64 bits', () => ({ resourceVersion: '18446744073709551616' })],
    ['a token with the revision 0', () => ({ continue: token('first/bar', 0) })],
    ['a token from nowhere', () => ({ continue: encodeContinue({ revision: Number(at.now), start: '' }) })],
  ])('%s is refused', async (_name, request) => {
    await expect(t.registry.list(pods, aList(request()), inNamespace(''))).rejects.toMatchObject({ reason: 'BadRequest' });
  });
});

describe('limits', () => {
  test.each<Case>([
    ['the newest', () => ({ ...second, limit: 1 }), () => ({ keys: ['second/bar'], next: 'bar', remaining: 1 })],
    ['not older', () => ({ ...second, limit: 1, ...notOlder(at.now) }), () => ({ keys: ['second/bar'], next: 'bar', remaining: 1 })],
    ['with 0 count for nothing', () => ({ ...second, limit: 1, resourceVersion: '0' }), () => ({ keys: ['second/bar', 'second/foo'] })],
    ['exactly before the first write', () => ({ ...second, limit: 1, ...exact(at.initial) }), () => ({ keys: [], revision: at.initial })],
    [
      'exactly write 2',
      () => ({ limit: 1, ...exact(at.created[1] ?? '') }),
      () => ({ keys: ['first/bar'], revision: at.created[1] ?? '', next: 'first/bar', remaining: 1 }),
    ],
    [
      'exactly write 4, all of it',
      () => ({ limit: 4, ...exact(at.created[3] ?? '') }),
      () => ({ keys: created.slice(0, 4), revision: at.created[3] ?? '' }),
    ],
    [
      'exactly the change',
      () => ({ limit: 4, ...exact(at.changed) }),
      () => ({ keys: ['first/bar', 'second/bar', 'second/baz', 'second/foo'], revision: at.changed, next: 'second/foo', remaining: 2 }),
    ],
    ['exactly the deletion, more than all', () => ({ limit: 8, ...exact(at.deleted) }), () => ({ keys: everything, revision: at.deleted })],
    [
      'a plain revision is exact',
      () => ({ limit: 1, resourceVersion: at.deleted }),
      () => ({ keys: ['first/bar'], revision: at.deleted, next: 'first/bar', remaining: 4 }),
    ],
  ])('%s', async (_name, request, expected) => await check(request(), expected()));
});

describe('continue tokens', () => {
  test.each<Case>([
    [
      'of write 2',
      () => ({ limit: 1, continue: token('first/bar', at.created[1] ?? '') }),
      () => ({ keys: ['second/bar'], revision: at.created[1] ?? '' }),
    ],
    [
      'of write 5',
      () => ({ limit: 1, continue: token('first/bar', at.created[4] ?? '') }),
      () => ({ keys: ['second/bar'], revision: at.created[4] ?? '', next: 'second/bar', remaining: 3 }),
    ],
    [
      'of write 6, with what went later',
      () => ({ limit: 2, continue: token('second/bar', at.created[5] ?? '') }),
      () => ({ keys: ['second/baz', 'second/foo'], revision: at.created[5] ?? '', next: 'second/foo', remaining: 2 }),
    ],
    [
      'of the change',
      () => ({ limit: 4, continue: token('second/foo', at.changed) }),
      () => ({ keys: ['third/barfoo', 'third/foo'], revision: at.changed }),
    ],
    [
      'besides the revision 0',
      () => ({ ...second, limit: 1, resourceVersion: '0', continue: token('bar', at.now) }),
      () => ({ keys: ['second/foo'] }),
    ],
    ['of whatever is newest', () => ({ continue: token('first/bar', -1) }), () => ({ keys: everything.slice(1) })],
    [
      'of whatever is newest, with a limit',
      () => ({ limit: 2, continue: token('first/bar', -1) }),
      () => ({ keys: ['second/bar', 'second/foo'], next: 'second/foo', remaining: 2 }),
    ],
  ])('%s', async (_name, request, expected) => await check(request(), expected()));
});

describe('selectors', () => {
  const named = (name: string, limit: number) => ({ fieldSelector: `metadata.name=${name}`, limit });

  test.each<[string, (more: object) => Partial<ListRequest>, Expected]>([
    [
      'one that fills the page, with others behind it',
      (more) => ({ ...named('barfoo', 1), ...more }),
      { keys: ['third/barfoo'], next: 'third/barfoo' },
    ],
    ['one on a page that has room', (more) => ({ ...named('barfoo', 2), ...more }), { keys: ['third/barfoo'] }],
    [
      'two that fill the page, with others behind them',
      (more) => ({ ...named('bar', 2), ...more }),
      { keys: ['first/bar', 'second/bar'], next: 'second/bar' },
    ],
    ['two that fill the page, the last of all', (more) => ({ ...named('foo', 2), ...more }), { keys: ['second/foo', 'third/foo'] }],
    ['two on a page as large as all', (more) => ({ ...named('foo', 5), ...more }), { keys: ['second/foo', 'third/foo'] }],
    ['what is gone', (more) => ({ ...named('baz', 5), ...more }), { keys: [] }],
    ['what was changed', (more) => ({ labelSelector: 'changed=yes', limit: 5, ...more }), { keys: ['first/bar'] }],
  ])('%s', async (_name, request, expected) => {
    await check(request({}), expected);
    await check(request(notOlder(at.now)), expected);
  });

  test.each<Case>([
    ['the last page, with room', () => ({ ...named('foo', 2), continue: token('third/barfoo', at.now) }), () => ({ keys: ['third/foo'] })],
    ['the last page, full', () => ({ ...named('foo', 1), continue: token('third/barfoo', at.now) }), () => ({ keys: ['third/foo'] })],
  ])('%s', async (_name, request, expected) => await check(request(), expected()));

  test('one name in one namespace is read alone, at whatever revision', async () => {
    const one = { namespace: 'first', fieldSelector: 'metadata.name=bar', limit: 1 };
    await check(one, { keys: ['first/bar'] });
    await check({ ...one, ...exact(at.initial) }, { keys: [], revision: at.initial });
    await check({ ...one, ...exact(at.created[0] ?? '') }, { keys: ['first/bar'], revision: at.created[0] ?? '' });
    await check({ ...one, fieldSelector: 'metadata.name=foo' }, { keys: [] });
  });
});
