import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { type Deployment, deployment } from './deployment.ts';
import { replicaSet } from './replica-set.ts';

const template = 'template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: "i:1"}]}}';
/** A Deployment with these members of its spec. */
function aDeployment(spec = 'selector: {matchLabels: {app: web}}'): string {
  return `metadata: {name: web, namespace: a}\nspec: {${spec}, ${template}}`;
}

test('defaults', () => {
  const { template: _template, ...spec } = decoded(deployment, aDeployment()).spec;
  expect(spec).toEqual({
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
  });
  expect(decoded(deployment, aDeployment('strategy: {type: Recreate}')).spec.strategy).toEqual({ type: 'Recreate' });
  expect(decoded(deployment, aDeployment()).spec.template.spec?.enableServiceLinks).toBeUndefined();
});

const selector = 'selector: {matchLabels: {app: web}}';

test.each<[string, string, string[]]>([
  ['fine', aDeployment(), []],
  [
    'no selector',
    aDeployment('replicas: -1'),
    [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'other selector',
    aDeployment('selector: {matchLabels: {app: other}}'),
    ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
  ],
  ['empty selector', aDeployment('selector: {}'), ['spec.selector: Invalid value: {}: empty selector is invalid for deployment']],
  [
    'strategy',
    aDeployment(`${selector}, strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}`),
    ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  ],
  [
    'nothing may move',
    aDeployment(`${selector}, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}`),
    ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
  ],
  [
    'too much',
    aDeployment(`${selector}, strategy: {rollingUpdate: {maxSurge: x, maxUnavailable: 101%}}`),
    [
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
  ],
  [
    'deadline',
    aDeployment(`${selector}, progressDeadlineSeconds: 5, minReadySeconds: 5`),
    ['spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds'],
  ],
  [
    'restart policy',
    aDeployment().replace('spec: {containers', 'spec: {restartPolicy: Never, containers'),
    ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  ],
])('create: %s', (_name, yaml, expected) => {
  expect(createProblems(deployment, yaml)).toEqual(expected);
});

test('the selector stays', () => {
  const change = (object: Deployment): void => void (object.spec.selector = { matchLabels: { app: 'web', b: 'c' } });
  expect(updateProblems(deployment, aDeployment(), change)).toContain(
    'spec.selector: Invalid value: {"matchLabels":{"app":"web","b":"c"}}: field is immutable',
  );
  const yaml = aDeployment();
  expect(updateProblems(replicaSet, yaml, ({ spec }) => void (spec.selector = {}))).toContain(
    'spec.selector: Invalid value: {}: field is immutable',
  );
});

test('status counts', () => {
  const change = (object: Deployment): void => void (object.status = { replicas: 1, readyReplicas: 2, availableReplicas: 3 });
  expect(updateProblems(deployment, aDeployment(), change, 'status')).toEqual([
    'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas',
    'status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas',
  ]);
});

test('the generation rises with spec and annotations', () => {
  const prev = decoded(deployment, aDeployment());
  const labelled = { ...prev, metadata: { ...prev.metadata, labels: { a: 'b' } } };
  const annotated = { ...prev, metadata: { ...prev.metadata, annotations: { a: 'b' } } };
  expect(deployment.bumpsGeneration?.(labelled, prev)).toBe(false);
  expect(deployment.bumpsGeneration?.(annotated, prev)).toBe(true);
  expect(deployment.bumpsGeneration?.({ ...prev, spec: { ...prev.spec, replicas: 2 } }, prev)).toBe(true);
});

test('columns', () => {
  const object = decoded(deployment, `${aDeployment()}\nstatus: {readyReplicas: 1, updatedReplicas: 1}`);
  expect(row(deployment, object)).toEqual({
    Name: 'web',
    Ready: '1/1',
    'Up-to-date': 1,
    Available: 0,
    Age: '<unknown>',
    Containers: 'c',
    Images: 'i:1',
    Selector: 'app=web',
  });
  expect(row(replicaSet, decoded(replicaSet, aDeployment()))).toMatchObject({ Desired: 1, Current: 0, Ready: 0, Selector: 'app=web' });
});
