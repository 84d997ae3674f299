// Watches what the node has left and ends pods before the kernel must. How it works:
// - One look every ten seconds at the node's own figures: its cost does not grow with the pods. Only when a threshold is met, or where a
//   pod's writing is limited, are pods measured.
// - Unused disk space is reclaimed first (dead containers, then images); then one pod is evicted, and must terminate before the next
//   check, so that what it frees counts.
// - Everything that is decided is pure: pressure.ts, rank.ts, storage-limits.ts. (pkg/kubelet/eviction/eviction_manager.go)
import { isCriticalPod } from '#api/core/pod/critical.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Measurements } from '../node/measure.ts';
import type { PodVerdict } from '../pods/desired-state.ts';
import { evictionWords } from './messages.ts';
import { observationsOf } from './observe.ts';
import { isMet, judgePressure, noPressure, type PressureState } from './pressure.ts';
import { rank } from './rank.ts';
import type { EvictionSettings } from './settings.ts';
import { type Observations, type PressureCondition, resourceOf, type Signal } from './signals.ts';
import { hasStorageLimit, storageExcess } from './storage-limits.ts';
import { type Threshold, withContainerDisk } from './thresholds.ts';
import type { PodUse } from './usage.ts';

/** A pod that runs here: what the evictor may know of it and do to it. */
interface EvictablePod {
  readonly uid: string;
  readonly pod: Pod;
  /** True while its containers take part of the node. */
  readonly isActive: boolean;
  /** True when nothing of it is left but its dead containers. */
  readonly isCleared: boolean;
  end(verdict: PodVerdict): void;
}

interface EvictorDeps {
  readonly settings: EvictionSettings;
  readonly measure: () => Promise<Measurements>;
  readonly pods: () => readonly EvictablePod[];
  /** What these pods use now, of memory and processes; by uid. */
  readonly usage: (pods: readonly EvictablePod[], signal: AbortSignal) => Promise<ReadonlyMap<string, PodUse>>;
  /** What these pods use of disks now. */
  readonly diskUsage: (pods: readonly EvictablePod[], signal: AbortSignal) => Promise<ReadonlyMap<string, PodUse>>;
  /** The same as it was last measured, which may be a while ago, without waiting. */
  readonly knownDiskUsage: (pods: readonly EvictablePod[], signal: AbortSignal) => ReadonlyMap<string, PodUse>;
  /** Each frees what it can of the disk that holds images and containers. */
  readonly freeDisk: readonly ((signal: AbortSignal) => Promise<void>)[];
  readonly record: (pod: Pod, reason: string, message: string, annotations: Readonly<Record<string, string>>) => void;
  /** A warning about the node. */
  readonly warn: (reason: string, message: string) => void;
  /** Called when the node's conditions changed. */
  readonly onPressure: () => void;
  readonly count: (signal: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

const lookMs = 10_000;
const cleanUpMs = 30_000;
const cleanUpLookMs = 1_000;
/** What pods get to end when there is no time. */
const hardGraceMs = 1_000;

interface Look {
  readonly thresholds: readonly Threshold[];
  readonly observations: Observations;
  readonly due: readonly Threshold[];
  readonly hasImageDisk: boolean;
}

export class Evictor implements Service {
  readonly name = 'evictor';
  readonly #deps: EvictorDeps;
  readonly #thresholds: ReadonlyMap<boolean, readonly Threshold[]>;
  #state: PressureState = noPressure;

  constructor(deps: EvictorDeps) {
    this.#deps = deps;
    const of = (hasImageDisk: boolean): readonly Threshold[] => withContainerDisk(deps.settings.thresholds, hasImageDisk);
    this.#thresholds = new Map([true, false].map((one) => [one, of(one)]));
  }

  /** What the node runs out of now, or did within the transition period. */
  get conditions(): readonly PressureCondition[] {
    return this.#state.conditions;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    ready();
    while (!signal.aborted) {
      let evicted: readonly EvictablePod[] = [];
      try {
        evicted = await this.#pass(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        log.warn({ err: error }, 'could not look at what the node has left');
      }
      if (evicted.length > 0) await this.#waitFor(evicted, signal);
      else await clock.sleep(lookMs, signal).catch(() => undefined);
    }
  }

  /** One check and its consequences. Returns the pods that are evicted. */
  async #pass(signal: AbortSignal): Promise<readonly EvictablePod[]> {
    const look = this.#look(await this.#deps.measure());
    const overLimit = this.#endOverLimit(look, signal);
    if (overLimit.length > 0) return overLimit;
    const [first] = look.due;
    return first === undefined ? [] : await this.#reclaim(first, look, signal);
  }

  #look(measured: Measurements): Look {
    const { settings, clock, onPressure, log } = this.#deps;
    const { hasImageDisk } = measured;
    const thresholds = this.#thresholds.get(hasImageDisk) ?? [];
    const observations = observationsOf(measured);
    const before = this.#state.conditions;
    const view = { thresholds, observations, transitionMs: settings.transitionMs, nowMs: clock.monotonicMs() };
    const { state, due } = judgePressure(this.#state, view);
    this.#state = state;
    if (before.join() !== state.conditions.join()) {
      log.info({ before, now: state.conditions }, "the node's pressure has changed");
      onPressure();
    }
    return { thresholds, observations, due, hasImageDisk };
  }

  /** All pods that write more than they may end, whatever the node has left. */
  #endOverLimit({ hasImageDisk }: Look, signal: AbortSignal): EvictablePod[] {
    const limited = this.#active().filter(({ pod }) => hasStorageLimit(pod));
    if (limited.length === 0) return [];
    const uses = this.#deps.knownDiskUsage(limited, signal);
    return limited.filter((one) => {
      const use = uses.get(one.uid);
      const excess = use === undefined ? undefined : storageExcess(one.pod, use, hasImageDisk);
      return excess !== undefined && this.#end(one, { ...excess, graceMs: hardGraceMs, annotations: {} });
    });
  }

