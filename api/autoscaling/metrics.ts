// What an autoscaler looks at: exactly one source for each metric, and what it should be.
import type {
  V2ContainerResourceMetricSource,
  V2CrossVersionObjectReference,
  V2ExternalMetricSource,
  V2MetricIdentifier,
  V2MetricSpec,
  V2MetricTarget,
  V2ObjectMetricSource,
  V2PodsMetricSource,
  V2ResourceMetricSource,
} from '#api/generated/types.ts';
import { validateContainerResourceName } from '../core/resource-names.ts';
import { dnsLabel, pathSegment } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, notSupported, required } from '../meta/field-problem.ts';
import { signOfQuantity } from '../meta/quantity.ts';
import type { Unchecked } from '../meta/unchecked.ts';

type ReferenceRule = (reference: Unchecked<V2CrossVersionObjectReference>, path: string) => FieldProblem[];

const types = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
/** In the order in which they are looked at. */
const sources = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;

/** `checkReference` judges the object that an Object metric describes. */
export function validateMetric(metric: Unchecked<V2MetricSpec>, checkReference: ReferenceRule, path: string): FieldProblem[] {
  const { type = '' } = metric;
  const problems: FieldProblem[] = [];
  if (type === '') problems.push(required(`${path}.type`, 'must specify a metric source type'));
  if (!types.includes(type)) problems.push(notSupported(`${path}.type`, type, types));
  const given = sources.filter((source) => metric[source] !== undefined);
  const first = given[0];
  if (first !== undefined) problems.push(...validateSource(metric, first, checkReference, `${path}.${first}`));
  const wanted = type === '' ? '' : `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
  const isKnown = types.includes(type);
  if (isKnown && !given.some((source) => source === wanted)) {
    problems.push(required(`${path}.${wanted}`, 'must populate information for the given metric source'));
  }
  if (given.length === 1) return problems;
  const others = given.filter((source) => !isKnown || source !== wanted);
  return [...problems, ...others.map((source) => forbiddenField(`${path}.${source}`, 'must populate the given metric source only'))];
}

function validateSource(
  metric: Unchecked<V2MetricSpec>,
  source: (typeof sources)[number],
  checkReference: ReferenceRule,
  path: string,
): FieldProblem[] {
  switch (source) {
    case 'object':
      return validateObject(metric.object ?? {}, checkReference, path);
    case 'external':
      return validateExternal(metric.external ?? {}, path);
    case 'pods':
      return validatePods(metric.pods ?? {}, path);
    case 'resource':
      return validateResource(metric.resource ?? {}, path);
    case 'containerResource':
      return validateContainerResource(metric.containerResource ?? {}, path);
  }
}

function validateObject(source: Unchecked<V2ObjectMetricSource>, checkReference: ReferenceRule, path: string): FieldProblem[] {
  const { describedObject = {}, metric, target = {} } = source;
  const problems = [
    ...checkReference(describedObject, `${path}.describedObject`),
    ...validateIdentifier(metric, `${path}.metric`),
    ...validateTarget(target, `${path}.target`),
  ];
  if (target.value !== undefined || target.averageValue !== undefined) return problems;
  return [...problems, required(`${path}.target.averageValue`, 'must set either a target value or averageValue')];
}

function validateExternal({ metric, target = {} }: Unchecked<V2ExternalMetricSource>, path: string): FieldProblem[] {
  const problems = [...validateIdentifier(metric, `${path}.metric`), ...validateTarget(target, `${path}.target`)];
  const { value, averageValue } = target;
  if (value === undefined && averageValue === undefined) {
    const text = 'must set either a target value for metric or a per-pod target';
    problems.push(required(`${path}.target.averageValue`, text));
  }
  if (value !== undefined && averageValue !== undefined) {
    problems.push(forbiddenField(`${path}.target.value`, 'may not set both a target value for metric and a per-pod target'));
  }
  return problems;
}

function validatePods({ metric, target = {} }: Unchecked<V2PodsMetricSource>, path: string): FieldProblem[] {
  const problems = [...validateIdentifier(metric, `${path}.metric`), ...validateTarget(target, `${path}.target`)];
  if (target.averageValue !== undefined) return problems;
  return [...problems, required(`${path}.target.averageValue`, 'must specify a positive target averageValue')];
}

function validateResource({ name = '', target = {} }: Unchecked<V2ResourceMetricSource>, path: string): FieldProblem[] {
  const problems = name === '' ? [required(`${path}.name`, 'must specify a resource name')] : [];
  return [...problems, ...validateUsage(target, `${path}.target`)];
}

function validateContainerResource(source: Unchecked<V2ContainerResourceMetricSource>, path: string): FieldProblem[] {
  const { name = '', container = '', target = {} } = source;
  return [
    ...(name === '' ? [required(`${path}.name`, 'must specify a resource name')] : validateContainerResourceName(name, `${path}.name`)),
    ...(container === '' ? [required(`${path}.container`, 'must specify a container')] : dnsLabel(`${path}.container`, container)),
    ...validateUsage(target, `${path}.target`),
  ];
}

/** Of what pods use: an amount, or a share of what they ask for. */
function validateUsage(target: Unchecked<V2MetricTarget>, path: string): FieldProblem[] {
  const problems = validateTarget(target, path);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    problems.push(required(`${path}.averageUtilization`, 'must set either a target raw value or a target utilization'));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    problems.push(forbiddenField(`${path}.averageValue`, 'may not set both a target raw value and a target utilization'));
  }
  return problems;
}

function validateTarget({ type = '', value, averageValue, averageUtilization }: Unchecked<V2MetricTarget>, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (type === '') problems.push(required(`${path}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    problems.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const [name, amount] of Object.entries({ value, averageValue })) {
    if (amount !== undefined && signOfQuantity(amount) <= 0) problems.push(invalid(`${path}.${name}`, amount, 'must be positive'));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    problems.push(invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
  return problems;
}

function validateIdentifier({ name = '' }: Unchecked<V2MetricIdentifier> = {}, path: string): FieldProblem[] {
  return name === '' ? [required(`${path}.name`, 'must specify a metric name')] : pathSegment(`${path}.name`, name);
}
