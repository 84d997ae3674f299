import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { KindDefinition } from '#api/kind.ts';
import { invalid } from '#api/meta/field-problem.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { forbidden } from '#api/meta/status.ts';
import type { AdmissionPlugin, Encoded } from './contract.ts';
import { aBody, aContext, aDelete, aKind, startRegistry, type TestRegistry, wire } from './testing.ts';

const configMaps = aKind('configmaps');

function start(admission: readonly AdmissionPlugin[] = [], kinds: readonly KindDefinition[] = builtinKinds): Promise<TestRegistry> {
  return startRegistry({ kinds, admission });
}

function create({ registry }: TestRegistry, object: unknown, context = aContext(), kind = configMaps): Promise<Encoded> {
  return registry.create(kind, aBody(object), context);
}

describe('create', () => {
  test('fills in what only the server says, and nothing that it should not', async () => {
    await using t = await start();
    const sent = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'a',
        uid: 'mine',
        creationTimestamp: '1999-01-01T00:00:00Z',
        deletionTimestamp: '1999-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 3,
        selfLink: '/x',
      },
      data: { k: 'v' },
    };
    const made = wire(await create(t, sent));
    expect(made).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z', resourceVersion: '1' },
      data: { k: 'v' },
    });
    expect(made.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(Object.keys(made.metadata).sort()).toEqual(
      ['creationTimestamp', 'managedFields', 'name', 'namespace', 'resourceVersion', 'uid'].sort(),
    );
    expect(made.metadata.managedFields).toMatchObject([{ manager: 'test', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1' }]);
    expect(wire(await t.registry.get(configMaps, 'a', '', aContext()))).toEqual(made);
  });

  test.each<[string, unknown, { code: number; reason: string; message: string }]>([
    [
      'a name that is taken',
      { metadata: { name: 'taken' } },
      { code: 409, reason: 'AlreadyExists', message: 'configmaps "taken" already exists' },
    ],
    [
      'a resourceVersion',
      { metadata: { name: 'a', resourceVersion: '5' } },
      { code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' },
    ],
    [
      'another namespace',
      { metadata: { name: 'a', namespace: 'other' } },
      { code: 400, reason: 'BadRequest', message: 'the namespace of the provided object does not match the namespace sent on the request' },
    ],
    [
      'no name',
      { metadata: {} },
      {
        code: 422,
        reason: 'Invalid',
        message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      },
    ],
    [
      'an unknown field, strictly',
      { metadata: { name: 'a' }, dta: {} },
      {
        code: 400,
        reason: 'BadRequest',
        message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
      },
    ],
    [
      'a wrong kind',
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
      {
        code: 400,
        reason: 'BadRequest',
        message: 'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
      },
    ],
  ])('refuses %s', async (_name, object, refusal) => {
    await using t = await start();
    await create(t, { metadata: { name: 'taken' } });
    await expect(create(t, object)).rejects.toMatchObject(refusal);
    expect((await t.store.list('/', {}, aContext().signal)).items).toHaveLength(1);
  });

  test('warns about unknown fields where the request says so', async () => {
    await using t = await start();
    const warnings: string[] = [];
    const context = aContext({ fieldValidation: 'Warn', warn: (text) => warnings.push(text) });
    await create(t, { metadata: { name: 'a', lables: {} }, dta: {} }, context);
    expect(warnings).toEqual(['unknown field "metadata.lables"', 'unknown field "dta"']);
  });

  test('takes cluster-scoped objects out of any namespace', async () => {
    await using t = await start();
    const made = wire(await create(t, { metadata: { name: 'n', namespace: 'x' } }, aContext({ namespace: '' }), aKind('nodes')));
    expect(made.metadata.namespace).toBeUndefined();
    expect(await t.store.get('/registry/minions/n', aContext().signal)).toBeDefined();
  });

  test('names objects, and tries again when a name is taken', async () => {
    const names: string[] = [];
    const plugin: AdmissionPlugin = { name: 'Look', validate: ({ name }) => void names.push(name) };
    await using t = await start([plugin]);
    const made = wire(await create(t, { metadata: { generateName: 'web-' } }));
    expect(made.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(names).toEqual([made.metadata.name]);
  });

  test('gives up when every generated name is taken', async () => {
    let attempts = 0;
    const taking: AdmissionPlugin = {
      name: 'SameName',
      // What a very small alphabet would do.
      reserve: ({ object }) => {
        attempts++;
        if (object !== undefined) object.metadata.name = 'web-x';
        return undefined;
      },
    };
    await using t = await start([taking]);
    await create(t, { metadata: { name: 'web-x' } });
    attempts = 0;
    await expect(create(t, { metadata: { generateName: 'web-' } })).rejects.toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'configmaps "web-x" already exists, the server was not able to generate a unique name for the object',
    });
    expect(attempts).toBe(8);
  });

  test('says so when the object in the way is going', async () => {
    await using t = await start();
    await create(t, { metadata: { name: 'a', finalizers: ['x.io/y'] } });
    await t.registry.delete(configMaps, 'a', aDelete(), aContext());
    await expect(create(t, { metadata: { name: 'a' } })).rejects.toMatchObject({
      message: 'object is being deleted: configmaps "a" already exists',
    });
  });

  test('stores nothing on a dry run, but does everything else', async () => {
    await using t = await start();
    const made = wire(await create(t, { metadata: { generateName: 'a-' } }, aContext({ dryRun: true })));
    expect(made.metadata).toMatchObject({ namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' });
    expect(made.metadata.resourceVersion).toBeUndefined();
    expect(made).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
    expect(await t.store.currentRevision(aContext().signal)).toBe(0);
    await create(t, { metadata: { name: 'taken' } });
    await expect(create(t, { metadata: { name: 'taken' } }, aContext({ dryRun: true }))).rejects.toMatchObject({ code: 409 });
  });

  test('drops managedFields that alone make an object too large, and refuses what is too large without', async () => {
    const kind = { ...configMaps, validate: () => [] };
    await using t = await start([], [kind]);
    // Keys count twice with managedFields: once as data, once as fields.
    const data = Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`k${at}`.padEnd(250, 'x'), 'v'.repeat(150)]));
    const made = wire(await create(t, { metadata: { name: 'a' }, data }, aContext(), kind));
    expect(made.metadata.managedFields).toBeUndefined();
    const larger = { ...data, more: 'x'.repeat(500_000) };
    await expect(create(t, { metadata: { name: 'b' }, data: larger }, aContext(), kind)).rejects.toMatchObject({
      code: 500,
      message: 'etcdserver: request is too large',
    });
  });

  test('keeps objects of kinds with a TTL only so long', async () => {
    await using t = await start();
    const events = aKind('events');
    const involvedObject = { namespace: 'default', name: 'x', kind: 'Pod' };
    await create(t, { metadata: { name: 'e' }, involvedObject, reason: 'r', type: 'Normal' }, aContext(), events);
    await t.clock.advance(3_590_000);
    await t.registry.get(events, 'e', '', aContext());
    await t.clock.advance(20_000);
    await expect(t.registry.get(events, 'e', '', aContext())).rejects.toMatchObject({ code: 404, message: 'events "e" not found' });
  });
});

