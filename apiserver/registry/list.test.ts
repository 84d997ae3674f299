import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { KindDefinition } from '#api/kind.ts';
import { hasReason } from '#api/meta/status.ts';
import { encodeContinue } from './continue-token.ts';
import type { ListAnswer, ListRequest, RequestContext } from './contract.ts';
import { aBody, aContext, aDelete, aKind, aList, startRegistry, type TestRegistry, wire } from './testing.ts';

const configMaps = aKind('configmaps');
const pods = aKind('pods');
const everywhere = aContext({ namespace: '' });

async function startWith(names: readonly string[]): Promise<TestRegistry> {
  const t = await startRegistry({ kinds: builtinKinds });
  for (const name of names) await make(t, name);
  return t;
}

/** `namespace/name`. */
async function make({ registry }: TestRegistry, key: string, parts: object = {}): Promise<void> {
  const [namespace = '', name] = key.split('/');
  await registry.create(configMaps, aBody({ metadata: { name, ...parts } }), aContext({ namespace }));
}

function list(
  { registry }: TestRegistry,
  request: Partial<ListRequest> = {},
  context: RequestContext = everywhere,
  kind: KindDefinition = configMaps,
): Promise<ListAnswer> {
  return registry.list(kind, aList(request), context);
}

function keys(answer: ListAnswer): string[] {
  return [...answer.items].map((item) => {
    const { namespace, name } = wire(item).metadata;
    return `${namespace}/${name}`;
  });
}

describe('list', () => {
  test('is in order of namespace and name, and belongs to one revision', async () => {
    await using t = await startWith(['b/x', 'a-b/x', 'a/z', 'a/y']);
    const all = await list(t);
    expect(keys(all)).toEqual(['a-b/x', 'a/y', 'a/z', 'b/x']);
    expect(all).toMatchObject({ count: 4, resourceVersion: '4', continue: '', remainingItemCount: undefined });
    expect(keys(await list(t, {}, aContext({ namespace: 'a' })))).toEqual(['a/y', 'a/z']);
    expect(keys(await list(t, {}, aContext({ namespace: 'none' })))).toEqual([]);
  });

  test('selects by labels and fields', async () => {
    await using t = await startWith([]);
    await make(t, 'a/x', { labels: { app: 'web', tier: 'front' } });
    await make(t, 'a/y', { labels: { app: 'db' } });
    await make(t, 'b/x', { labels: { app: 'web' } });
    const keysOf = async (request: Partial<ListRequest>, context = everywhere): Promise<string[]> => keys(await list(t, request, context));
    expect(await keysOf({ labelSelector: 'app=web' })).toEqual(['a/x', 'b/x']);
    expect(await keysOf({ labelSelector: 'app in (web,db),!tier' })).toEqual(['a/y', 'b/x']);
    expect(await keysOf({ fieldSelector: 'metadata.name=x' })).toEqual(['a/x', 'b/x']);
    expect(await keysOf({ fieldSelector: 'metadata.name=x' }, aContext({ namespace: 'b' }))).toEqual(['b/x']);
    expect(await keysOf({ fieldSelector: 'metadata.namespace!=a' })).toEqual(['b/x']);
    expect(await keysOf({ labelSelector: 'app=web', fieldSelector: 'metadata.namespace=a' })).toEqual(['a/x']);
  });

  test('selects pods by what only pods have', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    for (const [name, nodeName] of [
      ['p', 'n1'],
      ['q', 'n2'],
    ]) {
      const spec = { nodeName, containers: [{ name: 'c', image: 'i' }] };
      await t.registry.create(pods, aBody({ metadata: { name }, spec }), aContext());
    }
    expect(keys(await list(t, { fieldSelector: 'spec.nodeName=n1' }, everywhere, pods))).toEqual(['default/p']);
  });

  test.each<[string, Partial<ListRequest>, { code: number; message: string }]>([
    [
      'an unknown field',
      { fieldSelector: 'spec.x=y' },
      { code: 400, message: expect.stringContaining('is not a known field selector') as string },
    ],
    [
      'a broken label selector',
      { labelSelector: 'a in' },
      { code: 400, message: expect.stringContaining('unable to parse requirement') as string },
    ],
    [
      'a resourceVersion that is no number',
      { resourceVersion: 'x' },
      {
        code: 400,
        message: 'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
      },
    ],
    [
      'a token of another make',
      { continue: 'e30' },
      { code: 400, message: 'invalid continue token: continue key is not valid: server does not recognize this encoded version ' },
    ],
    [
      'a token that is none',
      { continue: 'abc' },
      {
        code: 400,
        message: "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
      },
    ],
    [
      'a token of another version',
      { continue: Buffer.from('{"v":"v9","rv":1,"start":"a"}').toString('base64url') },
      { code: 400, message: 'invalid continue token: continue key is not valid: server does not recognize this encoded version v9' },
    ],
    [
      'a token that leads elsewhere',
      { continue: encodeContinue({ revision: 1, start: '../secrets/x' }) },
      { code: 400, message: 'invalid continue token: continue key is not valid: ../secrets/x' },
    ],
    [
      'a token with a resourceVersion',
      { continue: encodeContinue({ revision: 1, start: 'a' }), resourceVersion: '5' },
      { code: 400, message: 'specifying resource version is not allowed when using continue' },
    ],
  ])('refuses %s', async (_name, request, refusal) => {
    await using t = await startWith(['a/x']);
    await expect(list(t, request)).rejects.toMatchObject({ reason: 'BadRequest', ...refusal });
  });

  test('waits for a revision to come, then says that it is too large', async () => {
    await using t = await startWith(['a/x']);
    const soon = list(t, { resourceVersion: '2', resourceVersionMatch: 'NotOlderThan' });
    await make(t, 'a/y');
    expect((await soon).count).toBe(2);
    const never = list(t, { resourceVersion: '50' });
    const refused = expect(never).rejects.toMatchObject({
      code: 504,
      reason: 'Timeout',
      message: 'Timeout: Too large resource version: 50, current: 2',
      details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
    });
    await t.clock.advance(3_000);
    await refused;
  });
});

