// Every five minutes: is the disk of the images too full, and which of those that this kubelet pulled are no longer needed? An image is
// removed under the name that it was pulled as, so that one which somebody has given another name stays under that.
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { isRuntimeError, type Runtime } from '../runtime/contract.ts';
import type { StoredImage } from '../runtime/image-contract.ts';
import { bytesToFree, type Candidate, type DiskSpace, type ImageGcPolicy, outdated, removable } from './gc-plan.ts';
import type { PulledImages } from './pulled-images.ts';
import { parseReference } from './reference.ts';

export interface ImageCollectorDeps {
  readonly runtime: Pick<Runtime, 'images' | 'pods'>;
  readonly pulled: PulledImages;
  readonly policy: ImageGcPolicy;
  /** References of the images that pods of this node show as volumes; undefined as long as nobody knows. */
  readonly volumeImages: () => readonly string[] | undefined;
  /** Measures the disk that holds the images. */
  readonly disk: () => Promise<DiskSpace>;
  /** Told of each image that was removed. */
  readonly count?: (why: 'age' | 'space') => void;
  /** A warning about the node. */
  readonly warn: (reason: string, message: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

const everyMs = 300_000;

export class ImageCollector implements Service {
  readonly name = 'image collector';
  readonly #deps: ImageCollectorDeps;
  readonly #lastUsed = new Map<string, number>();
  #beganMs: number | undefined;

  constructor(deps: ImageCollectorDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log, pulled, warn } = this.#deps;
    await pulled.load();
    ready();
    let hasFailed = false;
    while (!signal.aborted) {
      try {
        await this.#pass(signal);
        hasFailed = false;
      } catch (error) {
        if (isAbort(error, signal)) return;
        log.warn({ err: error }, 'image garbage collection failed');
        // The first failure may be one of a node that is only starting.
        if (hasFailed) warn('ImageGCFailed', error instanceof Error ? error.message : String(error));
        hasFailed = true;
      }
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  /** Removes every image that may go, however full the disk is. */
  async removeUnused(signal: AbortSignal): Promise<void> {
    const { pulled, policy, clock } = this.#deps;
    if (pulled.entries().length === 0) return;
    const used = await this.#usedReferences(signal);
    if (used === undefined) return;
    for (const candidate of removable(await this.#candidates(used, signal), policy, clock.nowMs()))
      await this.#remove(candidate, 'space', signal);
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const { pulled, policy, disk, warn, clock, log } = this.#deps;
    const nowMs = clock.nowMs();
    const used = pulled.entries().length === 0 ? new Set<string>() : await this.#usedReferences(signal);
    if (used === undefined) return;
    // Of others nobody will ask.
    for (const [reference] of pulled.entries()) if (used.has(reference)) this.#lastUsed.set(reference, nowMs);
    this.#beganMs ??= nowMs;
    if (policy.maxAgeMs > 0) await this.#removeOutdated(used, nowMs, signal);
    const neededBytes = bytesToFree(policy, await disk());
    if (neededBytes === undefined) {
      warn('InvalidDiskCapacity', 'invalid capacity 0 on image filesystem');
      return;
    }
    if (neededBytes === 0) return;
    let freedBytes = 0;
    for (const candidate of removable(await this.#candidates(used, signal), policy, nowMs)) {
      if (freedBytes >= neededBytes) break;
      if (await this.#remove(candidate, 'space', signal)) freedBytes += candidate.sizeBytes;
    }
    log.info({ neededBytes, freedBytes }, 'the disk of the images is too full');
    if (freedBytes >= neededBytes) return;
    const attempt = `Attempted to free ${neededBytes} bytes, but only found ${freedBytes} bytes eligible to free.`;
    warn('FreeDiskSpaceFailed', `Failed to garbage collect required amount of images. ${attempt}`);
  }

  async #removeOutdated(used: ReadonlySet<string>, nowMs: number, signal: AbortSignal): Promise<void> {
    const old = outdated(await this.#candidates(used, signal), this.#deps.policy, nowMs, this.#beganMs ?? nowMs);
    for (const candidate of old) await this.#remove(candidate, 'age', signal);
  }

  /** What containers of ours were made from, dead ones too, and what pods show as volumes. */
  async #usedReferences(signal: AbortSignal): Promise<Set<string> | undefined> {
    const shown = this.#deps.volumeImages();
    if (shown === undefined) return undefined;
    const pods = await this.#deps.runtime.pods(signal);
    const made = pods.flatMap(({ containers }) => containers.map(({ image }) => image));
    return new Set([...made, ...shown].map(normal));
  }

  /** Images that were pulled, are there, and still have the name that they were pulled as. */
  async #candidates(used: ReadonlySet<string>, signal: AbortSignal): Promise<Candidate[]> {
    const { pulled, runtime } = this.#deps;
    const found: Candidate[] = [];
    const usedIds = new Set<string>();
    for (const reference of used) {
      const image = await runtime.images.find(reference, signal);
      if (image !== undefined) usedIds.add(image.id);
    }
    for (const [reference, { id, pulledMs }] of pulled.entries()) {
      const image: StoredImage | undefined = await runtime.images.find(reference, signal);
      if (image?.id !== id) {
        await pulled.forget(reference);
        this.#lastUsed.delete(reference);
        continue;
      }
      const isUsed = used.has(reference) || usedIds.has(id);
      found.push({ reference, sizeBytes: image.sizeBytes, pulledMs, lastUsedMs: this.#lastUsed.get(reference) ?? 0, isUsed });
    }
    return found;
  }

  /** False: somebody else's container needs it. */
  async #remove({ reference }: Candidate, why: 'age' | 'space', signal: AbortSignal): Promise<boolean> {
    const { runtime, pulled, log } = this.#deps;
    try {
      await runtime.images.remove(reference, signal);
    } catch (error) {
      if (isRuntimeError(error, 'InUse')) return false;
      throw error;
    }
    this.#deps.count?.(why);
    log.info({ image: reference, why }, 'removed an image that nothing needs');
    this.#lastUsed.delete(reference);
    await pulled.forget(reference);
    return true;
  }
}

function normal(image: string): string {
  try {
    return parseReference(image).text;
  } catch {
    // An image id, as of a container made from what has no name.
    return image;
  }
}