describe('admission', () => {
  test('goes mutate, reserve, prepare, validate, and sees the object as it will be', async () => {
    const steps: string[] = [];
    const plugin: AdmissionPlugin = {
      name: 'Steps',
      mutate: ({ operation, object }) => {
        steps.push(`mutate ${operation}`);
        if (object !== undefined) object.metadata.labels = { added: 'yes' };
      },
      reserve: ({ object }) => {
        steps.push(`reserve ${object?.metadata.uid === undefined ? 'anonymous' : 'with uid'}`);
        return (outcome) => void steps.push(outcome);
      },
      validate: ({ object }) => void steps.push(`validate ${JSON.stringify(object?.metadata.labels)}`),
    };
    const kind = { ...configMaps, prepareCreate: () => void steps.push('prepare'), validate: () => (steps.push('check'), []) };
    await using t = await start([plugin], [kind]);
    const made = wire(await create(t, { metadata: { name: 'a' } }, aContext(), kind));
    expect(made.metadata.labels).toEqual({ added: 'yes' });
    // Nobody owns what admission adds.
    expect(made.metadata.managedFields).toBeUndefined();
    expect(steps).toEqual(['mutate CREATE', 'reserve with uid', 'prepare', 'check', 'validate {"added":"yes"}', 'committed']);
  });

  test.each<[string, Partial<KindDefinition>, Partial<AdmissionPlugin>, boolean]>([
    ['validation', { validate: () => [invalid('data', 1, 'no')] }, {}, false],
    ['validating admission', {}, { validate: () => Promise.reject(forbidden({ group: '', plural: 'configmaps' }, 'a', 'no')) }, false],
    ['a dry run', {}, {}, true],
  ])('gives back what was reserved after %s', async (_name, rules, parts, dryRun) => {
    const outcomes: string[] = [];
    const plugin: AdmissionPlugin = { name: 'Pool', reserve: () => (outcome) => void outcomes.push(outcome), ...parts };
    const kind = { ...configMaps, ...rules };
    await using t = await start([plugin], [kind]);
    await create(t, { metadata: { name: 'a' } }, aContext({ dryRun }), kind).catch(() => undefined);
    expect(outcomes).toEqual(['dropped']);
  });

  test('a plugin that refuses frees what others reserved before', async () => {
    const outcomes: string[] = [];
    const refuse = (): never => {
      throw forbidden({ group: '', plural: 'configmaps' }, 'a', 'pool is empty');
    };
    await using t = await start([
      { name: 'First', reserve: () => (outcome) => void outcomes.push(outcome) },
      { name: 'Second', reserve: refuse },
    ]);
    await expect(create(t, { metadata: { name: 'a' } })).rejects.toMatchObject({
      code: 403,
      message: 'configmaps "a" is forbidden: pool is empty',
    });
    expect(outcomes).toEqual(['dropped']);
  });
});

