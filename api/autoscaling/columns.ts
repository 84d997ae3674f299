import type { V2MetricSpec, V2MetricStatus, V2MetricTarget, V2MetricValueStatus } from '#api/generated/types.ts';
import type { Column } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import type { HorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';

/** What `kubectl get hpa` shows. */
export const autoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn,
  { name: 'Reference', value: ({ spec }) => `${spec?.scaleTargetRef.kind ?? ''}/${spec?.scaleTargetRef.name ?? ''}` },
  { name: 'Targets', value: ({ spec, status }) => targetsText(spec?.metrics ?? [], status?.currentMetrics ?? []) },
  { name: 'MinPods', value: ({ spec }) => String(spec?.minReplicas ?? '<unset>') },
  { name: 'MaxPods', value: ({ spec }) => spec?.maxReplicas ?? 0 },
  { name: 'Replicas', value: ({ status }) => status?.currentReplicas ?? 0 },
  ageColumn,
];

const shownMetrics = 2;
const unknown = '<unknown>';

function targetsText(metrics: readonly V2MetricSpec[], current: readonly V2MetricStatus[]): string {
  if (metrics.length === 0) return '<none>';
  const texts = metrics.slice(0, shownMetrics).map((metric, at) => metricText(metric, current[at]));
  const more = metrics.length - shownMetrics;
  return `${texts.join(', ')}${more > 0 ? ` + ${more} more...` : ''}`;
}

function metricText(
  { type, external, object, pods, resource, containerResource }: V2MetricSpec,
  current: V2MetricStatus | undefined,
): string {
  switch (type) {
    case 'External':
      return valueText(external?.target, current?.external?.current);
    case 'Object':
      return valueText(object?.target, current?.object?.current);
    case 'Pods':
      return `${current?.pods?.current.averageValue ?? unknown}/${pods?.target.averageValue ?? ''}`;
    case 'Resource':
      return `${resource?.name ?? ''}: ${usageText(resource?.target, current?.resource?.current)}`;
    case 'ContainerResource':
      return `${containerResource?.name ?? ''}: ${usageText(containerResource?.target, current?.containerResource?.current)}`;
    default:
      return '<unknown type>';
  }
}

function valueText(target: V2MetricTarget | undefined, current: V2MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  return `${current?.value ?? unknown}/${target?.value ?? ''}`;
}

function usageText(target: V2MetricTarget | undefined, current: V2MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue}`;
  const percent = (share: number | undefined, missing: string): string => (share === undefined ? missing : `${share}%`);
  return `${percent(current?.averageUtilization, unknown)}/${percent(target?.averageUtilization, '<auto>')}`;
}
