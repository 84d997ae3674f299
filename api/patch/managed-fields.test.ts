import { describe, expect, test } from 'vitest';
import type { JsonObject, KubeObject } from '../meta/object.ts';
import { cloneJson } from './json-object.ts';
import { keepTimesWhenUnchanged, managerName, ownership } from './managed-fields.ts';
import { deploymentSchema, podSchema } from './testing.ts';

const nowMs = Date.UTC(2026, 0, 1);
const at = (minutes: number): number => nowMs + minutes * 60_000;
const ignored = { '': ['status'], status: ['spec'] };
const pods = ownership({ schema: podSchema, apiVersion: 'v1', kind: 'Pod', ignored });
const deployments = ownership({ schema: deploymentSchema, apiVersion: 'apps/v1', kind: 'Deployment', ignored });
const by = (manager: string, minutes = 0, subresource = ''): { manager: string; subresource: string; nowMs: number } => ({
  manager,
  subresource,
  nowMs: at(minutes),
});

function object(value: JsonObject): KubeObject {
  return cloneJson(value) as unknown as KubeObject;
}

/** A copy with other values; what `change` does stands for what a client sent. */
function changed(from: KubeObject, change: (value: { metadata: JsonObject; spec: JsonObject; status: JsonObject }) => void): KubeObject {
  const next = structuredClone(from);
  change(next as never);
  return next;
}

const pod: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'u', labels: { b: '1', a: '2' }, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'x',
        resources: {},
        ports: [
          { containerPort: 443, protocol: 'TCP' },
          { containerPort: 80, protocol: 'TCP' },
        ],
      },
    ],
    nodeSelector: { a: 'b' },
    hostNetwork: true,
  },
  status: {},
};

describe('a create', () => {
  test('owns what it sets, as upstream writes it', () => {
    const next = object(pod);
    pods.onUpdate(next, undefined, by('kubectl-create'));
    expect(next.metadata.managedFields).toEqual([
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:a': {}, 'f:b': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"web"}': {
                '.': {},
                'f:image': {},
                'f:name': {},
                'f:ports': {
                  '.': {},
                  'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
                  'k:{"containerPort":443,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
                },
                'f:resources': {},
              },
            },
            'f:hostNetwork': {},
            'f:nodeSelector': {},
          },
        },
      },
    ]);
    const text = JSON.stringify(next.metadata.managedFields);
    expect(text.indexOf('\\"containerPort\\":80')).toBeLessThan(text.indexOf('\\"containerPort\\":443'));
  });

  test('structs held by value get no dot, pointers do', () => {
    const next = object({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c' }] } },
      },
    });
    deployments.onUpdate(next, undefined, by('m'));
    expect(next.metadata.managedFields?.[0]?.fieldsV1).toEqual({
      'f:spec': {
        'f:replicas': {},
        'f:selector': {},
        'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
        'f:template': {
          'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
          'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {} } } },
        },
      },
    });
  });

  test('an object that sets nothing has no owner', () => {
    const next = object({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, status: { phase: 'Running' } });
    pods.onUpdate(next, undefined, by('m'));
    expect('managedFields' in next.metadata).toBe(false);
  });

  test('null is owned in new items only: elsewhere it was there before', () => {
    const next = object({ metadata: { name: 'x' }, spec: { nodeName: null, containers: [{ name: 'a', image: null }] } });
    pods.onUpdate(next, undefined, by('m'));
    expect(next.metadata.managedFields?.[0]?.fieldsV1).toEqual({
      'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
    });
  });

  test('keys are data, whatever their name', () => {
    const next = object(JSON.parse('{"metadata":{"labels":{"__proto__":"x","constructor":"y"}}}') as JsonObject);
    pods.onUpdate(next, undefined, by('m'));
    expect(next.metadata.managedFields?.[0]?.fieldsV1).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:__proto__': {}, 'f:constructor': {} } },
    });
  });
});

