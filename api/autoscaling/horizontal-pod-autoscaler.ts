import type { V2HorizontalPodAutoscaler, V2HorizontalPodAutoscalerSpec, V2MetricSpec } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { defaultBehavior } from './behavior.ts';
import { autoscalerColumns } from './columns.ts';
import { withoutRoundTrips } from './round-trip.ts';
import { validateAutoscaler, validateAutoscalerUpdate } from './validate.ts';

/** The newer of the two forms, and the one that is stored. */
export interface HorizontalPodAutoscaler extends V2HorizontalPodAutoscaler {
  metadata: ObjectMeta;
}

/** Where nothing says what to look at. */
export const defaultMetric: V2MetricSpec = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
};

export const horizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  scope: 'namespaced',
  names: { plural: 'horizontalpodautoscalers', short: ['hpa'], categories: ['all'] },
  schema: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  defaults: [defaultAutoscaler],
  prepareCreate: (created) => {
    created.status = { desiredReplicas: 0 };
  },
  validate: validateAutoscaler,
  validateUpdate: validateAutoscalerUpdate,
  columns: autoscalerColumns,
  subresources: { status: true },
});

function defaultAutoscaler(object: HorizontalPodAutoscaler): void {
  object.spec ??= {} as V2HorizontalPodAutoscalerSpec;
  const { spec, metadata } = object;
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) spec.metrics = [structuredClone(defaultMetric)];
  defaultBehavior(spec.behavior);
  object.status ??= { desiredReplicas: 0 };
  // What the older form says there is said by fields here.
  if (metadata.annotations !== undefined) metadata.annotations = withoutRoundTrips(metadata.annotations);
}
