import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject, KubeObject } from '../meta/object.ts';
import { ApiError } from '../meta/status.ts';
import { lastAppliedAnnotation } from './apply.ts';
import { cloneJson } from './json-object.ts';
import { keepTimesWhenUnchanged, ownership } from './managed-fields.ts';
import { deploymentSchema, podSchema } from './testing.ts';

const nowMs = Date.UTC(2026, 0, 1);
const ignored = { '': ['status'], status: ['spec'] };
const deployments = ownership({ schema: deploymentSchema, apiVersion: 'apps/v1', kind: 'Deployment', ignored });
const pods = ownership({ schema: podSchema, apiVersion: 'v1', kind: 'Pod', ignored });

interface Step {
  readonly manager: string;
  readonly force?: boolean;
  readonly minutes?: number;
}

function deploy(spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default', ...metadata }, spec };
}

function apply(config: JsonObject, previous: KubeObject | undefined, { manager, force = false, minutes = 0 }: Step): KubeObject {
  const write = { manager, force, subresource: '', nowMs: nowMs + minutes * 60_000 };
  const object = decoded(deployments.onApply(config, previous, write));
  if (previous !== undefined) keepTimesWhenUnchanged(object, previous);
  return object;
}

/** What decoding makes of an answer: empty lists and maps are left out, as `omitempty` does. */
function decoded(object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  const result = dropEmpty({ ...object, metadata } as unknown as Json) as unknown as KubeObject;
  if (managedFields !== undefined) result.metadata.managedFields = managedFields;
  return result;
}

function dropEmpty(value: Json): Json {
  if (Array.isArray(value)) return value.map(dropEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]): [string, Json] => [key, dropEmpty(item)]);
  return Object.fromEntries(entries.filter(([, item]) => typeof item !== 'object' || item === null || Object.keys(item).length > 0));
}

function update(previous: KubeObject | undefined, next: JsonObject, manager: string): KubeObject {
  const object = decoded(cloneJson(next) as unknown as KubeObject);
  deployments.onUpdate(object, previous, { manager, subresource: '', nowMs });
  return object;
}

/** Decoding makes a missing spec an empty one. */
function spec(object: KubeObject): JsonObject {
  return (object as unknown as { spec?: JsonObject }).spec ?? {};
}

function entries(object: KubeObject): Record<string, unknown> {
  return Object.fromEntries((object.metadata.managedFields ?? []).map((one) => [`${one.operation} ${one.manager}`, one.fieldsV1]));
}

function refusal(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const containers = (...names: string[]): JsonObject => ({
  template: { spec: { containers: names.map((name) => ({ name, image: 'x' })) } },
});

describe('create by apply', () => {
  test('stores the configuration and owns what it states', () => {
    const object = apply(deploy({ replicas: 3, ...containers('a') }, { labels: { x: 'y' } }), undefined, { manager: 'm' });
    expect(object).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 3 } });
    expect(object.metadata.managedFields).toEqual([
      {
        manager: 'm',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:x': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } },
          },
        },
      },
    ]);
  });

  test('again changes nothing, not even the time', () => {
    const config = deploy({ replicas: 3, ...containers('a') });
    const first = apply(config, undefined, { manager: 'm' });
    const second = apply(config, first, { manager: 'm', minutes: 5 });
    expect(second).toEqual(first);
  });

  test('status in the configuration is not owned through the main endpoint', () => {
    const object = apply({ ...deploy({ replicas: 1 }), status: { replicas: 9 } }, undefined, { manager: 'm' });
    expect(entries(object)).toEqual({ 'Apply m': { 'f:spec': { 'f:replicas': {} } } });
  });
});

