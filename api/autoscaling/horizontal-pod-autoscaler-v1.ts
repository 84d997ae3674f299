import type {
  V1HorizontalPodAutoscaler,
  V1HorizontalPodAutoscalerSpec,
  V1HorizontalPodAutoscalerStatus,
  V2HorizontalPodAutoscalerSpec,
  V2HorizontalPodAutoscalerStatus,
  V2MetricSpec,
} from '#api/generated/types.ts';
import { type Column, defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { autoscalerColumns } from './columns.ts';
import { defaultMetric, type HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { newCondition, newCurrent, newMetric, oldCondition, oldCurrent, oldMetric } from './old-metrics.ts';
import {
  behaviorAnnotation,
  behaviorText,
  compact,
  conditionsAnnotation,
  currentMetricsAnnotation,
  listOf,
  metricsAnnotation,
  readAnnotation,
  readBehavior,
  specAnnotations,
  statusAnnotations,
  withoutRoundTrips,
} from './round-trip.ts';
import { validateAutoscaler, validateAutoscalerUpdate } from './validate.ts';

/** The older form, which knows only the CPU's share. */
export interface HorizontalPodAutoscalerV1 extends V1HorizontalPodAutoscaler {
  metadata: ObjectMeta;
}

export const horizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscalerV1>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  scope: 'namespaced',
  names: { plural: 'horizontalpodautoscalers', short: ['hpa'], categories: ['all'] },
  schema: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
  storedAs: { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' },
  toStored: toNewForm,
  fromStored: (object) => fromNewForm(object as HorizontalPodAutoscaler),
  defaults: [
    (object) => {
      object.spec ??= {} as V1HorizontalPodAutoscalerSpec;
      object.spec.minReplicas ??= 1;
      object.status ??= { currentReplicas: 0, desiredReplicas: 0 };
    },
  ],
  prepareCreate: (created) => {
    created.status = { currentReplicas: 0, desiredReplicas: 0 };
    carryAnnotations(created.metadata, undefined, statusAnnotations);
  },
  // Each endpoint leaves alone what is said in annotations of the other's part.
  prepareUpdate: (next, prev, { subresource }) =>
    carryAnnotations(next.metadata, prev.metadata, subresource === 'status' ? specAnnotations : statusAnnotations),
  validate: (object, context) => validateAutoscaler(toNewForm(object), context),
  validateUpdate: (next, prev, context) => validateAutoscalerUpdate(toNewForm(next), toNewForm(prev), context),
  columns: autoscalerColumns.map(
    (column): Column<HorizontalPodAutoscalerV1> => ({ ...column, value: (object, nowMs) => column.value(toNewForm(object), nowMs) }),
  ),
  subresources: { status: true },
});

function carryAnnotations(meta: ObjectMeta, prev: ObjectMeta | undefined, names: readonly string[]): void {
  const before = Object.entries(prev?.annotations ?? {}).filter(([name]) => names.includes(name));
  const others = Object.entries(meta.annotations ?? {}).filter(([name]) => !names.includes(name));
  const annotations = Object.fromEntries([...others, ...before]);
  if (Object.keys(annotations).length > 0) meta.annotations = annotations;
  else delete meta.annotations;
}

/** The share of the CPU that pods ask for: the one metric with a field of its own. */
function isCpuShare({ type, resource }: V2MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;
}

function fromNewForm({ metadata, spec, status }: HorizontalPodAutoscaler): HorizontalPodAutoscalerV1 {
  const others = (spec?.metrics ?? []).filter((metric) => !isCpuShare(metric));
  const { currentMetrics = [], conditions = [] } = status ?? {};
  const annotations = {
    ...withoutRoundTrips(metadata.annotations ?? {}),
    ...(others.length === 0 ? {} : { [metricsAnnotation]: JSON.stringify(others.map(oldMetric)) }),
    ...(currentMetrics.length === 0 ? {} : { [currentMetricsAnnotation]: JSON.stringify(currentMetrics.map(oldCurrent)) }),
    ...(spec?.behavior === undefined ? {} : { [behaviorAnnotation]: behaviorText(spec.behavior) }),
    ...(conditions.length === 0 ? {} : { [conditionsAnnotation]: JSON.stringify(conditions.map(oldCondition)) }),
  };
  return {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(metadata, annotations),
    spec: oldSpec(spec),
    status: oldStatus(status),
  };
}

function withAnnotations({ annotations: _annotations, ...meta }: ObjectMeta, annotations: Record<string, string>): ObjectMeta {
  return Object.keys(annotations).length === 0 ? meta : { ...meta, annotations };
}

function oldSpec(spec: V2HorizontalPodAutoscalerSpec | undefined): V1HorizontalPodAutoscalerSpec {
  const { scaleTargetRef, minReplicas, maxReplicas = 0, metrics = [] } = spec ?? {};
  const cpu = metrics.find(({ type, resource }) => type === 'Resource' && resource?.name === 'cpu');
  return compact<V1HorizontalPodAutoscalerSpec>({
    scaleTargetRef: scaleTargetRef ?? { kind: '', name: '' },
    minReplicas,
    maxReplicas,
    targetCPUUtilizationPercentage: cpu?.resource?.target.averageUtilization,
  });
}

function oldStatus(status: V2HorizontalPodAutoscalerStatus | undefined): V1HorizontalPodAutoscalerStatus {
  const { observedGeneration, lastScaleTime, currentReplicas = 0, desiredReplicas = 0, currentMetrics = [] } = status ?? {};
  const cpu = currentMetrics.findLast(
    ({ type, resource }) => type === 'Resource' && resource?.name === 'cpu' && resource.current.averageUtilization !== undefined,
  );
  return compact<V1HorizontalPodAutoscalerStatus>({
    observedGeneration,
    lastScaleTime,
    currentReplicas,
    desiredReplicas,
    currentCPUUtilizationPercentage: cpu?.resource?.current.averageUtilization,
  });
}

function toNewForm({ metadata, spec, status }: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler {
  const { annotations } = metadata;
  return {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(metadata, withoutRoundTrips(annotations ?? {})),
    spec: newSpec(spec, annotations),
    status: newStatus(status, annotations),
  };
}

type Annotations = ObjectMeta['annotations'];

function newSpec(spec: V1HorizontalPodAutoscalerSpec | undefined, annotations: Annotations): V2HorizontalPodAutoscalerSpec {
  const { scaleTargetRef, minReplicas, maxReplicas = 0, targetCPUUtilizationPercentage: share } = spec ?? {};
  const metrics = readAnnotation(annotations, metricsAnnotation, listOf(newMetric)) ?? [];
  if (share !== undefined) {
    metrics.push({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: share } } });
  }
  return compact<V2HorizontalPodAutoscalerSpec>({
    scaleTargetRef: scaleTargetRef ?? { kind: '', name: '' },
    minReplicas,
    maxReplicas,
    metrics: metrics.length === 0 ? [structuredClone(defaultMetric)] : metrics,
    behavior: readAnnotation(annotations, behaviorAnnotation, readBehavior),
  });
}

function newStatus(status: V1HorizontalPodAutoscalerStatus | undefined, annotations: Annotations): V2HorizontalPodAutoscalerStatus {
  const { observedGeneration, lastScaleTime, currentReplicas = 0, desiredReplicas = 0 } = status ?? {};
  const share = status?.currentCPUUtilizationPercentage;
  const own = share === undefined ? undefined : [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: share } } }];
  return compact<V2HorizontalPodAutoscalerStatus>({
    observedGeneration,
    lastScaleTime,
    currentReplicas: currentReplicas === 0 ? undefined : currentReplicas,
    desiredReplicas,
    // What the annotation holds says more than the one number.
    currentMetrics: readAnnotation(annotations, currentMetricsAnnotation, listOf(newCurrent)) ?? own,
    conditions: readAnnotation(annotations, conditionsAnnotation, listOf(newCondition)),
  });
}