test('repeated owner references are dropped with a warning, of patches after admission', async () => {
  await using t = await start();
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u1' };
  const warnings: string[] = [];
  const context = aContext({ warn: (text) => warnings.push(text) });
  const ownerReferences = [owner, { ...owner }, { ...owner, name: 'q' }, { ...owner }];
  const made = wire(await create(t, { metadata: { name: 'a', ownerReferences } }, context));
  expect(made.metadata.ownerReferences?.map((one) => one.name)).toEqual(['p', 'q']);
  const patch = Buffer.from(JSON.stringify([{ op: 'add', path: '/metadata/ownerReferences/-', value: owner }]));
  const patched = await t.registry.patch(configMaps, 'a', { type: 'json', bytes: patch, force: false }, { ...context, verb: 'patch' });
  expect(wire(patched.encoded).metadata.ownerReferences?.map((one) => one.name)).toEqual(['p', 'q']);
  const advice = 'API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests';
  expect(warnings).toEqual([
    `.metadata.ownerReferences contains duplicate entries; ${advice}; duplicate UID(s) observed: u1, u1`,
    `.metadata.ownerReferences contains duplicate entries after mutating admission happens; ${advice}; duplicate UID(s) observed: u1`,
  ]);
});

test('createObject takes an object of the server itself through the same steps', async () => {
  await using t = await start();
  const object: KubeObject = { metadata: { name: 'a' } };
  const made = await t.registry.createObject(configMaps, object, aContext());
  expect(wire(made)).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } });
  expect(object).toEqual({ metadata: { name: 'a' } });
});