describe('fields given up', () => {
  test('go when nobody else owns them', () => {
    const first = apply(deploy({ replicas: 3, paused: true, ...containers('a', 'b') }, { labels: { x: '1', y: '2' } }), undefined, {
      manager: 'm',
    });
    const second = apply(deploy({ replicas: 3, ...containers('b') }, { labels: { y: '2' } }), first, { manager: 'm', minutes: 1 });
    expect(spec(second)).toEqual({ replicas: 3, ...containers('b') });
    expect(second.metadata.labels).toEqual({ y: '2' });
    expect(second.metadata.managedFields?.[0]?.time).toBe('2026-01-01T00:01:00Z');
  });

  test('stay while another applier owns them', () => {
    const first = apply(deploy({ replicas: 3, paused: true }), undefined, { manager: 'm' });
    const shared = apply(deploy({ paused: true }), first, { manager: 'n' });
    const second = apply(deploy({ replicas: 3 }), shared, { manager: 'm' });
    expect(spec(second)).toEqual({ replicas: 3, paused: true });
    expect(entries(second)).toEqual({
      'Apply m': { 'f:spec': { 'f:replicas': {} } },
      'Apply n': { 'f:spec': { 'f:paused': {} } },
    });
  });

  test('stay while an updater owns them', () => {
    const created = update(undefined, deploy({ replicas: 3, paused: true }), 'u');
    const first = apply(deploy({ replicas: 3, paused: true }), created, { manager: 'm' });
    const second = apply(deploy({ replicas: 3 }), first, { manager: 'm' });
    expect(spec(second)).toEqual({ replicas: 3, paused: true });
    expect(entries(second)).toEqual({
      'Apply m': { 'f:spec': { 'f:replicas': {} } },
      'Update u': { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } },
    });
  });

  test('an item goes with what updates put into it, which its own owner states no more', () => {
    const first = apply(deploy(containers('a')), undefined, { manager: 'm' });
    const live = cloneJson(first as unknown as JsonObject);
    (live['spec'] as JsonObject)['template'] = { spec: { containers: [{ name: 'a', image: 'x', stdin: true }] } };
    const updated = update(first, live, 'u');
    const second = apply(deploy({ replicas: 1 }), updated, { manager: 'm' });
    expect(spec(second)['template']).toBeUndefined();
  });

  test('all of them: the applier is no owner any more', () => {
    const first = apply(deploy({ replicas: 3 }), undefined, { manager: 'm' });
    const second = apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }, first, { manager: 'm' });
    expect(second.metadata.managedFields).toBeUndefined();
    expect('replicas' in spec(second)).toBe(false);
  });
});

describe('conflicts', () => {
  const created = update(undefined, deploy({ replicas: 1, ...containers('a') }, { labels: { x: '1' } }), 'kubectl-client-side-apply');

  test('one: upstream’s message and cause', () => {
    const error = refusal(() => apply(deploy({ replicas: 2 }), created, { manager: 'm' }));
    expect(error.toStatus()).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
      details: {
        causes: [
          { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-client-side-apply" using apps/v1', field: '.spec.replicas' },
        ],
      },
    });
  });

  test('several, by manager', () => {
    const second = apply(deploy({ paused: true }), created, { manager: 'applier' });
    const config = deploy({ replicas: 2, paused: false, template: { spec: { containers: [{ name: 'a', image: 'z' }] } } });
    const error = refusal(() => apply(config, second, { manager: 'm' }));
    expect(error.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "applier":\n- .spec.paused\n' +
        'conflicts with "kubectl-client-side-apply" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="a"].image',
    );
  });

  test('the same value is shared, not fought over', () => {
    const second = apply(deploy({ replicas: 1 }), created, { manager: 'm' });
    expect(entries(second)['Apply m']).toEqual({ 'f:spec': { 'f:replicas': {} } });
    expect(entries(second)['Update kubectl-client-side-apply']).toMatchObject({ 'f:spec': { 'f:replicas': {} } });
  });

  test('force takes the field', () => {
    const second = apply(deploy({ replicas: 2 }), created, { manager: 'm', force: true });
    expect(spec(second)['replicas']).toBe(2);
    expect(JSON.stringify(entries(second)['Update kubectl-client-side-apply'])).not.toContain('replicas');
  });

  test('with an owner through a sub-resource', () => {
    const scaled = cloneJson(created as unknown as JsonObject) as unknown as KubeObject;
    spec(scaled)['replicas'] = 5;
    deployments.onUpdate(scaled, created, { manager: 'hpa', subresource: 'scale', nowMs });
    const error = refusal(() => apply(deploy({ replicas: 2 }), scaled, { manager: 'm' }));
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas');
  });
});