describe('pages', () => {
  const names = ['a/a', 'a/b', 'a/c', 'b/a', 'b/b'];

  test('tell one state, whatever happens meanwhile', async () => {
    await using t = await startWith(names);
    const first = await list(t, { limit: 2 });
    expect([keys(first), first.remainingItemCount]).toEqual([['a/a', 'a/b'], 3]);
    await make(t, 'a/bb');
    await t.registry.delete(configMaps, 'c', aDelete(), aContext({ namespace: 'a' }));
    const second = await list(t, { limit: 2, continue: first.continue });
    expect([keys(second), second.remainingItemCount, second.resourceVersion]).toEqual([['a/c', 'b/a'], 1, first.resourceVersion]);
    const third = await list(t, { limit: 2, continue: second.continue });
    expect([keys(third), third.continue, third.remainingItemCount]).toEqual([['b/b'], '', undefined]);
  });

  test('of one namespace, with selectors, count nothing', async () => {
    await using t = await startWith(names);
    const first = await list(t, { limit: 2 }, aContext({ namespace: 'a' }));
    expect([keys(first), first.remainingItemCount]).toEqual([['a/a', 'a/b'], 1]);
    const token = JSON.parse(Buffer.from(first.continue, 'base64url').toString());
    expect(token).toEqual({ v: 'meta.k8s.io/v1', rv: 5, start: 'b\0', left: 1 });
    expect(keys(await list(t, { limit: 2, continue: first.continue }, aContext({ namespace: 'a' })))).toEqual(['a/c']);
    const selected = await list(t, { limit: 2, fieldSelector: 'metadata.name!=b' });
    expect([keys(selected), selected.remainingItemCount]).toEqual([['a/a', 'a/c'], undefined]);
    expect(keys(await list(t, { limit: 2, fieldSelector: 'metadata.name!=b', continue: selected.continue }))).toEqual(['b/a']);
  });

  test('go on while any object follows, whether it is selected or not', async () => {
    await using t = await startWith([]);
    for (const [key, app] of [
      ['a/a', 'x'],
      ['a/b', 'y'],
      ['a/c', 'x'],
      ['a/d', 'y'],
      ['b/a', 'y'],
    ] as const)
      await make(t, key, { labels: { app } });
    const labelSelector = 'app=x';
    const inside = aContext({ namespace: 'a' });
    const first = await list(t, { labelSelector, limit: 2 }, inside);
    expect([keys(first), first.remainingItemCount]).toEqual([['a/a', 'a/c'], undefined]);
    expect(JSON.parse(Buffer.from(first.continue, 'base64url').toString())).toMatchObject({ rv: 5, start: 'c\0' });
    const second = await list(t, { labelSelector, limit: 2, continue: first.continue }, inside);
    expect([keys(second), second.continue]).toEqual([[], '']);
    // Nothing follows in the namespace, or the page has room left.
    for (const request of [
      { labelSelector: 'app=y', limit: 2 },
      { labelSelector, limit: 3 },
    ]) {
      expect((await list(t, request, inside)).continue).toBe('');
    }
  });

  test('of pods of one node end where no pod of that node follows; later pages look at all', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    for (const [name, nodeName] of [
      ['p', 'n1'],
      ['q', 'n1'],
      ['r', 'n2'],
      ['s', 'n2'],
    ]) {
      const metadata = { name, labels: { app: name === 's' ? 'x' : 'y' } };
      await t.registry.create(pods, aBody({ metadata, spec: { nodeName, containers: [{ name: 'c', image: 'i' }] } }), aContext());
    }
    const page = (request: Partial<ListRequest>): Promise<ListAnswer> =>
      list(t, { fieldSelector: 'spec.nodeName=n1', ...request }, everywhere, pods);
    expect((await page({ limit: 2 })).continue).toBe('');
    expect((await page({ limit: 2, resourceVersion: '4' })).continue).not.toBe('');
    const first = await page({ limit: 1 });
    expect(keys(first)).toEqual(['default/p']);
    const second = await page({ limit: 1, continue: first.continue });
    expect([keys(second), second.continue === '']).toEqual([['default/q'], false]);
    expect((await page({ fieldSelector: 'spec.nodeName=n2', labelSelector: 'app=y', limit: 1 })).continue).not.toBe('');
  });

  test('that come too late can go on inconsistently', async () => {
    await using t = await startWith(names);
    const first = await list(t, { limit: 2 });
    await make(t, 'z/first');
    // More changes than the ring of recent events keeps, after the snapshot's time.
    await t.clock.advance(400_000);
    for (let at = 0; at < 150; at++) await make(t, `z/${at}`);
    await t.registry.delete(configMaps, 'c', aDelete(), aContext({ namespace: 'a' }));
    const late = await list(t, { limit: 2, continue: first.continue }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!hasReason(late, 'Expired')) throw new Error('the token should have expired');
    expect(late.code).toBe(410);
    expect(late.message).toMatch(
      /^The provided continue parameter is too old to display a consistent list result\. You can start a new list/,
    );
    const rest = await list(t, { limit: 2, continue: late.toStatus().metadata.continue ?? '' });
    expect(keys(rest)).toEqual(['b/a', 'b/b']);
    expect(rest.resourceVersion).toBe(String(await t.store.currentRevision(everywhere.signal)));
  });
});

