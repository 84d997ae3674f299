import type { V1StatefulSet, V1StatefulSetSpec, V1StatefulSetUpdateStrategy } from '#api/generated/types.ts';
import { defaultPodTemplate } from '../core/pod/pod-defaults.ts';
import { validatePodTemplate, validateRunsForEver } from '../core/pod/template.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, nameColumn, templateColumns } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { countOrPercent, dnsLabel, notDecremented, notMoreThanAll, notNegative, validateLabelSelector } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../meta/field-problem.ts';
import { goForm, mapForm, selectorForm } from '../meta/go-form.ts';
import { isNone } from '../meta/int-or-string.ts';
import { nameIsDnsLabel } from '../meta/names.ts';
import type { ObjectMeta } from '../meta/object.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { claimTemplateWarnings, defaultClaimTemplate, validateClaimTemplates, withClaimVolumes } from './claim-templates.ts';
import { compileSelector, templateWarnings, validateCounts, validateNotEmpty } from './workload.ts';

export interface StatefulSet extends V1StatefulSet {
  metadata: ObjectMeta;
  spec: V1StatefulSetSpec;
}

type Spec = Unchecked<V1StatefulSetSpec>;

export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  scope: 'namespaced',
  names: { plural: 'statefulsets', short: ['sts'], categories: ['all'] },
  schema: 'io.k8s.api.apps.v1.StatefulSet',
  hasGeneration: true,
  // Its pods are called after it, and a pod's name is a host name.
  validateName: nameIsDnsLabel,
  defaults: [defaultStatefulSet],
  prepareCreate: (created) => {
    created.status = noPods();
    dropMaxUnavailable(created, undefined);
  },
  prepareUpdate: dropMaxUnavailable,
  validate: ({ spec }, { verb, subresource }) => (subresource !== '' || verb === 'update' ? [] : validateNew(spec)),
  validateUpdate: validateStatefulSetUpdate,
  warnings: statefulSetWarnings,
  // Upstream takes the field for a Job's, and finds nothing in it.
  selectableFields: { 'status.successful': () => '' },
  unknownFieldText: (field) => `field label not supported for appsv1.StatefulSet: ${field}`,
  columns: [
    nameColumn,
    {
      name: 'Ready',
      description: 'Number of the pod with ready state',
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    ageColumn,
    ...templateColumns<StatefulSet>(
      ({ spec }) => spec.template,
      () => '',
    ).slice(0, 2),
  ],
  subresources: {
    status: true,
    scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  },
});

function noPods(): NonNullable<StatefulSet['status']> {
  return { replicas: 0, availableReplicas: 0 };
}

function defaultStatefulSet(object: StatefulSet): void {
  object.spec ??= {} as V1StatefulSetSpec;
  const { spec } = object;
  spec.template ??= {};
  defaultPodTemplate(spec.template);
  spec.volumeClaimTemplates?.forEach(defaultClaimTemplate);
  if (!spec.podManagementPolicy) spec.podManagementPolicy = 'OrderedReady';
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) {
    strategy.type = 'RollingUpdate';
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate !== undefined) {
    strategy.rollingUpdate.partition ??= 0;
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  if (!retention.whenDeleted) retention.whenDeleted = 'Retain';
  if (!retention.whenScaled) retention.whenScaled = 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  object.status ??= noPods();
}

/** Off by default in this version: pods are replaced one after the other. It stays only where it was. */
function dropMaxUnavailable({ spec }: StatefulSet, prev: StatefulSet | undefined): void {
  const { rollingUpdate } = spec.updateStrategy ?? {};
  if (prev?.spec.updateStrategy?.rollingUpdate?.maxUnavailable === undefined) delete rollingUpdate?.maxUnavailable;
}

/** Service and claims stay as they are, so old ones are not judged again. */
function validateNew(spec: Spec): FieldProblem[] {
  const { serviceName = '', volumeClaimTemplates = [] } = spec;
  return [
    ...(serviceName === '' ? [] : dnsLabel('spec.serviceName', serviceName)),
    ...validateClaimTemplates(volumeClaimTemplates),
    ...validateSpec(spec, 'with-template'),
  ];
}