describe('moving from client-side apply', () => {
  const last = JSON.stringify(deploy({ replicas: 1, paused: true }));
  const live = deploy({ replicas: 1, paused: true }, { annotations: { [lastAppliedAnnotation]: last } });
  const created = update(undefined, live, 'kubectl-client-side-apply');

  test('kubectl takes what it applied last, and keeps the record in step', () => {
    const object = apply(deploy({ replicas: 2, paused: true }), created, { manager: 'kubectl' });
    expect(spec(object)).toMatchObject({ replicas: 2, paused: true });
    const text = object.metadata.annotations?.[lastAppliedAnnotation];
    expect(text).toBe(
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"default"},"spec":{"paused":true,"replicas":2}}\n',
    );
  });

  test('the record does not hold itself', () => {
    const stated = deploy({ replicas: 1, paused: true }, { annotations: { [lastAppliedAnnotation]: 'x' } });
    const object = apply(stated, created, { manager: 'kubectl', force: true });
    expect(object.metadata.annotations?.[lastAppliedAnnotation]).toBe(
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{},"name":"web","namespace":"default"},"spec":{"paused":true,"replicas":1}}\n',
    );
  });

  test('others do not', () => {
    expect(refusal(() => apply(deploy({ replicas: 2 }), created, { manager: 'm' })).reason).toBe('Conflict');
  });

  test('what changed since is still a conflict', () => {
    const next = cloneJson(created as unknown as JsonObject);
    (next['spec'] as JsonObject)['replicas'] = 7;
    const scaled = update(created, next, 'someone');
    const error = refusal(() => apply(deploy({ replicas: 2, paused: false }), scaled, { manager: 'kubectl' }));
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "someone" using apps/v1: .spec.replicas');
  });
});

describe('an object nobody owned', () => {
  test('is given to before-first-apply', () => {
    const bare = deploy({ replicas: 1 }) as unknown as KubeObject;
    const object = apply(deploy({ paused: true }), bare, { manager: 'm' });
    expect(entries(object)).toEqual({
      'Apply m': { 'f:spec': { 'f:paused': {} } },
      'Update before-first-apply': { 'f:spec': { 'f:replicas': {} } },
    });
  });
});

describe('lists', () => {
  const podOf = (podSpec: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: podSpec });
  const applyPod = (config: JsonObject, previous: KubeObject | undefined, manager = 'm'): KubeObject =>
    pods.onApply(config, previous, { manager, force: true, subresource: '', nowMs });

  test('a port without protocol is the TCP port', () => {
    const first = applyPod(podOf({ containers: [{ name: 'a', ports: [{ containerPort: 80 }] }] }), undefined);
    const live = cloneJson(first as unknown as JsonObject) as unknown as KubeObject;
    (spec(live)['containers'] as JsonObject[])[0]!['ports'] = [{ containerPort: 80, protocol: 'TCP' }];
    const second = applyPod(podOf({ containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }] }), live);
    expect(spec(second)['containers']).toEqual([{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }]);
  });

  test('others’ items keep their place; mine follow my order', () => {
    const first = applyPod(podOf({ containers: [{ name: 'b' }, { name: 'a' }] }), undefined, 'n');
    const second = applyPod(podOf({ containers: [{ name: 'a' }, { name: 'c' }, { name: 'b' }] }), first, 'm');
    expect((spec(second)['containers'] as JsonObject[]).map(({ name }) => name)).toEqual(['a', 'c', 'b']);
    const third = applyPod(podOf({ containers: [{ name: 'd' }] }), second, 'o');
    expect((spec(third)['containers'] as JsonObject[]).map(({ name }) => name)).toEqual(['a', 'c', 'b', 'd']);
  });

  test('sets are merged, atomic lists replaced', () => {
    const config = (finalizer: string, command: string): JsonObject => ({
      ...podOf({ containers: [{ name: 'a', command: [command] }] }),
      metadata: { name: 'p', finalizers: [finalizer] },
    });
    const first = applyPod(config('one/x', 'a'), undefined, 'n');
    const second = applyPod(config('two/x', 'b'), first, 'm');
    expect(second.metadata.finalizers).toEqual(['one/x', 'two/x']);
    expect(spec(second)['containers']).toEqual([{ name: 'a', command: ['b'] }]);
  });
});

