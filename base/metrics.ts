import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What writes its own text; '' while there are no samples. */
export interface Family {
  readonly help: string;
  text(): string | Promise<string>;
}

/** The metrics of one process or one part of it; nothing is registered globally. */
export interface Metrics {
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[], collect?: (gauge: Gauge<L>) => void): Gauge<L>;
  histogram<L extends string = never>(name: string, help: string, buckets: readonly number[], labels?: readonly L[]): Histogram<L>;
  /** Adds what writes its own text, such as cells for hot paths. */
  add<T extends Family>(family: T): T;
  /** The help of everything that is registered, whether it has samples or not. */
  helps(): string[];
  /** Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** The media type of Prometheus' text format. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

/** Asking twice for the same name gives the same metric, so that parts of a process may share one. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const families: Family[] = [];
  const once = <M>(name: string, make: () => M): M => (registry.getSingleMetric(name) as M | undefined) ?? make();
  return {
    counter: (name, help, labels = []) => once(name, () => new Counter({ name, help, labelNames: [...labels], registers: [registry] })),
    gauge: (name, help, labels = [], collect) =>
      once(
        name,
        () =>
          new Gauge({
            name,
            help,
            labelNames: [...labels],
            registers: [registry],
            ...(collect === undefined
              ? {}
              : {
                  collect() {
                    collect(this);
                  },
                }),
          }),
      ),
    histogram: (name, help, buckets, labels = []) =>
      once(name, () => new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers: [registry] })),
    add: (family) => {
      families.push(family);
      return family;
    },
    helps: () => [...registry.getMetricsAsArray(), ...families].map(({ help }) => help),
    text: async () =>
      (await registry.metrics()).trimStart() + (await Promise.all(families.map(async (family) => await family.text()))).join(''),
    contentType: metricsType,
  };
}
