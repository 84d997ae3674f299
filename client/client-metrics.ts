import { CounterCells, HistogramCells, kept } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';

const secondsBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** What one connection pool counts. */
export interface RequestCounter {
  /** An answer, or `<error>` where none came. Without `seconds` it is a stream, whose length says nothing. */
  answered(method: string, code: number | '<error>', seconds?: number): void;
}

/** Requests to API servers, under upstream's names; all clients of a process share one. */
export class ClientMetrics {
  readonly #requests: CounterCells;
  readonly #seconds: HistogramCells;

  constructor(metrics: Metrics) {
    this.#requests = metrics.add(
      new CounterCells('rest_client_requests_total', '[BETA] Number of HTTP requests, partitioned by status code, method, and host.', [
        'code',
        'host',
        'method',
      ]),
    );
    this.#seconds = metrics.add(
      new HistogramCells(
        'rest_client_request_duration_seconds',
        '[BETA] Request latency in seconds. Broken down by verb, and host.',
        secondsBuckets,
        ['host', 'verb'],
      ),
    );
  }

  /** @param host `ADDRESS:PORT`. */
  of(host: string): RequestCounter {
    const requests = kept(this.#requests);
    const seconds = kept(this.#seconds);
    return {
      answered: (method, code, took) => {
        requests(String(code), host, method).value++;
        if (took !== undefined) seconds(host, method).observe(took);
      },
    };
  }
}