describe('what cannot be applied', () => {
  const bad = (podSpec: Json): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'd' }, spec: podSpec });
  test.each<[string, JsonObject, number, string]>([
    ['another kind', { apiVersion: 'v1', kind: 'Node' }, 400, 'invalid object type: /v1, Kind=Node'],
    ['another version', { apiVersion: 'x/v2', kind: 'Pod' }, 400, 'invalid object type: x/v2, Kind=Pod'],
    ['managedFields', { apiVersion: 'v1', kind: 'Pod', metadata: { managedFields: [] } }, 400, 'metadata.managedFields must be nil'],
    ['an unknown field', bad({ foo: 1 }), 500, '.spec.foo: field not declared in schema'],
    ['a wrong scalar', bad({ priority: 'x' }), 500, '.spec.priority: expected numeric (int or float), got string'],
    ['a number for text', bad({ nodeName: 1 }), 500, '.spec.nodeName: expected string, got &value.valueUnstructured{Value:1}'],
    ['a list for a map', bad([]), 500, '.spec: expected map, got &{[]}'],
    [
      'an item without its key',
      bad({ containers: [{ image: 'x' }] }),
      500,
      '.spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] ' +
        "(and doesn't have default values for any key fields)",
    ],
    ['an item twice', bad({ containers: [{ name: 'a' }, { name: 'a' }] }), 500, '.spec.containers: duplicate entries for key [name="a"]'],
    [
      'two problems',
      bad({ priority: 'x', a: 1 }),
      500,
      'errors:\n  .spec.priority: expected numeric (int or float), got string\n  .spec.a: field not declared in schema',
    ],
    [
      'what comes after an unknown field is not looked at',
      bad({ a: 1, priority: 'x', b: 2 }),
      500,
      '.spec.a: field not declared in schema',
    ],
    [
      'objects and lists for text',
      bad({ nodeName: { b: ['x', 1, null], a: true } }),
      500,
      '.spec.nodeName: expected string, got ' +
        '&value.valueUnstructured{Value:map[string]interface {}{"a":true, "b":[]interface {}{"x", 1, interface {}(nil)}}}',
    ],
  ])('%s', (_, config, code, message) => {
    const error = refusal(() => pods.onApply(config, undefined, { manager: 'm', force: false, subresource: '', nowMs }));
    expect(error.code).toBe(code);
    expect(error.message).toBe(code === 500 ? `failed to create typed patch object (d/p; /v1, Kind=Pod): ${message}` : message);
  });
});

describe('properties', () => {
  const name = fc.constantFrom('a', 'b', 'c', '__proto__');
  const labels = fc.dictionary(name, fc.constantFrom('1', '2'), { maxKeys: 3 });
  const ports = fc.uniqueArray(fc.record({ containerPort: fc.integer({ min: 1, max: 4 }) }), {
    selector: (one) => one.containerPort,
    maxLength: 3,
  });
  const items = fc.uniqueArray(
    fc.record({ name: fc.constantFrom('a', 'b', 'c'), image: fc.constantFrom('x', 'y'), ports }, { requiredKeys: ['name'] }),
    {
      selector: (one) => one.name,
      maxLength: 3,
    },
  );
  const config = fc
    .record({ replicas: fc.integer({ min: 0, max: 3 }), paused: fc.boolean(), labels, items }, { requiredKeys: [] })
    .map(({ labels: own, items: list, ...rest }) => {
      const template = list === undefined || list.length === 0 ? {} : { template: { spec: { containers: list } } };
      return cloneJson(deploy({ ...rest, ...template } as JsonObject, own === undefined ? {} : { labels: own }));
    });

  test('applying twice is applying once', () => {
    fc.assert(
      fc.property(fc.array(config, { maxLength: 3 }), config, (earlier, last) => {
        let object: KubeObject | undefined;
        for (const [at, one] of earlier.entries()) object = apply(one, object, { manager: `m${at % 2}`, force: true });
        const once = apply(last, object, { manager: 'm0', force: true, minutes: 1 });
        const twice = apply(last, once, { manager: 'm0', force: true, minutes: 2 });
        expect(twice).toEqual(once);
      }),
    );
  });

  test('a single applier gets what it states last, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(config, { maxLength: 3 }), config, (earlier, last) => {
        let object: KubeObject | undefined;
        for (const one of earlier) object = apply(one, object, { manager: 'm' });
        const expected = apply(last, undefined, { manager: 'm' });
        const found = apply(last, object, { manager: 'm' });
        expect(entries(found)).toEqual(entries(expected));
        expect(spec(found)['replicas']).toBe(spec(expected)['replicas']);
        expect(found.metadata.labels ?? {}).toEqual(expected.metadata.labels ?? {});
        expect(spec(found)['template'] ?? {}).toEqual(spec(expected)['template'] ?? {});
      }),
    );
  });

  test('no field is owned that the object does not have', () => {
    fc.assert(
      fc.property(config, config, config, (one, two, three) => {
        const created = update(undefined, one, 'u');
        const applied = apply(two, created, { manager: 'm', force: true });
        const next = { ...cloneJson(three), metadata: { ...(three['metadata'] as JsonObject) } };
        const updated = update(applied, next, 'v');
        const all = apply(JSON.parse(JSON.stringify(two)) as JsonObject, updated, { manager: 'n', force: true });
        const owned = new Set(JSON.stringify(entries(all)).match(/k:\{\\"name\\":\\"(\w)/g));
        const held = JSON.stringify(spec(all)['template'] ?? '');
        for (const one of owned) expect(held).toContain(`"name":"${one.at(-1)}"`);
      }),
    );
  });
});
