// Metrics of impersonation, under upstream's names.
import { CounterCells, HistogramCells, kept } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';

export interface ImpersonationMetrics {
  /** An attempt was allowed by a mode, or denied by all (''). */
  attempted(mode: string, isAllowed: boolean, seconds: number): void;
  /** The authorizer decided a check of a mode. */
  checked(mode: string, isAllowed: boolean, seconds: number): void;
}

/** From 1 ms to 16 s, doubling. */
const secondsBuckets = Array.from({ length: 15 }, (_, step) => 2 ** step / 1_000);
const prefix = 'apiserver_impersonation_';
const labels = ['decision', 'mode'];

export function impersonationMetrics(metrics: Metrics): ImpersonationMetrics {
  const family = (name: string, what: string, lasting: string): ImpersonationMetrics['attempted'] => {
    const total = kept(
      metrics.add(new CounterCells(`${prefix}${name}_total`, `[ALPHA] Total number of ${what} split by mode and decision.`, labels)),
    );
    const help = `[ALPHA] Latency of ${lasting} split by mode and decision.`;
    const took = kept(metrics.add(new HistogramCells(`${prefix}${name}_duration_seconds`, help, secondsBuckets, labels)));
    return (mode, isAllowed, seconds) => {
      const decision = isAllowed ? 'allowed' : 'denied';
      total(decision, mode).value++;
      took(decision, mode).observe(seconds);
    };
  };
  const checks = 'authorization checks made by the impersonation handler';
  return {
    attempted: family('attempts', 'impersonation attempts', 'impersonation attempts in seconds'),
    checked: family('authorization_attempts', checks, `${checks} in seconds`),
  };
}
