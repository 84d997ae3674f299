// How long admission takes, plugin by plugin, under upstream's names. The clock is read once between two plugins; a series is looked
// up when it is first counted.
import type { Clock } from '#base/clock.ts';
import { type HistogramCell, HistogramCells } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { AdmissionRequest } from './contract.ts';

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

/** Upstream's words for changing and for checking. */
export type AdmissionType = 'admit' | 'validate';
type Operation = AdmissionRequest['operation'];

/** One place that is timed: a plugin or a whole step, of one type. */
export class Timed {
  readonly #cell: (operation: Operation, rejected: boolean) => HistogramCell;
  readonly #passed = new Map<Operation, HistogramCell>();
  readonly #rejected = new Map<Operation, HistogramCell>();

  constructor(cell: (operation: Operation, rejected: boolean) => HistogramCell) {
    this.#cell = cell;
  }

  took(operation: Operation, rejected: boolean, ms: number): void {
    const cells = rejected ? this.#rejected : this.#passed;
    let cell = cells.get(operation);
    if (cell === undefined) cells.set(operation, (cell = this.#cell(operation, rejected)));
    cell.observe(ms / 1_000);
  }
}

export class AdmissionTiming {
  readonly nowMs: () => number;
  readonly #plugins: HistogramCells;
  readonly #steps: HistogramCells;
  readonly #isUpstream: (plugin: string) => boolean;

  /** @param isUpstream true for plugins that upstream has too: only those get a series. */
  constructor(metrics: Metrics, clock: Clock, isUpstream: (plugin: string) => boolean) {
    this.nowMs = () => clock.monotonicMs();
    this.#isUpstream = isUpstream;
    this.#plugins = metrics.add(
      new HistogramCells(
        'apiserver_admission_controller_admission_duration_seconds',
        '[STABLE] Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
        buckets,
        ['name', 'operation', 'rejected', 'type'],
      ),
    );
    this.#steps = metrics.add(
      new HistogramCells(
        'apiserver_admission_step_admission_duration_seconds',
        '[STABLE] Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).',
        buckets,
        ['operation', 'rejected', 'type'],
      ),
    );
  }

  plugin(name: string, type: AdmissionType): Timed | undefined {
    if (!this.#isUpstream(name)) return undefined;
    return new Timed((operation, rejected) => this.#plugins.cell([name, operation, String(rejected), type]));
  }

  step(type: AdmissionType): Timed {
    return new Timed((operation, rejected) => this.#steps.cell([operation, String(rejected), type]));
  }
}
