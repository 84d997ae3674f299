// The static pods of this node, from all sources. A source always sets its complete list; subscribers are notified of the
// differences. (pkg/kubelet/config/config.go)
import { configSeenAnnotation, configSourceAnnotation } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import { equalValues } from '#api/meta/equality.ts';
import { timeText } from '#api/meta/time-text.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Change, Subscriber } from '#client/informer.ts';
import { fullNameOf } from '../pods/full-name.ts';

export type SourceName = 'file' | 'http';

export class StaticPods {
  readonly #clock: Clock;
  readonly #log: Log;
  /** By uid; undefined until a source has set its list. */
  readonly #sources: Map<SourceName, ReadonlyMap<string, Pod> | undefined>;
  readonly #subscribers = new Set<Subscriber<Pod>>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(sources: readonly SourceName[], clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#sources = new Map(sources.map((name) => [name, undefined]));
    if (this.hasSynced) this.#synced.resolve();
  }

  /** Resolves when `hasSynced` is true. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** True once every source has set its list. */
  get hasSynced(): boolean {
    return [...this.#sources.values()].every((one) => one !== undefined);
  }

  list(): readonly Pod[] {
    return [...this.#sources.values()].flatMap((pods) => [...(pods?.values() ?? [])]);
  }

  byUid(uid: string): Pod | undefined {
    return [...this.#sources.values()].map((pods) => pods?.get(uid)).find((pod) => pod !== undefined);
  }

  /** Calls `subscriber` with the existing pods (as added), then with every change. */
  subscribe(subscriber: Subscriber<Pod>): () => void {
    for (const object of this.list()) subscriber({ type: 'added', object });
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** All pods of one source. Of several with one name, the first counts. */
  set(source: SourceName, pods: readonly Pod[]): void {
    const before = this.#sources.get(source) ?? new Map<string, Pod>();
    const now = new Map<string, Pod>();
    const names = new Set<string>();
    for (const pod of pods) {
      const name = fullNameOf(pod);
      const uid = pod.metadata.uid ?? '';
      if (names.has(name)) this.#log.warn({ pod: name, source }, 'two static pods have one name, the second is ignored');
      else now.set(uid, this.#annotated(pod, source, before.get(uid)));
      names.add(name);
    }
    this.#sources.set(source, now);
    for (const [uid, object] of before) if (!now.has(uid)) this.#notify({ type: 'removed', object });
    for (const [uid, object] of now) {
      const previous = before.get(uid);
      if (previous === undefined) this.#notify({ type: 'added', object });
      else if (!isSame(previous, object)) this.#notify({ type: 'updated', object, previous });
    }
    if (this.hasSynced) this.#synced.resolve();
  }

  #annotated(pod: Pod, source: SourceName, known: Pod | undefined): Pod {
    const seen = known?.metadata.annotations?.[configSeenAnnotation] ?? timeText(this.#clock.nowMs());
    const annotations = { ...pod.metadata.annotations, [configSourceAnnotation]: source, [configSeenAnnotation]: seen };
    return { ...pod, metadata: { ...pod.metadata, annotations } };
  }

  #notify(change: Change<Pod>): void {
    for (const subscriber of this.#subscribers) subscriber(change);
  }
}

function isSame(a: Pod, b: Pod): boolean {
  const said = ({ metadata, spec }: Pod): unknown => [metadata.labels, metadata.annotations, spec];
  return equalValues(said(a), said(b));
}
