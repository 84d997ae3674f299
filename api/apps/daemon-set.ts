import type { V1DaemonSet, V1DaemonSetSpec, V1DaemonSetUpdateStrategy } from '#api/generated/types.ts';
import { defaultPodTemplate } from '../core/pod/pod-defaults.ts';
import { validatePodTemplate, validateRunsForEver } from '../core/pod/template.ts';
import { defineKind, type WriteContext } from '../kind.ts';
import { ageColumn, labelsText, nameColumn, selectorText, templateColumns } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import { countOrPercent, notDecremented, notMoreThanAll, notNegative, validateLabelSelector } from '../meta/field-checks.ts';
import { type FieldProblem, invalid, notSupported, required } from '../meta/field-problem.ts';
import { goForm, mapForm } from '../meta/go-form.ts';
import { isNone } from '../meta/int-or-string.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { badRequest } from '../meta/status.ts';
import { validateSelectorUpdate } from '../meta/object-meta.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { compileSelector, templateWarnings, validateNotEmpty } from './workload.ts';

export interface DaemonSet extends V1DaemonSet {
  metadata: ObjectMeta;
  spec: V1DaemonSetSpec;
}

/** Counts the versions of the template. In this version of the API it is an annotation, in older ones it was a field. */
export const templateGenerationAnnotation = 'deprecated.daemonset.template.generation';

export const daemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  scope: 'namespaced',
  names: { plural: 'daemonsets', short: ['ds'], categories: ['all'] },
  schema: 'io.k8s.api.apps.v1.DaemonSet',
  hasGeneration: true,
  defaults: [defaultDaemonSet],
  prepareCreate: (created) => {
    created.status = noPods();
    checkTemplateGeneration(created);
    setTemplateGeneration(created, Math.max(templateGeneration(created), 1));
  },
  prepareUpdate: (next, prev) => {
    checkTemplateGeneration(next);
    const isNew = !equalValues(next.spec.template, prev.spec.template);
    setTemplateGeneration(next, templateGeneration(prev) + (isNew ? 1 : 0));
  },
  validate: validateDaemonSet,
  validateUpdate: validateDaemonSetUpdate,
  warnings: ({ spec }, prev) => (equalValues(spec.template, prev?.spec.template) ? [] : templateWarnings(spec.template)),
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', value: ({ status }) => status?.desiredNumberScheduled ?? 0 },
    { name: 'Current', type: 'integer', value: ({ status }) => status?.currentNumberScheduled ?? 0 },
    { name: 'Ready', type: 'integer', value: ({ status }) => status?.numberReady ?? 0 },
    { name: 'Up-to-date', type: 'integer', value: ({ status }) => status?.updatedNumberScheduled ?? 0 },
    { name: 'Available', type: 'integer', value: ({ status }) => status?.numberAvailable ?? 0 },
    { name: 'Node Selector', value: ({ spec }) => labelsText(spec.template.spec?.nodeSelector) },
    ageColumn,
    ...templateColumns<DaemonSet>(
      ({ spec }) => spec.template,
      ({ spec }) => selectorText(spec.selector),
    ),
  ],
  subresources: { status: true },
});

function noPods(): NonNullable<DaemonSet['status']> {
  return { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
}

function defaultDaemonSet(object: DaemonSet): void {
  object.spec ??= {} as V1DaemonSetSpec;
  const { spec } = object;
  spec.template ??= {};
  defaultPodTemplate(spec.template);
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) strategy.type = 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  object.status ??= noPods();
}

/** The annotation stands for a number of the inner type, so a text that is none cannot be read. Throws BadRequest. */
function checkTemplateGeneration({ metadata }: DaemonSet): void {
  const text = metadata.annotations?.[templateGenerationAnnotation];
  if (text === undefined) return;
  const why = !/^[+-]?[0-9]+$/.test(text) ? 'invalid syntax' : isInt64(BigInt(text.replace('+', ''))) ? undefined : 'value out of range';
  if (why === undefined) return;
  const parsed = `strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`;
  throw badRequest(`DaemonSet in version "v1" cannot be handled as a DaemonSet: ${parsed}`);
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

/** 0 where it is missing or no number. */
function templateGeneration({ metadata }: DaemonSet): number {
  const text = metadata.annotations?.[templateGenerationAnnotation] ?? '';
  return /^[+-]?[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [templateGenerationAnnotation]: String(generation) };
}

function validateDaemonSet({ spec }: DaemonSet, { subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') return [];
  const selector: Unchecked<V1DaemonSetSpec>['selector'] = spec.selector;
  const problems = validateLabelSelector(selector, 'spec.selector');
  const { labels } = spec.template.metadata ?? {};
  if (compileSelector(selector)?.matches(labels) === false) {
    problems.push(invalid('spec.template.metadata.labels', mapForm(labels), '`selector` does not match template `labels`'));
  }
  if (selector !== undefined) problems.push(...validateNotEmpty(selector, 'daemonset', 'spec.selector'));
  return [
    ...problems,
    ...validatePodTemplate(spec.template, 'spec.template'),
    ...validateRunsForEver(spec.template, 'DaemonSet', 'spec.template'),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'),
    ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ];
}

function validateStrategy(strategy: Unchecked<V1DaemonSetUpdateStrategy>, path: string): FieldProblem[] {
  const { type, rollingUpdate } = strategy;
  if (type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') return [notSupported(path, goForm(strategy, ['Type', 'RollingUpdate']), ['RollingUpdate', 'OnDelete'])];
  const own = `${path}.rollingUpdate`;
  if (rollingUpdate === undefined) return [required(own)];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const problems = [
    ...countOrPercent(`${own}.maxUnavailable`, maxUnavailable),
    ...countOrPercent(`${own}.maxSurge`, maxSurge),
    ...notMoreThanAll(`${own}.maxUnavailable`, maxUnavailable),
    ...notMoreThanAll(`${own}.maxSurge`, maxSurge),
  ];
  if (!isNone(maxUnavailable) && !isNone(maxSurge)) {
    problems.push(invalid(`${own}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (isNone(maxUnavailable) && isNone(maxSurge)) {
    problems.push(required(`${own}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
  return problems;
}

function validateDaemonSetUpdate(next: DaemonSet, prev: DaemonSet, { subresource }: WriteContext): FieldProblem[] {
  if (subresource !== 'status') return validateSelectorUpdate(next.spec.selector, prev.spec.selector);
  const { conditions: _conditions, ...counts } = next.status ?? noPods();
  return [
    ...Object.entries(counts).flatMap(([name, count]) => notNegative(`status.${name}`, count)),
    ...notDecremented('status.collisionCount', counts.collisionCount, prev.status?.collisionCount),
  ];
}
