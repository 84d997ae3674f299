import type { V1Deployment, V1DeploymentSpec, V1DeploymentStrategy, V1LabelSelector } from '#api/generated/types.ts';
import { defaultPodTemplate } from '../core/pod/pod-defaults.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn, selectorText, templateColumns } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { countOrPercent, notDecremented, notMoreThanAll, notNegative } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../meta/field-problem.ts';
import { goForm } from '../meta/go-form.ts';
import { isNone } from '../meta/int-or-string.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateSelectorUpdate } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { podNameWarnings, templateWarnings, validateAvailable, validateCounts, validateSelectorAndTemplate } from './workload.ts';

export interface Deployment extends V1Deployment {
  metadata: ObjectMeta;
  spec: V1DeploymentSpec;
}

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  scope: 'namespaced',
  names: { plural: 'deployments', short: ['deploy'], categories: ['all'] },
  schema: 'io.k8s.api.apps.v1.Deployment',
  hasGeneration: true,
  // Annotations count too: the controller copies them to every ReplicaSet that it makes.
  bumpsGeneration: isNewGeneration,
  defaults: [defaultDeployment],
  prepareCreate: (created) => {
    created.status = {};
  },
  prepareUpdate: (next, prev, { subresource }) => {
    if (subresource !== 'status') return;
    if (prev.metadata.labels === undefined) delete next.metadata.labels;
    else next.metadata.labels = prev.metadata.labels;
  },
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  warnings: (next, prev) => {
    if (prev === undefined) return [...podNameWarnings(next.metadata.name ?? ''), ...templateWarnings(next.spec.template)];
    return isNewGeneration(next, prev) ? templateWarnings(next.spec.template) : [];
  },
  columns: [
    nameColumn,
    {
      name: 'Ready',
      description: 'Number of the pod with ready state',
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    { name: 'Up-to-date', value: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: 'Available', value: ({ status }) => status?.availableReplicas ?? 0 },
    ageColumn,
    ...templateColumns<Deployment>(
      ({ spec }) => spec.template,
      ({ spec }) => plainSelector(spec.selector),
    ),
  ],
  resetFields: { status: ['spec', 'metadata.labels'] },
  subresources: {
    status: true,
    scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  },
});

/** Where other kinds print a word for no selector and for a wrong one, Deployments print nothing and another word. */
function plainSelector(selector: V1LabelSelector | undefined): string {
  const text = selectorText(selector);
  if (text === '<none>') return '';
  return text === '<error>' ? '<invalid>' : text;
}

function isNewGeneration(next: Deployment, prev: Deployment): boolean {
  return !equalValues(next.spec, prev.spec) || !equalValues(next.metadata.annotations, prev.metadata.annotations);
}

function defaultDeployment(object: Deployment): void {
  object.spec ??= {} as V1DeploymentSpec;
  const { spec } = object;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  if (!spec.strategy.type) spec.strategy.type = 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
    spec.strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultPodTemplate(spec.template);
  object.status ??= {};
}

function validateDeployment({ spec }: Deployment, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return [];
  const { minReadySeconds = 0, progressDeadlineSeconds } = spec;
  const problems = [
    ...notNegative('spec.replicas', spec.replicas),
    ...validateSelectorAndTemplate(spec, 'spec'),
    ...validateStrategy(spec.strategy ?? {}, 'spec.strategy'),
    ...notNegative('spec.minReadySeconds', minReadySeconds),
    ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...notNegative('spec.progressDeadlineSeconds', progressDeadlineSeconds),
  ];
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds) {
    problems.push(invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, 'must be greater than minReadySeconds'));
  }
  return problems;
}

function validateStrategy(strategy: Unchecked<V1DeploymentStrategy>, path: string): FieldProblem[] {
  const { type, rollingUpdate } = strategy;
  const own = `${path}.rollingUpdate`;
  if (type === 'Recreate') {
    const text = "may not be specified when strategy `type` is 'Recreate'";
    return rollingUpdate === undefined ? [] : [forbiddenField(own, text)];
  }
  if (type !== 'RollingUpdate') return [notSupported(path, goForm(strategy, ['Type', 'RollingUpdate']), ['Recreate', 'RollingUpdate'])];
  if (rollingUpdate === undefined) return [required(own, 'this should be defaulted and never be nil')];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const problems = [...countOrPercent(`${own}.maxUnavailable`, maxUnavailable), ...countOrPercent(`${own}.maxSurge`, maxSurge)];
  if (isNone(maxUnavailable) && isNone(maxSurge)) {
    problems.push(invalid(`${own}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  return [...problems, ...notMoreThanAll(`${own}.maxUnavailable`, maxUnavailable)];
}

function validateDeploymentUpdate(next: Deployment, prev: Deployment, { subresource }: WriteContext): FieldProblem[] {
  if (subresource !== 'status') return validateSelectorUpdate(next.spec.selector, prev.spec.selector);
  const status = next.status ?? {};
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  return [
    ...notNegative('status.observedGeneration', status.observedGeneration),
    ...validateCounts({ replicas, updatedReplicas, readyReplicas, availableReplicas }, replicas, 'status'),
    ...notNegative('status.unavailableReplicas', status.unavailableReplicas),
    ...notNegative('status.terminatingReplicas', status.terminatingReplicas),
    ...notNegative('status.collisionCount', status.collisionCount),
    ...validateAvailable(availableReplicas, readyReplicas, 'status'),
    ...notDecremented('status.collisionCount', status.collisionCount, prev.status?.collisionCount),
  ];
}
