// Who owns what after writes through the kinds' endpoints, and what is refused for it.
import { describe, expect, test } from 'vitest';
import type { KindDefinition } from '#api/kind.ts';
import { builtinKinds } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { PatchType } from './contract.ts';
import { aBody, aContext, aKind, startRegistry, type TestRegistry, wire } from './testing.ts';

const deployments = aKind('deployments');
const pods = aKind('pods');
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } };
const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i' }] } };

interface Write {
  readonly type?: PatchType;
  readonly kind?: KindDefinition;
  readonly manager: string;
  readonly subresource?: string;
  readonly force?: boolean;
}

async function write({ registry }: TestRegistry, body: unknown, options: Write): Promise<KubeObject> {
  const { type = 'apply', kind = deployments, manager, subresource = '', force = false } = options;
  const namespace = kind.scope === 'cluster' ? '' : 'default';
  const context = aContext({ fieldManager: manager, subresource, fieldValidation: 'Warn', namespace });
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  await registry.patch(kind, 'a', { type, bytes, force }, context);
  return wire(await registry.get(kind, 'a', '', aContext({ namespace })));
}

/** `manager/subresource`, and what of the object it owns. */
function owned({ metadata }: KubeObject): Record<string, unknown> {
  return Object.fromEntries(
    (metadata.managedFields ?? []).map(({ manager, subresource = '', fieldsV1 }) => [`${manager}/${subresource}`, fieldsV1]),
  );
}

describe('what an endpoint resets is owned by nobody through it', () => {
  test('a status through the object', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await t.registry.create(deployments, aBody({ ...deployment, spec }), aContext());
    const after = await write(t, { ...deployment, spec: { paused: true }, status: { replicas: 3 } }, { manager: 'm' });
    expect(owned(after)['m/']).toEqual({ 'f:spec': { 'f:paused': {} } });
  });

  test.each<[string, string, KindDefinition, object, object, object]>([
    [
      'labels and spec through the status of a Deployment',
      'status',
      deployments,
      { ...deployment, spec },
      { metadata: { labels: { x: 'y' }, annotations: { n: '1' } }, spec: { paused: true }, status: { replicas: 3 } },
      { 'f:metadata': { 'f:annotations': { '.': {}, 'f:n': {} } }, 'f:status': { 'f:replicas': {} } },
    ],
    [
      'owner references through the status of a Pod',
      'status',
      pods,
      pod,
      {
        metadata: { labels: { x: 'y' }, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }] },
        status: { reason: 'r' },
      },
      { 'f:metadata': { 'f:labels': { '.': {}, 'f:x': {} } }, 'f:status': { 'f:reason': {} } },
    ],
    [
      'all but ephemeral containers through those of a Pod',
      'ephemeralcontainers',
      pods,
      pod,
      { metadata: { labels: { x: 'y' } }, spec: { ephemeralContainers: [{ name: 'e', image: 'i' }] } },
      { 'f:spec': { 'f:ephemeralContainers': { '.': {}, 'k:{"name":"e"}': expect.any(Object) as object } } },
    ],
    [
      'the metadata through the status of a FlowSchema',
      'status',
      aKind('flowschemas'),
      { metadata: { name: 'a' }, spec: { priorityLevelConfiguration: { name: 'l' } } },
      {
        metadata: { labels: { x: 'y' } },
        status: { conditions: [{ type: 'Dangling', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
      },
      { 'f:status': { 'f:conditions': { '.': {}, 'k:{"type":"Dangling"}': expect.any(Object) as object } } },
    ],
  ])('%s', async (_name, subresource, kind, made, body, fields) => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await t.registry.create(kind, aBody(made), aContext({ namespace: kind.scope === 'cluster' ? '' : 'default' }));
    const after = await write(t, body, { type: 'strategic', kind, manager: 'm', subresource });
    expect(owned(after)[`m/${subresource}`]).toEqual(fields);
  });

  test('and nobody conflicts over it', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await write(t, pod, { kind: pods, manager: 'one' });
    const debug = { ...pod, spec: { containers: [{ name: 'c', image: 'other' }], ephemeralContainers: [{ name: 'e', image: 'i' }] } };
    const after = await write(t, debug, { kind: pods, manager: 'two', subresource: 'ephemeralcontainers' });
    expect(owned(after)['two/ephemeralcontainers']).toEqual({
      'f:spec': { 'f:ephemeralContainers': { 'k:{"name":"e"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
    });
    expect(after).toMatchObject({ spec: { containers: [{ image: 'i' }] } });
  });
});

