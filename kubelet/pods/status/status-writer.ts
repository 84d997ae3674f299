// How statuses get to the API server. Workers set the newest status of a pod and go on; one loop per pod with something to say
// writes it, always the newest, and tries again until it is in. What the API shows is known from the informer and from our own
// writes, the newer of both; a status that was overwritten is therefore written again.
// When a worker is done with a deleted pod, its last status is written first, then the object is deleted for good.
// The status of a static pod is written to its mirror pod, as long as there is one: `entry.pod` is the mirror then.
// INVARIANT: at most one loop per pod; `#entries` has a pod from its first status until it is forgotten or found to be gone.
import { isStaticPod } from '#api/core/pod/mirror.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import type { V1PodStatus } from '#api/generated/types.ts';
import { keyOf } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { aborted, isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import { fullNameOf } from '../full-name.ts';
import { statusPatch } from './status-patch.ts';

interface StatusWriterDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with the latency of a status update. */
  readonly onWritten?: (tookMs: number) => void;
}

interface Entry {
  /** Of the pod that runs. */
  readonly uid: string;
  /** The newest object known. */
  pod: Pod;
  readonly isStatic: boolean;
  wanted: V1PodStatus | undefined;
  /** Since when it says something that is not written. */
  sinceMs: number | undefined;
  /** The worker has left nothing behind: the object may go. */
  mayDelete: boolean;
  isDeleted: boolean;
  /** Something changed since the loop last looked. */
  isDirty: boolean;
  isBusy: boolean;
}

const retry = { initialMs: 500, maxMs: 10_000, jitter: 0.2 };