describe('an update', () => {
  const first = object(pod);
  pods.onUpdate(first, undefined, by('one'));

  test('takes what it changes, and leaves the rest', () => {
    const next = changed(first, ({ metadata, spec }) => {
      metadata['labels'] = { b: '1', a: 'changed' };
      spec['nodeName'] = 'n';
    });
    pods.onUpdate(next, first, by('two', 1));
    const [one, two] = next.metadata.managedFields ?? [];
    expect(one).toMatchObject({ manager: 'one', time: '2026-01-01T00:00:00Z' });
    expect(one?.fieldsV1).toMatchObject({ 'f:metadata': { 'f:labels': { '.': {}, 'f:b': {} } } });
    expect(JSON.stringify(one?.fieldsV1)).not.toContain('f:a"');
    expect(two).toMatchObject({ manager: 'two', time: '2026-01-01T00:01:00Z' });
    expect(two?.fieldsV1).toEqual({ 'f:metadata': { 'f:labels': { 'f:a': {} } }, 'f:spec': { 'f:nodeName': {} } });
  });

  test('by the same manager is merged into its entry with a new time', () => {
    const next = changed(first, ({ spec }) => (spec['nodeName'] = 'n'));
    pods.onUpdate(next, first, by('one', 1));
    expect(next.metadata.managedFields).toHaveLength(1);
    expect(next.metadata.managedFields?.[0]).toMatchObject({
      time: '2026-01-01T00:01:00Z',
      fieldsV1: { 'f:spec': { 'f:nodeName': {}, 'f:hostNetwork': {} } },
    });
  });

  test('removes ownership of what it removes, without a new time', () => {
    const next = changed(first, ({ spec }) => delete spec['hostNetwork']);
    pods.onUpdate(next, first, by('one', 1));
    expect(next.metadata.managedFields?.[0]?.time).toBe('2026-01-01T00:00:00Z');
    expect(JSON.stringify(next.metadata.managedFields)).not.toContain('hostNetwork');
  });

  test('that changes nothing keeps everything', () => {
    const next = structuredClone(first);
    pods.onUpdate(next, first, by('two', 5));
    expect(next).toEqual(first);
  });

  test('through status owns status only, in an entry of its own', () => {
    const next = changed(first, ({ spec, status }) => {
      spec['nodeName'] = 'ignored';
      status['phase'] = 'Running';
      status['conditions'] = [{ type: 'Ready', status: 'True' }];
    });
    pods.onUpdate(next, first, by('kubelet', 1, 'status'));
    expect(next.metadata.managedFields?.[1]).toEqual({
      manager: 'kubelet',
      operation: 'Update',
      apiVersion: 'v1',
      time: '2026-01-01T00:01:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:status': {
          'f:conditions': { '.': {}, 'k:{"type":"Ready"}': { '.': {}, 'f:status': {}, 'f:type': {} } },
          'f:phase': {},
        },
      },
      subresource: 'status',
    });
  });

  test('a whole object removed and added again changes hands', () => {
    const next = changed(first, ({ spec }) => (spec['containers'] = [{ name: 'other' }]));
    pods.onUpdate(next, first, by('two', 1));
    const [one, two] = next.metadata.managedFields ?? [];
    expect(JSON.stringify(one?.fieldsV1)).not.toContain('k:{');
    expect(two?.fieldsV1).toEqual({ 'f:spec': { 'f:containers': { 'k:{"name":"other"}': { '.': {}, 'f:name': {} } } } });
  });
});

describe('what the client sends as managedFields', () => {
  const first = object(pod);
  pods.onUpdate(first, undefined, by('one'));
  const touched = (entries: unknown): KubeObject =>
    changed(first, ({ metadata, spec }) => {
      metadata['managedFields'] = entries as never;
      spec['nodeName'] = 'n';
    });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an unknown operation', [{ manager: 'x', operation: 'Steal', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }]],
    ['a broken set', [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'q:x': {} } }]],
    ['a key that is no JSON', [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'k:{': {} } }]],
  ])('%s falls back to what is stored', (_, entries) => {
    const next = touched(entries);
    pods.onUpdate(next, first, by('two', 1));
    expect(next.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['one', 'two']);
  });

  test.each<[string, unknown]>([
    ['an empty list', []],
    ['one empty entry', [{}]],
  ])('%s wipes all', (_, entries) => {
    const next = touched(entries);
    pods.onUpdate(next, first, by('two', 1));
    expect(next.metadata.managedFields).toBeUndefined();
  });

  test('a well-formed list counts, in canonical form', () => {
    const sent = { manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1' };
    const fieldsV1 = { 'f:spec': { 'f:hostNetwork': {}, 'f:containers': { 'k:{ "name": "web" }': { 'f:image': {} } } } };
    const next = touched([{ ...sent, fieldsV1 }]);
    pods.onUpdate(next, first, by('two', 1));
    expect(next.metadata.managedFields?.[0]?.manager).toBe('x');
    expect(JSON.stringify(next.metadata.managedFields?.[0]?.fieldsV1)).toBe(
      JSON.stringify({ 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } }, 'f:hostNetwork': {} } }),
    );
  });

  test('is ignored on a sub-resource', () => {
    const next = changed(first, ({ metadata, status }) => {
      metadata['managedFields'] = [];
      status['phase'] = 'Running';
    });
    pods.onUpdate(next, first, by('two', 1, 'status'));
    expect(next.metadata.managedFields).toHaveLength(2);
  });
});

