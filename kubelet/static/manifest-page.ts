// Static pods from a web page: a Pod or a PodList that `staticPodURL` names (pkg/kubelet/config/http.go). A page that cannot be had or
// used changes nothing. An empty one is a mistake, too, but ends all pods of the page, as upstream has it.
import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { CodecSource } from './codec-source.ts';
import { ManifestError, maxManifestBytes, type Origin, readPods } from './manifest.ts';

interface ManifestPageDeps {
  /** Called with all pods of the page whenever it has changed. */
  readonly onPods: (pods: readonly Pod[]) => void;
  readonly codec: CodecSource;
  readonly clock: Clock;
  readonly log: Log;
}

interface ManifestPageOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly nodeName: string;
  readonly checkMs: number;
}

const timeoutMs = 10_000;
/** So many failures are said aloud. */
const loudFailures = 3;

export class ManifestPage implements Service {
  readonly name = 'manifest page';
  readonly #deps: ManifestPageDeps;
  readonly #options: ManifestPageOptions;
  #seen: Buffer | undefined;
  #failures = 0;

  constructor(deps: ManifestPageDeps, options: ManifestPageOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock } = this.#deps;
    ready();
    while (!signal.aborted) {
      try {
        await this.#look(signal);
        this.#failures = 0;
      } catch (error) {
        if (isAbort(error, signal)) return;
        this.#complain(error);
      }
      await clock.sleep(this.#options.checkMs, signal).catch(() => undefined);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, codec, onPods } = this.#deps;
    const { url, nodeName } = this.#options;
    const bytes = await this.#fetch(signal);
    if (bytes.length === 0) {
      onPods([]);
      this.#seen = undefined;
      throw new ManifestError(`zero-length data received from ${url}`);
    }
    if (this.#seen?.equals(bytes) === true) return;
    const origin: Origin = { kind: 'http', location: url, nodeName, nowMs: clock.nowMs() };
    onPods(readPods(bytes, origin, await codec()));
    this.#seen = bytes;
  }

  async #fetch(signal: AbortSignal): Promise<Buffer> {
    const { url, headers } = this.#options;
    using deadline = this.#deps.clock.deadline(signal, timeoutMs);
    const sent = Object.entries(headers).flatMap(([name, values]) => values.map((value): [string, string] => [name, value]));
    const response = await fetch(url, { headers: sent, signal: deadline.signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new ManifestError(`${url}: ${response.status} ${response.statusText}`);
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > maxManifestBytes) throw new ManifestError(`${url}: the page is larger than ${maxManifestBytes} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  #complain(error: unknown): void {
    const { log } = this.#deps;
    this.#failures++;
    const level = this.#failures <= loudFailures ? 'warn' : 'debug';
    log[level]({ err: error, url: this.#options.url }, 'could not read static pods from a page');
    if (this.#failures === loudFailures) log.warn({ url: this.#options.url }, 'further failures of this page are not said aloud');
  }
}
