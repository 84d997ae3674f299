import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { aBody, aContext, aDelete, aKind, aList, startRegistry } from './testing.ts';

const kind = aKind('apiservices');
const context = aContext({ namespace: '' });
const service = (spec: object): object => ({
  metadata: { name: 'v1.a.io' },
  spec: { group: 'a.io', version: 'v1', groupPriorityMinimum: 1_000, versionPriority: 10, ...spec },
});
const remote = { service: { name: 'a', namespace: 'b' } };
const why = 'not supported by this server yet: requests are not handed on to other API servers';

test.each<[string, object, Partial<typeof context>, object]>([
  [
    'refused',
    service(remote),
    {},
    { code: 403, reason: 'Forbidden', message: `apiservices.apiregistration.k8s.io "v1.a.io" is forbidden: ${why}` },
  ],
  ['refused in a dry run, too', service(remote), { dryRun: true }, { code: 403 }],
  ['judged first', service({ ...remote, versionPriority: 0 }), {}, { code: 422, reason: 'Invalid' }],
])('what is known but not done yet is %s', async (_name, object, more, expected) => {
  await using t = await startRegistry({ kinds: builtinKinds });
  await expect(t.registry.create(kind, aBody(object), { ...context, ...more })).rejects.toMatchObject(expected);
  expect((await t.registry.list(kind, aList(), context)).count).toBe(0);
  expect((await t.registry.deleteCollection(kind, aList(), aDelete(), context)).count).toBe(0);
  await expect(t.registry.delete(kind, 'v1.a.io', aDelete(), context)).rejects.toMatchObject({ code: 404 });
});

test('what is done may not become what is not', async () => {
  await using t = await startRegistry({ kinds: builtinKinds });
  await t.registry.create(kind, aBody(service({})), context);
  const patch = { type: 'merge', bytes: Buffer.from(JSON.stringify({ spec: remote })), force: false } as const;
  await expect(t.registry.patch(kind, 'v1.a.io', patch, context)).rejects.toMatchObject({ code: 403 });
});