describe('resourceVersion', () => {
  test('Exact shows the past while it is remembered', async () => {
    await using t = await startWith(['a/a', 'a/b', 'a/c']);
    await t.registry.delete(configMaps, 'a', aDelete(), aContext({ namespace: 'a' }));
    const past = await list(t, { resourceVersion: '2', resourceVersionMatch: 'Exact' });
    expect([keys(past), past.resourceVersion]).toEqual([['a/a', 'a/b'], '2']);
    expect(keys(await list(t, { resourceVersion: '3', resourceVersionMatch: 'Exact' }))).toEqual(['a/a', 'a/b', 'a/c']);
    // A limit makes a plain revision exact.
    expect(keys(await list(t, { resourceVersion: '1', limit: 5 }))).toEqual(['a/a']);
    expect(keys(await list(t, { resourceVersion: '1' }))).toEqual(['a/b', 'a/c']);
    const cached = await list(t, { resourceVersion: '0', limit: 1 });
    expect([keys(cached), cached.continue]).toEqual([['a/b', 'a/c'], '']);
    const rest = await list(t, { continue: (await list(t, { limit: 1 })).continue, resourceVersion: '0', limit: 1 });
    expect(keys(rest)).toEqual(['a/c']);
  });

  test('Exact of what is forgotten is expired', async () => {
    await using t = await startWith(['a/a']);
    await t.clock.advance(100_000);
    for (let at = 0; at < 300; at++) await make(t, `z/${at}`);
    await t.clock.advance(100_000);
    for (let at = 300; at < 500; at++) await make(t, `z/${at}`);
    await expect(list(t, { resourceVersion: '1', resourceVersionMatch: 'Exact' })).rejects.toMatchObject({
      code: 410,
      reason: 'Expired',
      message: 'The resourceVersion for the provided list is too old.',
    });
  });

  test('of a get must have been reached', async () => {
    await using t = await startWith(['default/a']);
    const get = (resourceVersion: string): Promise<unknown> => t.registry.get(configMaps, 'a', resourceVersion, aContext());
    await get('0');
    await get('1');
    const early = expect(get('9')).rejects.toMatchObject({ code: 504 });
    await t.clock.advance(3_000);
    await early;
    await expect(get('x')).rejects.toMatchObject({
      code: 500,
      message: 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    });
  });
});

test('one object is served in two groups', async () => {
  await using t = await startRegistry({ kinds: builtinKinds });
  const [core, modern] = [aKind('events', ''), aKind('events', 'events.k8s.io')];
  const involvedObject = { kind: 'Pod', namespace: 'default', name: 'p' };
  await t.registry.create(core, aBody({ metadata: { name: 'e' }, involvedObject, reason: 'Started', message: 'm' }), aContext());
  const seen = wire(await t.registry.get(modern, 'e', '', aContext()));
  expect(seen).toMatchObject({ apiVersion: 'events.k8s.io/v1', kind: 'Event', regarding: involvedObject, reason: 'Started', note: 'm' });
  expect(seen.metadata.resourceVersion).toBe('1');
  const [listed] = [...(await t.registry.list(modern, aList(), aContext())).items];
  expect(listed && wire(listed)).toEqual(seen);
  const patch = { type: 'merge', bytes: Buffer.from('{"metadata":{"labels":{"x":"y"}}}'), force: false } as const;
  await t.registry.patch(modern, 'e', patch, aContext({ fieldManager: 'other' }));
  expect(wire(await t.registry.get(core, 'e', '', aContext()))).toMatchObject({
    apiVersion: 'v1',
    metadata: { labels: { x: 'y' } },
    message: 'm',
    involvedObject,
  });
});
