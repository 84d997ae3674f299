// What is audited, under upstream's names.
import { type CounterCell, CounterCells } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Level } from '../audit/contract.ts';

export interface AuditMetrics {
  /** An event was made. */
  event(): void;
  /** The policy has judged a request. */
  level(level: Level): void;
  /** A plugin lost events. */
  lost(plugin: string, events: number): void;
  /** A request was refused because its event was lost. */
  rejected(): void;
}

const prefix = 'apiserver_audit_';

export function auditMetrics(metrics: Metrics): AuditMetrics {
  const counter = (name: string, help: string, labels: readonly string[] = []): CounterCells =>
    metrics.add(new CounterCells(`${prefix}${name}`, `[ALPHA] ${help}`, labels));
  const events = counter('event_total', 'Counter of audit events generated and sent to the audit backend.').cell([]);
  const lost = counter(
    'error_total',
    'Counter of audit events that failed to be audited properly. Plugin identifies the plugin affected by the error.',
    ['plugin'],
  );
  const byLevel = counter('level_total', 'Counter of policy levels for audit events (1 per request).', ['level']);
  const rejected = counter('requests_rejected_total', 'Counter of apiserver requests rejected due to an error in audit logging backend.');
  const refusals = rejected.cell([]);
  const levels = new Map<Level, CounterCell>();
  return {
    event: () => void events.value++,
    level: (level) => {
      let cell = levels.get(level);
      if (cell === undefined) levels.set(level, (cell = byLevel.cell([level])));
      cell.value++;
    },
    lost: (plugin, count) => void (lost.cell([plugin]).value += count),
    rejected: () => void refusals.value++,
  };
}