function validateSpec(spec: Spec, extent: 'with-template' | 'without-template'): FieldProblem[] {
  const { podManagementPolicy = '', selector, template = {}, persistentVolumeClaimRetentionPolicy: retention = {} } = spec;
  const problems: FieldProblem[] = [];
  if (podManagementPolicy === '') {
    problems.push(required('spec.podManagementPolicy'));
  } else if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel') {
    problems.push(invalid('spec.podManagementPolicy', podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"));
  }
  problems.push(...validateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'));
  for (const when of ['whenDeleted', 'whenScaled'] as const) {
    const policy = retention[when] ?? '';
    const field = `spec.persistentVolumeClaimRetentionPolicy.${when}`;
    if (policy !== 'Retain' && policy !== 'Delete') problems.push(notSupported(field, policy, ['Retain', 'Delete']));
  }
  problems.push(
    ...notNegative('spec.replicas', spec.replicas),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...notNegative('spec.ordinals.start', spec.ordinals?.start),
  );
  if (selector === undefined) problems.push(required('spec.selector'));
  else problems.push(...validateLabelSelector(selector, 'spec.selector'), ...validateNotEmpty(selector, 'statefulset', 'spec.selector'));
  const compiled = compileSelector(selector);
  if (compiled === undefined) {
    problems.push(invalid('spec.selector', selector && selectorForm(selector), ''));
  } else {
    const labels = template.metadata?.labels as Record<string, string> | undefined;
    if (compiled.requirements?.length !== 0 && !compiled.matches(labels)) {
      problems.push(invalid('spec.template.metadata.labels', mapForm(labels), '`selector` does not match template `labels`'));
    }
    if (extent === 'with-template') {
      problems.push(...validatePodTemplate(withClaimVolumes(template, spec.volumeClaimTemplates ?? []), 'spec.template'));
    }
  }
  return [...problems, ...validateRunsForEver(template, 'StatefulSet', 'spec.template')];
}

function validateStrategy(strategy: Unchecked<V1StatefulSetUpdateStrategy>, path: string): FieldProblem[] {
  const { type = '', rollingUpdate } = strategy;
  const own = `${path}.rollingUpdate`;
  if (type === '') return [required(path)];
  if (type === 'OnDelete') {
    if (rollingUpdate === undefined) return [];
    const shown = { ...goForm(rollingUpdate, ['Partition', 'MaxUnavailable']), Partition: rollingUpdate.partition ?? 0 };
    return [invalid(own, shown, "only allowed for updateStrategy 'RollingUpdate'")];
  }
  if (type !== 'RollingUpdate')
    return [invalid(path, goForm(strategy, ['Type', 'RollingUpdate']), "must be 'RollingUpdate' or 'OnDelete'")];
  if (rollingUpdate === undefined) return [];
  const { partition, maxUnavailable } = rollingUpdate;
  return [
    ...notNegative(`${own}.partition`, partition),
    ...countOrPercent(`${own}.maxUnavailable`, maxUnavailable),
    ...(isNone(maxUnavailable) ? [invalid(`${own}.maxUnavailable`, maxUnavailable, 'cannot be 0')] : []),
    ...notMoreThanAll(`${own}.maxUnavailable`, maxUnavailable),
  ];
}

/** A template that was wrong before these rules came does not stop other changes. */
function validateStatefulSetUpdate(next: StatefulSet, prev: StatefulSet, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return validateStatus(next, prev);
  const wasFine = validateSpec(prev.spec, 'with-template').length === 0;
  const problems = validateSpec(next.spec, wasFine ? 'with-template' : 'without-template');
  const { replicas, ordinals, template, updateStrategy, revisionHistoryLimit, persistentVolumeClaimRetentionPolicy, minReadySeconds } =
    prev.spec;
  const changeable = {
    replicas,
    ordinals,
    template,
    updateStrategy,
    revisionHistoryLimit,
    persistentVolumeClaimRetentionPolicy,
    minReadySeconds,
  };
  if (!equalValues({ ...next.spec, ...changeable }, prev.spec)) {
    const text =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    problems.push(forbiddenField('spec', text));
  }
  return problems;
}

function validateStatus({ status = noPods() }: StatefulSet, prev: StatefulSet): FieldProblem[] {
  const { replicas, readyReplicas, currentReplicas, updatedReplicas, availableReplicas = 0, observedGeneration, collisionCount } = status;
  const problems = [
    ...validateCounts({ replicas, readyReplicas, currentReplicas, updatedReplicas, availableReplicas }, replicas, 'status'),
    ...notNegative('status.observedGeneration', observedGeneration),
    ...notNegative('status.collisionCount', collisionCount),
  ];
  if (availableReplicas > (readyReplicas ?? 0)) {
    problems.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than status.readyReplicas'));
  }
  return [...problems, ...notDecremented('status.collisionCount', collisionCount, prev.status?.collisionCount)];
}

function statefulSetWarnings({ spec }: StatefulSet, prev: StatefulSet | undefined): string[] {
  const isNew = prev === undefined || !equalValues(spec, prev.spec);
  const warnings = isNew ? [...templateWarnings(spec.template), ...claimTemplateWarnings(spec.volumeClaimTemplates ?? [])] : [];
  if ((spec.revisionHistoryLimit ?? 0) < 0) {
    warnings.push('spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended');
  }
  return warnings;
}
