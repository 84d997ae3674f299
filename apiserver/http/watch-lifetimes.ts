import type { Clock } from '#base/clock.ts';
import type { Exchange } from './exchange.ts';

/**
 * Ends open watches by their exchange's own signal, when their time is up or the server stops. Many watches close at once: signals derived
 * for each of them, each with a listener on the server's, took a tenth of what closing one costs.
 */
export class WatchLifetimes {
  readonly #clock: Clock;
  readonly #stopping: AbortSignal;
  readonly #open = new Set<Exchange>();

  /** @param stopping aborts when the server stops. */
  constructor(clock: Clock, stopping: AbortSignal) {
    this.#clock = clock;
    this.#stopping = stopping;
    stopping.addEventListener('abort', () => this.#endAll(), { once: true });
  }

  /** Aborts the exchange after `ms`, or when the server stops, unless disposed before. */
  begin(exchange: Exchange, ms: number): Disposable {
    if (this.#stopping.aborted) exchange.abort(this.#stopping.reason as Error);
    this.#open.add(exchange);
    const cancel = this.#clock.startTimer(ms, () => exchange.abort(new Error('the time of the watch is up')));
    return {
      [Symbol.dispose]: () => {
        cancel();
        this.#open.delete(exchange);
      },
    };
  }

  #endAll(): void {
    for (const exchange of this.#open) exchange.abort(this.#stopping.reason as Error);
  }
}