describe('the number of replicas and who scales', () => {
  const scale = (replicas: number): object => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'a', namespace: 'default' },
    spec: { replicas },
  });
  /** Whose the number is. */
  const owners = ({ metadata }: KubeObject): string[] =>
    (metadata.managedFields ?? [])
      .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes('f:replicas'))
      .map(({ manager, operation, subresource = '', apiVersion }) => `${manager} ${operation} ${apiVersion} ${subresource}`.trim());
  const conflictWith = (who: string): object => ({
    code: 409,
    message: `Apply failed with 1 conflict: conflict with ${who}: .spec.replicas`,
    details: { causes: [{ reason: 'FieldManagerConflict', message: `conflict with ${who}`, field: '.spec.replicas' }] },
  });

  test('changes hands between the object and its Scale', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    const body = { ...deployment, spec };
    expect(owners(await write(t, body, { manager: 'apply' }))).toEqual(['apply Apply apps/v1']);
    const patched = await write(t, { spec: { replicas: 5 } }, { type: 'merge', manager: 'scaler', subresource: 'scale' });
    expect(owners(patched)).toEqual(['scaler Update apps/v1 scale']);
    expect(patched.metadata.managedFields?.find(({ manager }) => manager === 'scaler')?.time).toBeUndefined();
    await expect(write(t, body, { manager: 'apply' })).rejects.toMatchObject(
      conflictWith('"scaler" with subresource "scale" using apps/v1'),
    );
    expect(owners(await write(t, body, { manager: 'apply', force: true }))).toEqual(['apply Apply apps/v1']);
    const other = { manager: 'other', subresource: 'scale' } as const;
    await expect(write(t, scale(17), other)).rejects.toMatchObject(conflictWith('"apply"'));
    const forced = await write(t, scale(17), { ...other, force: true });
    expect(forced).toMatchObject({ spec: { replicas: 17, selector: spec.selector } });
    expect(owners(forced)).toEqual(['other Apply apps/v1 scale']);
    await t.registry.update(deployments, 'a', aBody(scale(7)), aContext({ fieldManager: 'put', subresource: 'scale' }));
    const both = await write(t, scale(7), { manager: 'co', subresource: 'scale' });
    expect(owners(both)).toEqual(['co Apply apps/v1 scale', 'put Update apps/v1 scale']);
    const last = await write(t, { spec: { replicas: 5 } }, { type: 'merge', manager: 'scaler', subresource: 'scale' });
    expect(owners(last)).toEqual(['scaler Update apps/v1 scale']);
  });

  test('stays with whom it is when only the status of the Scale is written', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await write(t, { ...deployment, spec }, { manager: 'apply' });
    const after = await write(t, { status: { replicas: 42 } }, { type: 'merge', manager: 'scaler', subresource: 'scale' });
    expect(after).toMatchObject({ spec: { replicas: 1 } });
    expect(owners(after)).toEqual(['apply Apply apps/v1']);
  });

  test('that nobody owned was there before the first apply', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await write(t, { ...deployment, spec: { selector: spec.selector, template } }, { manager: 'apply' });
    const scaled = { manager: 'm', subresource: 'scale' } as const;
    await expect(write(t, scale(2), scaled)).rejects.toMatchObject(
      conflictWith('"before-first-apply" with subresource "scale" using autoscaling/v1'),
    );
    expect(owners(await write(t, scale(1), scaled))).toEqual(['m Apply apps/v1 scale', 'before-first-apply Update apps/v1 scale']);
  });

  test.each<[string, object, number, string]>([
    ['another kind', { ...deployment, spec }, 400, 'invalid object type: apps/v1, Kind=Deployment'],
    ['another name', { ...scale(1), metadata: { name: 'b' } }, 400, 'the name of the object (b) does not match the name on the URL (a)'],
    [
      'an unknown field',
      { ...scale(2), spec: { replicas: 1, extra: 1 } },
      500,
      'failed to create typed patch object (default/a; autoscaling/v1, Kind=Scale): .spec.extra: field not declared in schema',
    ],
    [
      'another uid',
      { ...scale(1), metadata: { name: 'a', uid: 'x' } },
      409,
      'Operation cannot be fulfilled on deployments/scale.apps "a": Precondition failed: UID in precondition: x, UID in object meta: ',
    ],
  ])('is not applied by a Scale of %s', async (_name, body, code, message) => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await write(t, { ...deployment, spec }, { manager: 'apply' });
    const refused = write(t, body, { manager: 'm', subresource: 'scale' });
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  test('of what is not there is not applied', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    const refused = write(t, scale(1), { manager: 'm', subresource: 'scale' });
    await expect(refused).rejects.toMatchObject({ code: 404, message: 'deployments.apps "a" not found' });
  });
});

describe('managedFields in what clients send', () => {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };
  const configMaps = aKind('configmaps');

  test.each<[string, unknown]>([
    ['an empty list', []],
    ['one empty entry', [{}]],
  ])('%s makes all forgotten', async (_name, managedFields) => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await write(t, configMap, { kind: configMaps, manager: 'm' });
    const updated = aBody({ ...configMap, metadata: { name: 'a', managedFields } });
    await t.registry.update(configMaps, 'a', updated, aContext());
    const after = wire(await t.registry.get(configMaps, 'a', '', aContext()));
    expect(after.metadata).not.toHaveProperty('managedFields');
    const changed = await write(t, { data: { n: '1' } }, { type: 'merge', kind: configMaps, manager: 'm' });
    expect(changed.metadata.managedFields).toBeUndefined();
    const applied = await write(t, configMap, { kind: configMaps, manager: 'm' });
    expect(Object.keys(owned(applied))).toEqual(['m/', 'before-first-apply/']);
  });

  // So does upstream: what is left of a map that lost every field is nothing, stated or not.
  test('an emptied object is lost, though it is stated', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    const levels = aKind('prioritylevelconfigurations');
    const level = (queuing: object): object => ({
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      metadata: { name: 'a' },
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing } } },
    });
    await write(t, level({ queues: 10, handSize: 2, queueLengthLimit: 5 }), { kind: levels, manager: 'm' });
    await expect(write(t, level({}), { kind: levels, manager: 'm' })).rejects.toMatchObject({
      code: 422,
      details: { causes: [{ reason: 'FieldValueRequired', field: 'spec.limited.limitResponse.queuing' }] },
    });
  });
});
