import { expect, test } from 'vitest';
import { builtinKinds as kinds } from '#api/kinds.ts';
import { parseObject } from './decoded-objects.ts';
import { servedForm } from './served-form.ts';
import { skimmer } from './skim.ts';

const skim = skimmer(['metadata.labels', 'spec.nodeName', 'spec.count', 'status.ips', 'reason', 'source', 'source.part']);

test.each<[name: string, object: object, expected: object]>([
  [
    'only what is wanted',
    { metadata: { name: 'a', labels: { x: 'y' } }, spec: { nodeName: 'n', c: [{ nodeName: 'm' }] } },
    { metadata: { labels: { x: 'y' } }, spec: { nodeName: 'n' } },
  ],
  ['objects without any of it', { metadata: {}, spec: {}, status: { phase: 'x' } }, { metadata: {}, spec: {}, status: {} }],
  [
    'what strings hold is no member',
    { metadata: { note: '"labels":{"x":"y"}}],\\', labels: { a: '"\\' } }, spec: { text: '\\"' } },
    { metadata: { labels: { a: '"\\' } }, spec: {} },
  ],
  [
    'lists, numbers, truths, nothing',
    { metadata: {}, spec: { count: -1.5e3, nodeName: null }, status: { ips: [{ ip: 'a' }, []] } },
    { metadata: {}, spec: { count: -1500, nodeName: null }, status: { ips: [{ ip: 'a' }, []] } },
  ],
  [
    'members of the object itself',
    { metadata: {}, reason: 'ü€', source: { part: 1, more: 2 }, last: true },
    { metadata: {}, reason: 'ü€', source: { part: 1, more: 2 } },
  ],
  ['a member that is no object after all', { metadata: {}, spec: 'text', status: null }, { metadata: {}, spec: 'text', status: null }],
])('reads %s', (_name, object, expected) => {
  expect(skim(Buffer.from(JSON.stringify(object)))).toEqual(expected);
});

test.each<[name: string, json: string]>([
  ['white space', '{"metadata": {"labels": {"a":"b"}, "name":"n"}}'],
  ['an escaped name', '{"metadata":{"l\\u0061bels":{"a":"b"}},"spec" :{}}'],
  ['a number that no double holds', '{"metadata":{},"spec":{"count":12345678901234567890}}'],
])('parses the whole object where there is %s', (_name, json) => {
  const bytes = Buffer.from(json);
  expect(skim(bytes)).toEqual(parseObject(bytes));
});

test.each([
  '',
  '{',
  '{"metadata":',
  '{"metadata":{"labels":{"a":"b"}',
  '{"metadata":{"labels":{"a',
  '{"metadata":{}}}',
  '{"metadata":{}}x',
  '[]x',
  '{"metadata":{"labels":tru}}',
])('refuses %j', (json) => {
  expect(() => skim(Buffer.from(json))).toThrow();
});

/** An object that notes what is read of it and has nothing deeper than two members. */
function noting(paths: Set<string>, members: (path: string) => unknown): object {
  const at = (prefix: string): object =>
    new Proxy({}, { get: (_target, name) => (typeof name === 'string' ? read(`${prefix}${name}`) : undefined) });
  const read = (path: string): unknown => {
    if (path.includes('.')) {
      paths.add(path);
      return members(path);
    }
    paths.add(path);
    return at(`${path}.`);
  };
  return at('');
}

test.each(
  kinds.filter(({ selectableFields }) => selectableFields !== undefined).map((kind) => [`${kind.group}/${kind.kind}`, kind] as const),
)('what fields of %s read is what they are named after, or is declared', (_name, kind) => {
  const declared = new Set([...Object.keys(kind.selectableFields ?? {}), ...(kind.selectionReads ?? [])]);
  const isCovered = (path: string): boolean =>
    declared.has(path) || declared.has(path.split('.')[0] ?? '') || [...declared].some((one) => one.startsWith(`${path}.`));
  for (const read of Object.values(kind.selectableFields ?? {})) {
    for (const value of ['text', undefined]) {
      const paths = new Set<string>();
      read(noting(paths, () => value) as never);
      expect([...paths].filter((path) => !isCovered(path))).toEqual([]);
    }
  }
});

test.each(kinds.map((kind) => [`${kind.group}/${kind.kind}`, kind] as const))(
  'labels and fields of a %s are those of the whole object',
  (_name, kind) => {
    const form = servedForm(kind);
    const parts = (text: string): object => ({
      nodeName: text,
      phase: text,
      podIPs: [{ ip: text }],
      succeeded: 3,
      component: text,
      kind: text,
      name: text,
      unschedulable: true,
      clusterIP: text,
      signerName: text,
      driver: text,
      type: text,
      replicas: 7,
    });
    const object = {
      kind: kind.kind,
      metadata: { labels: { a: 'b' } },
      reason: 'r',
      type: 't',
      reportingComponent: 'c',
      spec: parts('s'),
      status: parts('u'),
      involvedObject: parts('i'),
      regarding: parts('r'),
      source: parts('o'),
    };
    const skimmed = form.skim(Buffer.from(JSON.stringify(object)));
    expect(skimmed.metadata.labels).toEqual({ a: 'b' });
    for (const read of Object.values(kind.selectableFields ?? {})) expect(read(skimmed as never)).toBe(read(object as never));
  },
);