test('more than ten updaters: the oldest are merged', () => {
  let current = object({ metadata: { name: 'x' }, spec: {} });
  for (let step = 0; step < 14; step++) {
    const next = changed(current, ({ metadata }) => {
      metadata['labels'] = { ...(metadata['labels'] as JsonObject | undefined), [`l${step}`]: 'x' };
    });
    pods.onUpdate(next, step === 0 ? undefined : current, by(`m${step}`, step));
    current = next;
  }
  const entries = current.metadata.managedFields ?? [];
  expect(entries).toHaveLength(10);
  expect(entries[0]).toMatchObject({ manager: 'ancient-changes', time: '2026-01-01T00:04:00Z' });
  const merged = { '.': {}, 'f:l0': {}, 'f:l1': {}, 'f:l2': {}, 'f:l3': {}, 'f:l4': {} };
  expect(entries[0]?.fieldsV1).toEqual({ 'f:metadata': { 'f:labels': merged } });
});

test('owners by a version that is no more are dropped; known versions are compared as they are seen there', () => {
  const entry = { manager: 'old', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'f:hostNetwork': {} } } };
  const first = object({
    ...pod,
    metadata: {
      name: 'web',
      managedFields: [
        { ...entry, apiVersion: 'v0' },
        { ...entry, apiVersion: 'v2' },
      ],
    },
  });
  const next = changed(first, ({ spec }) => (spec['nodeName'] = 'n'));
  const versions = ownership({
    schema: podSchema,
    apiVersion: 'v1',
    kind: 'Pod',
    otherVersion: (version) => (version === 'v2' ? { schema: podSchema, convert: (one) => one } : undefined),
  });
  versions.onUpdate(next, first, by('new', 1));
  expect(next.metadata.managedFields?.map(({ manager, apiVersion }) => `${manager} ${apiVersion}`)).toEqual(['old v2', 'new v1']);
});

test.each<[string, string, string, string]>([
  ['the parameter wins', 'me', 'kubectl/v1.36 (linux)', 'me'],
  ['the agent up to the slash', '', 'kubectl/v1.36 (linux)', 'kubectl'],
  ['unprintable characters go', '', 'a\u0007b\u200b/1', 'ab'],
  ['128 bytes at most', '', `${'ä'.repeat(100)}/1`, 'ä'.repeat(64)],
])('manager name: %s', (_, parameter, agent, expected) => {
  expect(managerName(parameter, agent)).toBe(expected);
});

describe('times of writes that change nothing', () => {
  const first = object(pod);
  pods.onUpdate(first, undefined, by('one'));

  test('are put back', () => {
    const next = structuredClone(first);
    for (const entry of next.metadata.managedFields ?? []) entry.time = '2030-01-01T00:00:00Z';
    keepTimesWhenUnchanged(next, first);
    expect(next).toEqual(first);
  });

  test('stay new where anything else differs', () => {
    const next = changed(first, ({ spec }) => (spec['nodeName'] = 'n'));
    for (const entry of next.metadata.managedFields ?? []) entry.time = '2030-01-01T00:00:00Z';
    keepTimesWhenUnchanged(next, first);
    expect(next.metadata.managedFields?.[0]?.time).toBe('2030-01-01T00:00:00Z');
  });
});
