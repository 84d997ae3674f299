// What an autoscaler must be, in its newer form (pkg/apis/autoscaling/validation/validation.go).
import type { V2CrossVersionObjectReference, V2HorizontalPodAutoscalerSpec, V2MetricSpec } from '#api/generated/types.ts';
import type { WriteContext } from '../kind.ts';
import { notNegative, pathSegment } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required } from '../meta/field-problem.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { validateBehavior } from './behavior.ts';
import type { HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { validateMetric } from './metrics.ts';

type Reference = Unchecked<V2CrossVersionObjectReference>;
type Spec = Unchecked<V2HorizontalPodAutoscalerSpec>;

/** What an older autoscaler may keep although a new one could not have it. */
interface Leniency {
  readonly zeroReplicas: boolean;
  readonly anyTargetVersion: boolean;
  readonly anyObjectVersion: boolean;
}

const strict: Leniency = { zeroReplicas: false, anyTargetVersion: false, anyObjectVersion: false };

/** Validates a create or a status; other updates are validated against the old object. */
export function validateAutoscaler({ spec, status }: HorizontalPodAutoscaler, { verb, subresource }: WriteContext): FieldProblem[] {
  if (subresource === 'status') {
    const { currentReplicas, desiredReplicas } = status ?? {};
    return [...notNegative('status.currentReplicas', currentReplicas), ...notNegative('status.desiredReplicas', desiredReplicas)];
  }
  return verb === 'create' ? validateSpec(spec, strict) : [];
}

export function validateAutoscalerUpdate(
  { spec }: HorizontalPodAutoscaler,
  prev: HorizontalPodAutoscaler,
  { subresource }: WriteContext,
): FieldProblem[] {
  if (subresource === 'status') return [];
  const { minReplicas, scaleTargetRef, metrics = [] } = prev.spec;
  return validateSpec(spec, {
    zeroReplicas: minReplicas === 0,
    anyTargetVersion: versionProblem(scaleTargetRef, targetRule(scaleTargetRef)) !== undefined,
    anyObjectVersion: metrics.some(
      ({ object }) => object !== undefined && versionProblem(object.describedObject, 'well-formed') !== undefined,
    ),
  });
}

function validateSpec(spec: Spec, leniency: Leniency): FieldProblem[] {
  const { minReplicas, maxReplicas = 0, scaleTargetRef = {}, metrics = [], behavior } = spec;
  const lowest = leniency.zeroReplicas ? 0 : 1;
  const problems: FieldProblem[] = [];
  if (minReplicas !== undefined && minReplicas < lowest) {
    problems.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${lowest}`));
  }
  if (maxReplicas === 0) problems.push(required('spec.maxReplicas', 'must be set and greater than 0'));
  else if (maxReplicas < 1) problems.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    problems.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  const rule = leniency.anyTargetVersion ? 'any' : targetRule(scaleTargetRef);
  problems.push(...validateReference(scaleTargetRef, 'spec.scaleTargetRef', rule));
  problems.push(...validateMetrics(metrics, minReplicas, leniency));
  return [...problems, ...validateBehavior(behavior, 'spec.behavior')];
}

function validateMetrics(metrics: readonly Unchecked<V2MetricSpec>[], minReplicas: number | undefined, leniency: Leniency): FieldProblem[] {
  const check = (reference: Reference, path: string): FieldProblem[] =>
    validateReference(reference, path, leniency.anyObjectVersion ? 'any' : 'well-formed');
  const problems = metrics.flatMap((metric, at) => validateMetric(metric, check, `spec.metrics[${at}]`));
  const seesWithoutPods = metrics.some(({ type }) => type === 'Object' || type === 'External');
  if (minReplicas !== 0 || seesWithoutPods) return problems;
  const text = 'must specify at least one Object or External metric to support scaling to zero replicas';
  return [...problems, forbiddenField('spec.metrics', text)];
}

/** What an apiVersion must be: anything (when it was invalid before), a group and version, or one with a group. */
type VersionRule = 'any' | 'well-formed' | 'with-group';

/** ReplicationController is the only scalable kind of the core group, which has no name. */
function targetRule({ kind }: Reference): VersionRule {
  return kind === 'ReplicationController' ? 'well-formed' : 'with-group';
}

function validateReference(reference: Reference, path: string, rule: VersionRule): FieldProblem[] {
  const { kind = '', name = '', apiVersion = '' } = reference;
  const problems = [
    ...(kind === '' ? [required(`${path}.kind`)] : pathSegment(`${path}.kind`, kind)),
    ...(name === '' ? [required(`${path}.name`)] : pathSegment(`${path}.name`, name)),
  ];
  const why = versionProblem(reference, rule);
  return why === undefined ? problems : [...problems, invalid(`${path}.apiVersion`, apiVersion, why)];
}

function versionProblem({ apiVersion = '' }: Reference, rule: VersionRule): string | undefined {
  if (rule === 'any') return undefined;
  const parts = apiVersion === '/' ? [''] : apiVersion.split('/');
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  const hasGroup = parts.length === 2 && parts[0] !== '';
  return rule === 'with-group' && !hasGroup ? 'apiVersion must specify API group' : undefined;
}
