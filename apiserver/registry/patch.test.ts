import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { PatchType, RequestContext } from './contract.ts';
import { aBody, aContext, aKind, startRegistry, type TestRegistry, wire } from './testing.ts';

type Wire = KubeObject & Record<string, unknown>;

const configMaps = aKind('configmaps');
const deployments = aKind('deployments');
const spec = {
  replicas: 1,
  selector: { matchLabels: { a: 'b' } },
  template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
};

interface PatchCall {
  readonly type: PatchType;
  readonly body: unknown;
  readonly kind?: KindDefinition;
  readonly context?: RequestContext;
  readonly force?: boolean;
}

async function patch({ registry }: TestRegistry, call: PatchCall): Promise<Wire> {
  const { type, body, kind = configMaps, context = aContext(), force = false } = call;
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return wire((await registry.patch(kind, 'a', { type, bytes, force }, context)).encoded);
}

async function startWith(object: unknown, kind: KindDefinition = configMaps): Promise<TestRegistry> {
  const t = await startRegistry({ kinds: builtinKinds });
  await t.registry.create(kind, aBody(object), aContext());
  return t;
}

describe('patch', () => {
  test.each<[PatchType, unknown]>([
    ['json', [{ op: 'add', path: '/data/n', value: '1' }]],
    ['merge', { data: { n: '1' } }],
    ['strategic', { data: { n: '1' } }],
  ])('%s changes the object', async (type, body) => {
    await using t = await startWith({ metadata: { name: 'a' }, data: { k: 'v' } });
    const next = await patch(t, { type, body, context: aContext({ fieldManager: 'patcher' }) });
    expect(next['data']).toEqual({ k: 'v', n: '1' });
    expect(next.metadata.resourceVersion).toBe('2');
    expect(next.metadata.managedFields?.find((entry) => entry.manager === 'patcher')?.fieldsV1).toEqual({ 'f:data': { 'f:n': {} } });
  });

  test('strategic merges containers by name', async () => {
    await using t = await startWith({ metadata: { name: 'a' }, spec }, deployments);
    const body = { spec: { template: { spec: { containers: [{ name: 'c', image: 'new' }] } } } };
    const next = await patch(t, { type: 'strategic', body, kind: deployments });
    expect(next).toMatchObject({
      metadata: { generation: 2 },
      spec: { template: { spec: { containers: [{ name: 'c', image: 'new', imagePullPolicy: expect.any(String) }] } } },
    });
  });

  test.each<[string, PatchType, unknown, { code: number; message: string }]>([
    ['what is no JSON', 'merge', '{', { code: 400, message: expect.stringContaining('error decoding patch: ') as string }],
    [
      'another name',
      'merge',
      { metadata: { name: 'b' } },
      { code: 400, message: 'the name of the object (b) does not match the name on the URL (a)' },
    ],
    [
      'a stale resourceVersion',
      'merge',
      { metadata: { resourceVersion: '77' } },
      {
        code: 409,
        message:
          'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      },
    ],
    [
      'an outcome of a wrong type',
      'merge',
      { data: 5 },
      { code: 422, message: expect.stringMatching(/^ "" is invalid: patch: Invalid value: /) as string },
    ],
    [
      'an unknown field, strictly',
      'merge',
      { dta: {} },
      { code: 422, message: expect.stringContaining('strict decoding error: unknown field "dta"') as string },
    ],
    [
      'a resourceVersion that is none',
      'merge',
      { metadata: { resourceVersion: 'x' } },
      { code: 500, message: 'strconv.ParseUint: parsing "x": invalid syntax' },
    ],
    [
      'a list to merge',
      'merge',
      '[]',
      { code: 400, message: 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}' },
    ],
    ['null to merge', 'merge', 'null', { code: 400, message: 'Invalid JSON Patch' }],
    [
      'a field twice, strictly',
      'merge',
      '{"data":{"a":"1","a":"2"}}',
      { code: 422, message: expect.stringMatching(/: strict decoding error: duplicate field "data\.a"$/) as string },
    ],
    [
      'an operation with a field twice, strictly',
      'json',
      '[{"op":"add","path":"/data/a","path":"/data/b","value":"1","foo":1}]',
      {
        code: 422,
        message: expect.stringMatching(
          /: strict decoding error: json patch unknown field "\[0]\.foo", json patch duplicate field "\[0]\.path"$/,
        ) as string,
      },
    ],
  ])('refuses %s', async (_name, type, body, refusal) => {
    await using t = await startWith({ metadata: { name: 'a' }, data: { k: 'v' } });
    await expect(patch(t, { type, body })).rejects.toMatchObject(refusal);
    expect(await t.store.currentRevision(aContext().signal)).toBe(1);
  });

  test('of what is not there is refused', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await expect(patch(t, { type: 'merge', body: {} })).rejects.toMatchObject({ code: 404, message: 'configmaps "a" not found' });
  });

  test('that changes nothing writes nothing', async () => {
    await using t = await startWith({ metadata: { name: 'a' }, data: { k: 'v' } });
    await patch(t, { type: 'merge', body: { data: { k: 'v' } } });
    expect(await t.store.currentRevision(aContext().signal)).toBe(1);
  });
});

