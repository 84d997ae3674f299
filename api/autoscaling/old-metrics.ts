// Metrics in the form that the annotations of autoscaling/v1 hold, and back.
import type {
  V2CrossVersionObjectReference,
  V2HorizontalPodAutoscalerCondition,
  V2MetricIdentifier,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from '#api/generated/types.ts';
import type { Json } from '../meta/object.ts';
import { signOfQuantity } from '../meta/quantity.ts';
import { amountOf, compact, integerOf, membersOf, textOf } from './round-trip.ts';

export function oldMetric({ type, object, pods, resource, containerResource, external }: V2MetricSpec): object {
  return compact({
    type,
    object: object && {
      target: oldReference(object.describedObject),
      metricName: object.metric.name,
      targetValue: object.target.value ?? '0',
      ...compact({ selector: object.metric.selector, averageValue: object.target.averageValue }),
    },
    pods: pods && {
      metricName: pods.metric.name,
      targetAverageValue: pods.target.averageValue ?? '0',
      ...compact({ selector: pods.metric.selector }),
    },
    resource: resource && { name: resource.name, ...oldUsage(resource.target) },
    containerResource: containerResource && {
      name: containerResource.name,
      ...oldUsage(containerResource.target),
      container: containerResource.container,
    },
    external: external && {
      metricName: external.metric.name,
      ...compact({
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
    },
  });
}

function oldReference({ kind, name, apiVersion }: V2CrossVersionObjectReference): object {
  return { kind, name, ...compact({ apiVersion }) };
}

function oldUsage({ averageUtilization, averageValue }: V2MetricTarget): object {
  return compact({ targetAverageUtilization: averageUtilization, targetAverageValue: averageValue });
}

export function newMetric(value: Json): V2MetricSpec {
  const { type, object, pods, resource, containerResource, external } = membersOf(value);
  return compact<V2MetricSpec>({
    type: textOf(type) ?? '',
    object: ifThere(object, (one) => ({
      describedObject: newReference(one['target']),
      metric: newIdentifier(one['metricName'], one['selector']),
      target: newObjectTarget(one),
    })),
    pods: ifThere(pods, (one) => ({
      metric: newIdentifier(one['metricName'], one['selector']),
      target: { type: 'AverageValue', averageValue: amountOf(one['targetAverageValue']) ?? '0' },
    })),
    resource: ifThere(resource, (one) => ({ name: textOf(one['name']) ?? '', target: newUsage(one) })),
    containerResource: ifThere(containerResource, (one) => ({
      name: textOf(one['name']) ?? '',
      target: newUsage(one),
      container: textOf(one['container']) ?? '',
    })),
    external: ifThere(external, (one) => {
      const averageValue = amountOf(one['targetAverageValue']);
      const type = averageValue === undefined ? 'Value' : 'AverageValue';
      return {
        metric: newIdentifier(one['metricName'], one['metricSelector']),
        target: compact<V2MetricTarget>({ type, value: amountOf(one['targetValue']), averageValue, averageUtilization: undefined }),
      };
    }),
  });
}

/** The old form always has a value: beside an average, 0 says that there was none. */
function newObjectTarget(source: Readonly<Record<string, Json>>): V2MetricTarget {
  const averageValue = amountOf(source['averageValue']);
  const value = amountOf(source['targetValue']) ?? '0';
  if (averageValue === undefined) return { type: 'Value', value };
  return { type: 'AverageValue', averageValue, ...(signOfQuantity(value) === 0 ? {} : { value }) };
}

function newUsage(source: Readonly<Record<string, Json>>): V2MetricTarget {
  const averageUtilization = integerOf(source['targetAverageUtilization']);
  const type = averageUtilization === undefined ? 'AverageValue' : 'Utilization';
  return compact<V2MetricTarget>({ type, averageUtilization, averageValue: amountOf(source['targetAverageValue']), value: undefined });
}

export function oldCurrent({ type, object, pods, resource, containerResource, external }: V2MetricStatus): object {
  return compact({
    type,
    object: object && {
      target: oldReference(object.describedObject),
      metricName: object.metric.name,
      currentValue: object.current.value ?? '0',
      ...compact({ selector: object.metric.selector, averageValue: object.current.averageValue }),
    },
    pods: pods && {
      metricName: pods.metric.name,
      currentAverageValue: pods.current.averageValue ?? '0',
      ...compact({ selector: pods.metric.selector }),
    },
    resource: resource && { name: resource.name, ...oldUse(resource.current) },
    containerResource: containerResource && {
      name: containerResource.name,
      ...oldUse(containerResource.current),
      container: containerResource.container,
    },
    external: external && {
      metricName: external.metric.name,
      ...compact({ metricSelector: external.metric.selector }),
      currentValue: external.current.value ?? '0',
      ...compact({ currentAverageValue: external.current.averageValue }),
    },
  });
}

function oldUse({ averageUtilization, averageValue = '0' }: V2MetricValueStatus): object {
  return { ...compact({ currentAverageUtilization: averageUtilization }), currentAverageValue: averageValue };
}

export function newCurrent(status: Json): V2MetricStatus {
  const { type, object, pods, resource, containerResource, external } = membersOf(status);
  return compact<V2MetricStatus>({
    type: textOf(type) ?? '',
    object: ifThere(object, (one) => ({
      describedObject: newReference(one['target']),
      metric: newIdentifier(one['metricName'], one['selector']),
      current: newValues(one['currentValue'], one['averageValue']),
    })),
    pods: ifThere(pods, (one) => ({
      metric: newIdentifier(one['metricName'], one['selector']),
      current: { averageValue: amountOf(one['currentAverageValue']) ?? '0' },
    })),
    resource: ifThere(resource, (one) => ({ name: textOf(one['name']) ?? '', current: newUse(one) })),
    containerResource: ifThere(containerResource, (one) => ({
      name: textOf(one['name']) ?? '',
      current: newUse(one),
      container: textOf(one['container']) ?? '',
    })),
    external: ifThere(external, (one) => ({
      metric: newIdentifier(one['metricName'], one['metricSelector']),
      current: newValues(one['currentValue'], one['currentAverageValue']),
    })),
  });
}

function newValues(value: Json | undefined, average: Json | undefined): V2MetricValueStatus {
  return compact<V2MetricValueStatus>({ value: amountOf(value) ?? '0', averageValue: amountOf(average), averageUtilization: undefined });
}

function newUse(source: Readonly<Record<string, Json>>): V2MetricValueStatus {
  return compact<V2MetricValueStatus>({
    averageUtilization: integerOf(source['currentAverageUtilization']),
    averageValue: amountOf(source['currentAverageValue']) ?? '0',
    value: undefined,
  });
}

export function oldCondition({ type, status, lastTransitionTime, reason, message }: V2HorizontalPodAutoscalerCondition): object {
  return { type, status, lastTransitionTime: lastTransitionTime ?? null, ...compact({ reason, message }) };
}

export function newCondition(value: Json): V2HorizontalPodAutoscalerCondition {
  const { type, status, lastTransitionTime, reason, message } = membersOf(value);
  return compact<V2HorizontalPodAutoscalerCondition>({
    type: textOf(type) ?? '',
    status: textOf(status) ?? '',
    lastTransitionTime: textOf(lastTransitionTime),
    reason: textOf(reason),
    message: textOf(message),
  });
}

function newReference(value: Json | undefined): V2CrossVersionObjectReference {
  const { kind, name, apiVersion } = membersOf(value);
  return compact<V2CrossVersionObjectReference>({ kind: textOf(kind) ?? '', name: textOf(name) ?? '', apiVersion: textOf(apiVersion) });
}

function newIdentifier(name: Json | undefined, selector: Json | undefined): V2MetricIdentifier {
  return compact<V2MetricIdentifier>({
    name: textOf(name) ?? '',
    selector: selector === undefined || selector === null ? undefined : (membersOf(selector) as V2MetricIdentifier['selector']),
  });
}

function ifThere<T>(value: Json | undefined, read: (members: Readonly<Record<string, Json>>) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(membersOf(value));
}
