import type { Column, RowCondition } from '../../kind.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { ageColumn, nameColumn, sinceText } from '../../meta/columns.ts';
import type { Pod } from './pod.ts';
import { summarizePod } from './summary.ts';

const rowConditions: Readonly<Record<string, readonly RowCondition[]>> = {
  Succeeded: [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }],
  Failed: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }],
};

/** Rows of pods that have ended say so. */
export function podRowConditions({ status }: Pod): readonly RowCondition[] | undefined {
  return rowConditions[status?.phase ?? ''];
}

/** What `kubectl get pods` shows. */
export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  {
    name: 'Ready',
    description: 'The aggregate readiness state of this pod for accepting traffic.',
    value: (pod) => {
      const { ready, total } = summarizePod(pod);
      return `${ready}/${total}`;
    },
  },
  {
    name: 'Status',
    description: 'The aggregate status of the containers in this pod.',
    value: (pod) => summarizePod(pod).status,
  },
  {
    name: 'Restarts',
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    value: (pod, nowMs) => {
      const { restarts, lastRestart } = summarizePod(pod);
      return restarts === 0 || lastRestart === undefined ? String(restarts) : `${restarts} (${sinceText(lastRestart, nowMs)} ago)`;
    },
  },
  ageColumn,
  { name: 'IP', priority: 1, value: (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>' },
  { name: 'Node', priority: 1, value: (pod) => pod.spec.nodeName || '<none>' },
  { name: 'Nominated Node', priority: 1, value: (pod) => pod.status?.nominatedNodeName || '<none>' },
  { name: 'Readiness Gates', priority: 1, value: readinessGates },
];

function readinessGates({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const open = gates.filter(({ conditionType }) => isConditionTrue(status?.conditions, conditionType));
  return `${open.length}/${gates.length}`;
}