describe('apply', () => {
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };

  test('makes an object, changes it, and stores nothing when nothing changes', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    const bytes = Buffer.from(JSON.stringify(config));
    const made = await t.registry.patch(configMaps, 'a', { type: 'apply', bytes, force: false }, aContext());
    expect(made.created).toBe(true);
    expect(wire(made.encoded).metadata.managedFields).toMatchObject([{ manager: 'test', operation: 'Apply' }]);
    await t.clock.advance(10_000);
    const again = await t.registry.patch(configMaps, 'a', { type: 'apply', bytes, force: false }, aContext());
    expect(again.created).toBe(false);
    expect(await t.store.currentRevision(aContext().signal)).toBe(1);
    const next = await patch(t, { type: 'apply', body: { ...config, data: { l: 'w' } } });
    expect(next['data']).toEqual({ l: 'w' });
  });

  test('takes YAML', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: "1"\n';
    expect((await patch(t, { type: 'apply', body }))['data']).toEqual({ k: '1' });
  });

  const twice = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: a\n  k: b\n';
  const notMap = (kind: string): string =>
    `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;

  test.each<[string, string, string]>([
    ['a list', '[]', notMap('array')],
    ['a text', 'hello', notMap('string')],
    ['a number', '5', notMap('number')],
    ['no YAML', 'a: b: c', 'error decoding YAML: error converting YAML to JSON: yaml: mapping values are not allowed in this context'],
    ['no key for a map', '? [a]\n: 1', 'error decoding YAML: error converting YAML to JSON: unsupported map key of type: map'],
    ['nothing', '', 'invalid object type: /, Kind='],
    ['null', 'null', 'invalid object type: /, Kind='],
    [
      'a key twice, strictly',
      twice,
      'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 6: key "k" already set in map',
    ],
  ])('refuses %s', async (_name, body, message) => {
    await using t = await startRegistry({ kinds: builtinKinds });
    await expect(patch(t, { type: 'apply', body })).rejects.toMatchObject({ code: 400, message });
  });

  test('warns of keys that come twice, a line for each', async () => {
    await using t = await startRegistry({ kinds: builtinKinds });
    const told: string[] = [];
    await patch(t, { type: 'apply', body: twice, context: aContext({ fieldValidation: 'Warn', warn: (text) => void told.push(text) }) });
    expect(told).toEqual(['line 6: key "k" already set in map']);
  });

  test('does not take what others own, unless forced', async () => {
    await using t = await startWith({ metadata: { name: 'a' }, data: { k: 'mine' } });
    const other = aContext({ fieldManager: 'other' });
    await expect(patch(t, { type: 'apply', body: config, context: other })).rejects.toMatchObject({
      code: 409,
      details: { causes: [expect.objectContaining({ field: '.data.k' })] },
    });
    expect((await patch(t, { type: 'apply', body: config, context: other, force: true }))['data']).toEqual({ k: 'v' });
  });
});

describe('scale', () => {
  const context = aContext({ subresource: 'scale' });

  test('shows an object as a Scale', async () => {
    await using t = await startWith({ metadata: { name: 'a' }, spec }, deployments);
    const scale = wire(await t.registry.get(deployments, 'a', '', context));
    expect(scale).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'a', namespace: 'default', resourceVersion: '1' },
      spec: { replicas: 1 },
      status: { replicas: 0, selector: 'a=b' },
    });
  });

  test('sets replicas by update and patch', async () => {
    await using t = await startWith({ metadata: { name: 'a' }, spec }, deployments);
    const body = aBody({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: 'a', namespace: 'default' },
      spec: { replicas: 3 },
    });
    const { encoded } = await t.registry.update(deployments, 'a', body, context);
    expect(wire(encoded)).toMatchObject({ kind: 'Scale', spec: { replicas: 3 }, metadata: { resourceVersion: '2' } });
    await patch(t, { type: 'merge', body: { spec: { replicas: 4 } }, kind: deployments, context });
    const object = wire(await t.registry.get(deployments, 'a', '', aContext()));
    expect(object).toMatchObject({ metadata: { generation: 3 }, spec: { replicas: 4, selector: spec.selector } });
    expect(object.metadata.managedFields?.some((entry) => entry.subresource === 'scale')).toBe(true);
  });

  test.each<[string, object, { code: number; message: string }]>([
    [
      'negative replicas',
      { metadata: { name: 'a' }, spec: { replicas: -1 } },
      {
        code: 422,
        message: 'Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      },
    ],
    [
      'a stale resourceVersion',
      { metadata: { name: 'a', resourceVersion: '9' }, spec: { replicas: 2 } },
      { code: 409, message: expect.stringContaining('the object has been modified') as string },
    ],
  ])('refuses %s', async (_name, scale, refusal) => {
    await using t = await startWith({ metadata: { name: 'a' }, spec }, deployments);
    await expect(t.registry.update(deployments, 'a', aBody(scale), context)).rejects.toMatchObject(refusal);
  });
});