/** Writes pod statuses and the final deletions. */
export class StatusWriter implements Service {
  readonly name = 'pod status writer';
  readonly #deps: StatusWriterDeps;
  readonly #entries = new Map<string, Entry>();
  /** By the uid of the static pod. */
  readonly #mirrors = new Map<string, Pod>();
  readonly #loops = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps;
  }

  /** Makes `status` the one to be written for this pod. Returns at once. */
  set(pod: Pod, status: V1PodStatus): void {
    const entry = this.#entryOf(pod);
    entry.wanted = status;
    entry.sinceMs ??= this.#deps.clock.monotonicMs();
    this.#kick(entry);
  }

  /** What the API will show once all is written: the newest status set here, else the object's own. */
  statusOf(pod: Pod): V1PodStatus {
    const uid = pod.metadata.uid ?? '';
    return this.#entries.get(uid)?.wanted ?? this.#mirroredStatus(uid) ?? pod.status ?? {};
  }

  /** The mirror pod of a static pod was seen; undefined: it is gone. */
  observeMirror(staticUid: string, mirror: Pod | undefined): void {
    const entry = this.#entries.get(staticUid);
    // Whatever says so is no mirror of a pod that has another name.
    if (mirror !== undefined && entry !== undefined && fullNameOf(mirror) !== fullNameOf(entry.pod)) return;
    if (mirror === undefined) this.#mirrors.delete(staticUid);
    else this.#mirrors.set(staticUid, mirror);
    if (entry === undefined || mirror === undefined) return;
    if (mirror.metadata.uid === entry.pod.metadata.uid) adopt(entry, mirror);
    else entry.pod = mirror;
    this.#kick(entry);
  }

  /** The informer has seen the object. */
  observe(pod: Pod): void {
    const entry = this.#entries.get(pod.metadata.uid ?? '');
    if (entry === undefined) return;
    adopt(entry, pod);
    this.#kick(entry);
  }

  /** No trace of the pod is left on the node: delete the object once its last status is written. */
  finish(pod: Pod): void {
    const entry = this.#entryOf(pod);
    entry.mayDelete = true;
    this.#kick(entry);
  }

  /** The object is gone. */
  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#signal = signal;
    for (const entry of this.#entries.values()) this.#kick(entry);
    ready();
    await aborted(signal);
    await Promise.all(this.#loops);
  }

  /** What an earlier kubelet said of a static pod. An end that it came to does not count: it runs again. */
  #mirroredStatus(uid: string): V1PodStatus | undefined {
    const status = this.#mirrors.get(uid)?.status;
    return status?.phase === 'Failed' || status?.phase === 'Succeeded' ? undefined : status;
  }

  #entryOf(pod: Pod): Entry {
    const uid = pod.metadata.uid ?? '';
    const known = this.#entries.get(uid);
    if (known !== undefined) {
      adopt(known, pod);
      return known;
    }
    const isStatic = isStaticPod(pod);
    const mirror = isStatic ? this.#mirrors.get(uid) : undefined;
    const unwritten = { wanted: undefined, sinceMs: undefined, mayDelete: false, isDeleted: false, isDirty: false, isBusy: false };
    const entry: Entry = { uid, pod: mirror ?? pod, isStatic, ...unwritten };
    this.#entries.set(uid, entry);
    return entry;
  }

  /** False for a static pod without a mirror pod: there is no object to update. */
  #hasObject({ isStatic, uid }: Entry): boolean {
    return !isStatic || this.#mirrors.has(uid);
  }

  #kick(entry: Entry): void {
    entry.isDirty = true;
    const signal = this.#signal;
    if (!this.#hasObject(entry) || entry.isBusy || signal === undefined || signal.aborted) return;
    entry.isBusy = true;
    const loop = this.#write(entry, signal).finally(() => {
      entry.isBusy = false;
      this.#loops.delete(loop);
      if (entry.isDirty && this.#entries.get(entry.uid) === entry) this.#kick(entry);
    });
    this.#loops.add(loop);
  }

  async #write(entry: Entry, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(retry);
    const { uid } = entry;
    while (this.#entries.get(uid) === entry && this.#hasObject(entry) && !signal.aborted) {
      entry.isDirty = false;
      const target = entry.pod.metadata.uid ?? '';
      try {
        await this.#step(entry, target, signal);
        if (!entry.isDirty) return;
        backoff.reset();
      } catch (error) {
        if (isAbort(error, signal)) return;
        if (isGone(error)) {
          if (!entry.isStatic) this.forget(uid);
          // Another mirror will follow, or has come already.
          else if (this.#mirrors.get(uid)?.metadata.uid === target) this.observeMirror(uid, undefined);
          return;
        }
        this.#deps.log.warn({ err: error, pod: keyOf(entry.pod), uid }, 'could not write the status of a pod, trying again');
        await this.#deps.clock.sleep(backoff.next(), signal).catch(() => undefined);
      }
    }
  }

  async #step(entry: Entry, uid: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const { sinceMs } = entry;
    entry.sinceMs = undefined;
    const patch = entry.wanted === undefined ? undefined : statusPatch(uid, entry.pod.status ?? {}, entry.wanted);
    // What the server makes of it is not compared again: should it see something in another way, we would write for ever.
    if (patch !== undefined) {
      const options = { type: 'strategic', subresource: 'status' } as const;
      try {
        adopt(entry, await client.patch(podKind, keyOf(entry.pod), patch, options, signal));
      } catch (error) {
        entry.sinceMs = sinceMs;
        throw error;
      }
      if (sinceMs !== undefined) this.#deps.onWritten?.(this.#deps.clock.monotonicMs() - sinceMs);
    }
    if (!entry.mayDelete || entry.isDeleted || entry.isDirty) return;
    await client.delete(podKind, keyOf(entry.pod), { uid, gracePeriodSeconds: 0 }, signal);
    entry.isDeleted = true;
  }
}

/** Takes over the object if it is newer than what is known. */
function adopt(entry: Entry, pod: Pod): void {
  const known = BigInt(entry.pod.metadata.resourceVersion ?? 0);
  if (pod.metadata.uid === entry.pod.metadata.uid && BigInt(pod.metadata.resourceVersion ?? 0) >= known) entry.pod = pod;
}

/** The object is no more, or another one has its name. */
function isGone(error: unknown): boolean {
  return hasReason(error, 'NotFound') || (hasReason(error, 'Conflict', 'Invalid') && /uid/i.test(error.message));
}
