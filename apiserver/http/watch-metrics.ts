import { type CounterCell, CounterCells, type HistogramCell, HistogramCells } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { WatchFrame } from '../registry/contract.ts';

const sizeBuckets = Array.from({ length: 8 }, (_, step) => 1_024 * 2 ** step);
const listBuckets = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60];

/** Metrics of watches under upstream's names. */
export class WatchMetrics {
  readonly #events: CounterCells;
  readonly #sizes: HistogramCells;
  readonly #lists: HistogramCells;

  constructor(metrics: Metrics) {
    const labels = ['group', 'resource', 'version'];
    this.#events = metrics.add(new CounterCells('apiserver_watch_events_total', '[ALPHA] Number of events sent in watch clients', labels));
    this.#sizes = metrics.add(
      new HistogramCells('apiserver_watch_events_sizes', '[ALPHA] Watch event size distribution in bytes', sizeBuckets, labels),
    );
    this.#lists = metrics.add(
      new HistogramCells(
        'apiserver_watch_list_duration_seconds',
        '[BETA] Response latency distribution in seconds for watch list requests broken by group, version, resource and scope.',
        listBuckets,
        ['group', 'resource', 'scope', 'version'],
      ),
    );
  }

  /** Counts one watch. `sinceStart`: seconds since it began; undefined where it does not begin with a list. */
  of(
    { group, names, version }: Pick<KindDefinition, 'group' | 'names' | 'version'>,
    scope: string,
    sinceStart: (() => number) | undefined,
  ): WatchCounter {
    const labels = [group, names.plural, version];
    const list = sinceStart === undefined ? undefined : this.#lists.cell([group, names.plural, scope, version]);
    return new WatchCounter(this.#events.cell(labels), this.#sizes.cell(labels), list, sinceStart);
  }
}

/** Counts the events sent on one watch, and their sizes. */
export class WatchCounter {
  readonly #events: CounterCell;
  readonly #sizes: HistogramCell;
  readonly #list: HistogramCell | undefined;
  #sinceStart: (() => number) | undefined;

  constructor(events: CounterCell, sizes: HistogramCell, list: HistogramCell | undefined, sinceStart: (() => number) | undefined) {
    this.#events = events;
    this.#sizes = sizes;
    this.#list = list;
    this.#sinceStart = sinceStart;
  }

  /** One frame, as the bytes that the client gets. */
  frame({ type }: WatchFrame, { length }: Uint8Array): void {
    this.#events.value++;
    this.#sizes.observe(length);
    // The first bookmark of such a watch ends its list.
    if (this.#sinceStart === undefined || type !== 'BOOKMARK') return;
    this.#list?.observe(this.#sinceStart());
    this.#sinceStart = undefined;
  }
}
