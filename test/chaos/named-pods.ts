// Pods that keep their names: whenever one is gone it is made again, wherever there is room. Nobody makes sure but the API server that the one
// before is really gone.
import { setTimeout as sleep } from 'node:timers/promises';
import { podManifest } from '#test/e2e/manifests.ts';
import type { Fleet } from '#test/testbed/fleet.ts';

const everyMs = 1_000;

export class NamedPods implements AsyncDisposable {
  readonly names: readonly string[];
  readonly #fleet: Fleet;
  readonly #stop = new AbortController();
  readonly #keeping: Promise<void>;

  constructor(fleet: Fleet, count: number) {
    this.#fleet = fleet;
    this.names = Array.from({ length: count }, (_, at) => `db-${at}`);
    this.#keeping = this.#keep();
  }

  async areReady(): Promise<boolean> {
    const words = ['wait', '--for=condition=Ready', '--timeout=1s', ...this.names.map((name) => `pod/${name}`)];
    return (await this.#fleet.kubectl(words, { timeoutMs: 10_000 })).code === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#keeping;
  }

  /** Those that are there, or still are, are refused; the others are made. */
  async #keep(): Promise<void> {
    const items = this.names.map((name) => podManifest(name, { metadata: { labels: { app: 'db' } }, terminationGracePeriodSeconds: 5 }));
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    while (!this.#stop.signal.aborted) {
      await this.#fleet.kubectl(['create', '-f', '-'], { input, timeoutMs: 10_000 });
      await sleep(everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }
}
