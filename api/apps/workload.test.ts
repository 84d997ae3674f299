// What the kinds that make pods have in common, kind by kind.
import { expect, test } from 'vitest';
import { replicationController } from '../core/replication-controller.ts';
import type { KindDefinition } from '../kind.ts';
import type { KubeObject } from '../meta/object.ts';
import { createProblems, decoded, updateProblems } from '../testing.ts';
import { daemonSet } from './daemon-set.ts';
import { deployment } from './deployment.ts';
import { replicaSet } from './replica-set.ts';

const kinds: readonly (readonly [string, KindDefinition])[] = [
  ['deployment', deployment as unknown as KindDefinition],
  ['replica set', replicaSet as unknown as KindDefinition],
  ['replication controller', replicationController as unknown as KindDefinition],
];

function aWorkload(kind: KindDefinition, name = 'web', container = ''): string {
  const selector = kind === kinds[2]?.[1] ? '{app: web}' : '{matchLabels: {app: web}}';
  const template = `template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i${container}}]}}`;
  return `metadata: {name: ${name}, namespace: a}\nspec: {selector: ${selector}, ${template}}`;
}

const nameText =
  'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]';
const envText = 'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply';
const twice = ', env: [{name: A, value: "1"}, {name: A, value: "2"}]';

test.each(kinds)('%s: warnings about the name come once, those about the template with each change of the spec', (_name, kind) => {
  const object = decoded(kind, aWorkload(kind, 'web.v1', twice));
  expect(kind.warnings?.(object, undefined)).toEqual([nameText, envText]);
  expect(kind.warnings?.(object, object)).toEqual([]);
  const scaled = structuredClone(object) as KubeObject & { spec: { replicas: number } };
  scaled.spec.replicas = 3;
  expect(kind.warnings?.(scaled, object)).toEqual([envText]);
});

test("a Deployment's annotations are a change, too; names of DaemonSets are not warned of", () => {
  const object = decoded(deployment, aWorkload(kinds[0]![1], 'web', twice));
  const annotated = { ...object, metadata: { ...object.metadata, annotations: { a: 'b' } } };
  expect(deployment.warnings?.(annotated, object)).toEqual([envText]);
  expect(daemonSet.warnings?.(decoded(daemonSet, aWorkload(kinds[0]![1], 'web.v1')), undefined)).toEqual([]);
});

test.each(kinds.slice(0, 2))('%s: terminating replicas are counted, and no part of all replicas', (_name, kind) => {
  const count = (terminatingReplicas: number) =>
    updateProblems(
      kind,
      aWorkload(kind),
      (object) => void Object.assign(object, { status: { replicas: 1, terminatingReplicas } }),
      'status',
    );
  expect(count(7)).toEqual([]);
  expect(count(-1)).toEqual(['status.terminatingReplicas: Invalid value: -1: must be greater than or equal to 0']);
});

test('a share that is no number counts for nothing, a plain number in quotes for itself', () => {
  const problems = (maxUnavailable: string): string[] =>
    createProblems(
      deployment,
      `${aWorkload(kinds[0]![1]).slice(0, -1)}, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: "${maxUnavailable}"}}}`,
    );
  const field = 'spec.strategy.rollingUpdate.maxUnavailable';
  expect(problems('5%')).toEqual([]);
  expect(problems('5')).toEqual([expect.stringMatching(/a valid percent string/)]);
  expect(problems('some')).toEqual([
    expect.stringMatching(/a valid percent string/),
    `${field}: Invalid value: "some": may not be 0 when \`maxSurge\` is 0`,
  ]);
});

test('an empty part is something else than none', () => {
  const object = decoded(deployment, aWorkload(kinds[0]![1]));
  const changed = structuredClone(object);
  changed.spec.template.spec!.containers[0]!.securityContext = {};
  expect(deployment.bumpsGeneration?.(changed, object)).toBe(true);
  const relabelled = structuredClone(object);
  relabelled.spec.template.spec!.tolerations = [];
  expect(deployment.bumpsGeneration?.(relabelled, object)).toBe(false);
});
