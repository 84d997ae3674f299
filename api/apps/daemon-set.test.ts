import { expect, test } from 'vitest';
import { podTemplate } from '../core/pod-template.ts';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { type DaemonSet, daemonSet, templateGenerationAnnotation } from './daemon-set.ts';

const selector = 'selector: {matchLabels: {app: agent}}';
/** A DaemonSet with these members of its spec. */
function aDaemonSet(spec = selector, pod = 'containers: [{name: c, image: "i:1"}]', meta = ''): string {
  return `metadata: {name: agent, namespace: a${meta}}\nspec: {${spec}, template: {metadata: {labels: {app: agent}}, spec: {${pod}}}}`;
}

test('defaults', () => {
  const { template: _template, ...spec } = decoded(daemonSet, aDaemonSet()).spec;
  expect(spec).toEqual({
    revisionHistoryLimit: 10,
    selector: { matchLabels: { app: 'agent' } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
  });
  expect(decoded(daemonSet, aDaemonSet('updateStrategy: {type: OnDelete}')).spec.updateStrategy).toEqual({ type: 'OnDelete' });
});

const mismatch = 'spec.template.metadata.labels: Invalid value: {"app":"agent"}: `selector` does not match template `labels`';
const rolling = (members: string): string => aDaemonSet(`${selector}, updateStrategy: {rollingUpdate: {${members}}}`);
const own = 'spec.updateStrategy.rollingUpdate';

test.each<[string, string, string[]]>([
  ['fine', aDaemonSet(), []],
  ['surge alone', rolling('maxUnavailable: 0, maxSurge: 10%'), []],
  [
    'no selector',
    aDaemonSet('minReadySeconds: -1'),
    [mismatch, 'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0'],
  ],
  ['empty selector', aDaemonSet('selector: {}'), ['spec.selector: Invalid value: {}: empty selector is invalid for daemonset']],
  ['both', rolling('maxSurge: 1'), [`${own}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero`]],
  ['neither', rolling('maxUnavailable: 0%'), [`${own}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`]],
  [
    'more than all',
    rolling('maxUnavailable: 0, maxSurge: 200%'),
    [`${own}.maxSurge: Invalid value: "200%": must not be greater than 100%`],
  ],
  [
    'strategy',
    aDaemonSet(`${selector}, updateStrategy: {type: Recreate}, revisionHistoryLimit: -1`),
    [
      'spec.updateStrategy: Unsupported value: {"Type":"Recreate","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
      'spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
  [
    'pods that end',
    aDaemonSet(selector, 'containers: [{name: c, image: "i:1"}], restartPolicy: OnFailure, activeDeadlineSeconds: 3'),
    [
      'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported',
    ],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(daemonSet, yaml)).toEqual(expected);
});

test('the selector stays', () => {
  const change = ({ spec }: DaemonSet): void => void (spec.selector = { matchLabels: { app: 'agent', b: 'c' } });
  expect(updateProblems(daemonSet, aDaemonSet(), change)).toContain(
    'spec.selector: Invalid value: {"matchLabels":{"app":"agent","b":"c"}}: field is immutable',
  );
});

test('status counts', () => {
  const status = { currentNumberScheduled: -1, desiredNumberScheduled: 1, numberMisscheduled: 0, numberReady: 9, collisionCount: 1 };
  const before = `${aDaemonSet()}`;
  expect(updateProblems(daemonSet, before, (object) => void (object.status = status), 'status')).toEqual([
    'status.currentNumberScheduled: Invalid value: -1: must be greater than or equal to 0',
  ]);
  const prev = decoded(daemonSet, before);
  prev.status = { ...status, currentNumberScheduled: 0, collisionCount: 2 };
  const next = { ...prev, status: { ...prev.status, collisionCount: 1 } };
  expect(daemonSet.validateUpdate?.(next, prev, { verb: 'update', subresource: 'status', nowMs: 0 })).toMatchObject([
    { field: 'status.collisionCount', message: 'Invalid value: 1: cannot be decremented' },
  ]);
});

test.each<[string, string, (object: DaemonSet) => void, string]>([
  ['starts at one', '', () => undefined, '1'],
  ['starts where the client says', `, annotations: {${templateGenerationAnnotation}: "7"}`, () => undefined, '7'],
  ['starts at one at least', `, annotations: {${templateGenerationAnnotation}: "-7"}`, () => undefined, '1'],
  ['rises with the template', '', ({ spec }) => void (spec.template.metadata = { labels: { app: 'agent', v: '2' } }), '2'],
  ['stays with the rest of the spec', '', ({ spec }) => void (spec.minReadySeconds = 3), '1'],
  ['is not for clients', '', ({ metadata }) => void (metadata.annotations = { [templateGenerationAnnotation]: '9' }), '1'],
])('the template generation %s', (_name, meta, change, expected) => {
  const prev = decoded(daemonSet, aDaemonSet(selector, undefined, meta));
  daemonSet.prepareCreate?.(prev, { verb: 'create', subresource: '', nowMs: 0 });
  const next = structuredClone(prev);
  change(next);
  daemonSet.prepareUpdate?.(next, prev, { verb: 'update', subresource: '', nowMs: 0 });
  expect(next.metadata.annotations?.[templateGenerationAnnotation]).toBe(expected);
});

test.each([
  ['x', 'invalid syntax'],
  ['', 'invalid syntax'],
  ['9223372036854775808', 'value out of range'],
])('the template generation %j cannot be read', (text, why) => {
  const message = `DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing "${text}": ${why}`;
  const yaml = aDaemonSet(selector, undefined, `, annotations: {${templateGenerationAnnotation}: "${text}"}`);
  expect(() => createProblems(daemonSet, yaml)).toThrow(message);
  const change = ({ metadata }: DaemonSet): void => void (metadata.annotations = { [templateGenerationAnnotation]: text });
  expect(() => updateProblems(daemonSet, aDaemonSet(), change)).toThrow(message);
});

test('columns', () => {
  const pod = 'containers: [{name: c, image: "i:1"}, {name: d, image: "i:2"}], nodeSelector: {b: c, a: d}';
  const status =
    'status: {desiredNumberScheduled: 3, currentNumberScheduled: 2, numberReady: 1, numberAvailable: 1, numberMisscheduled: 0}';
  expect(row(daemonSet, decoded(daemonSet, `${aDaemonSet(selector, pod)}\n${status}`))).toEqual({
    Name: 'agent',
    Desired: 3,
    Current: 2,
    Ready: 1,
    'Up-to-date': 0,
    Available: 1,
    'Node Selector': 'a=d,b=c',
    Age: '<unknown>',
    Containers: 'c,d',
    Images: 'i:1,i:2',
    Selector: 'app=agent',
  });
});

test('pod templates', () => {
  const yaml = 'metadata: {name: a, namespace: b}\ntemplate: {metadata: {labels: {x: y}}, spec: {containers: [{name: c, image: "i:1"}]}}';
  const object = decoded(podTemplate, yaml);
  expect(object.template?.spec).toMatchObject({ dnsPolicy: 'ClusterFirst', restartPolicy: 'Always' });
  expect(row(podTemplate, object)).toEqual({ Name: 'a', Containers: 'c', Images: 'i:1', 'Pod Labels': 'x=y' });
  expect(podTemplate.columns?.every(({ priority = 0 }) => priority === 0)).toBe(true);
  expect(createProblems(podTemplate, yaml)).toEqual([]);
  expect(createProblems(podTemplate, 'metadata: {name: a, namespace: b}')).toEqual(['template.spec.containers: Required value']);
  expect(createProblems(podTemplate, `${yaml.replace('x: y', 'x: "-"')}`)).toEqual([
    "template.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  ]);
});