  async #reclaim(threshold: Threshold, look: Look, signal: AbortSignal): Promise<EvictablePod[]> {
    const { warn, log } = this.#deps;
    const resource = resourceOf(threshold.signal);
    log.warn({ signal: threshold.signal }, 'the node runs out of something');
    warn('EvictionThresholdMet', `Attempting to reclaim ${resource}`);
    if (await this.#freeDisk(threshold.signal, look, signal)) {
      log.info({ signal: threshold.signal }, 'freed enough without ending a pod');
      return [];
    }
    const pods = this.#active();
    const isDisk = resource === 'ephemeral-storage' || resource === 'inodes';
    const found = await (isDisk ? this.#deps.diskUsage(pods, signal) : this.#deps.usage(pods, signal));
    const useOf = (pod: Pod): PodUse | undefined => found.get(pod.metadata.uid ?? '');
    const byPod = new Map(pods.map((one) => [one.pod, one]));
    for (const pod of rank([...byPod.keys()], useOf, threshold.signal, look.hasImageDisk)) {
      const one = byPod.get(pod);
      const words = evictionWords(resource, pod, useOf(pod), look.due, look.observations);
      const graceMs = threshold.graceMs === 0 ? hardGraceMs : this.#softGraceMs(pod);
      if (one !== undefined && this.#end(one, { ...words, signal: threshold.signal, graceMs, isDisruption: true })) return [one];
    }
    log.warn({ signal: threshold.signal }, 'there is no pod that may be ended');
    return [];
  }

  /** Whether every threshold is well again. */
  async #freeDisk(signalName: Signal, { hasImageDisk, thresholds }: Look, signal: AbortSignal): Promise<boolean> {
    const isDisk = !['memory', 'pids'].includes(resourceOf(signalName));
    // What could be freed lies on the disk of the images.
    if (!isDisk || (hasImageDisk && signalName.startsWith('nodefs.'))) return false;
    for (const free of this.#deps.freeDisk) {
      await free(signal).catch((error: unknown) => {
        signal.throwIfAborted();
        this.#deps.log.warn({ err: error }, 'could not free the disk');
      });
      const observations = observationsOf(await this.#deps.measure());
      if (!thresholds.some((one) => isMet(one, observations, true))) return true;
    }
    return false;
  }

  #softGraceMs({ spec }: Pod): number {
    const { maxPodGraceSeconds } = this.#deps.settings;
    return 1_000 * Math.min(maxPodGraceSeconds, spec.terminationGracePeriodSeconds ?? maxPodGraceSeconds);
  }

  /** False: the pod may not be ended. */
  #end(one: EvictablePod, { message, annotations, graceMs, signal, isDisruption = false }: Sentence): boolean {
    const { record, count, log } = this.#deps;
    if (isCriticalPod(one.pod)) {
      log.warn({ uid: one.uid, pod: one.pod.metadata.name, signal }, 'a critical pod cannot be evicted');
      return false;
    }
    record(one.pod, 'Evicted', message, annotations);
    one.end({ reason: 'Evicted', message, graceMs, ...(isDisruption ? { disruption: message } : {}) });
    count(signal);
    log.info({ uid: one.uid, pod: one.pod.metadata.name, signal }, 'evicted a pod');
    return true;
  }

  #active(): EvictablePod[] {
    return this.#deps.pods().filter(({ isActive }) => isActive);
  }

  async #waitFor(evicted: readonly EvictablePod[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + cleanUpMs;
    while (!signal.aborted && clock.monotonicMs() < untilMs && !evicted.every(({ isCleared }) => isCleared)) {
      await clock.sleep(cleanUpLookMs, signal).catch(() => undefined);
    }
  }
}

interface Sentence {
  readonly message: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly graceMs: number;
  /** As metrics name it. */
  readonly signal: string;
  readonly isDisruption?: boolean;
}
