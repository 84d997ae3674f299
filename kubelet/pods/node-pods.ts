// The pods of this node: those that the API binds to it, and those that it runs by itself. Mirror pods, which only show the latter, are
// not among them; `onMirror` hears of those.
import { configSourceAnnotation, isMirrorPod } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Change, Informer, Subscriber } from '#client/informer.ts';
import type { StaticPods } from '../static/static-pods.ts';
import { fullNameOf } from './full-name.ts';

/** The pods that an API server binds to this node. */
export type ApiPods = Pick<Informer<Pod>, 'hasSynced' | 'synced' | 'list' | 'get' | 'subscribe'>;

/** What the workers ask for. */
export class NodePods {
  readonly #api: ApiPods;
  readonly #statics: StaticPods;

  /** Resolves when `hasSynced` is true. */
  readonly synced: Promise<void>;

  /** `api`: pods with spec.nodeName of this node. */
  constructor(api: ApiPods, statics: StaticPods) {
    this.#api = api;
    this.#statics = statics;
    this.synced = Promise.all([api.synced, statics.synced]).then(() => undefined);
  }

  /** True once everything that should run is known: what else runs may be ended. */
  get hasSynced(): boolean {
    return this.#api.hasSynced && this.#statics.hasSynced;
  }

  /** True once it is known which mirror pods there are. */
  get knowsMirrors(): boolean {
    return this.#api.hasSynced;
  }

  list(): readonly Pod[] {
    return [...this.#statics.list(), ...this.#api.list().filter((pod) => !isMirrorPod(pod))];
  }

  statics(): readonly Pod[] {
    return this.#statics.list();
  }

  mirrors(): readonly Pod[] {
    return this.#api.list().filter(isMirrorPod);
  }

  /** True while the pod that was seen with this name and uid is there. */
  has({ metadata }: Pod): boolean {
    const uid = metadata.uid ?? '';
    return (
      this.#statics.byUid(uid) !== undefined ||
      this.#api.get({ namespace: metadata.namespace, name: metadata.name ?? '' })?.metadata.uid === uid
    );
  }

  find(namespace: string, name: string): Pod | undefined {
    const fullName = fullNameOf({ metadata: { namespace, name } });
    const found = this.#api.get({ namespace, name });
    return found === undefined || isMirrorPod(found) ? this.#statics.list().find((pod) => fullNameOf(pod) === fullName) : found;
  }

  subscribe(subscriber: Subscriber<Pod>): () => void {
    const ends = [
      this.#statics.subscribe(subscriber),
      this.#api.subscribe((change) => {
        if (!isMirrorPod(change.object)) subscriber(change);
      }),
    ];
    return () => ends.forEach((end) => end());
  }

  /** Mirror pods, and what becomes of them. */
  onMirror(subscriber: Subscriber<Pod>): void {
    this.#api.subscribe((change: Change<Pod>) => {
      if (isMirrorPod(change.object)) subscriber(change);
    });
  }

  onStatic(subscriber: Subscriber<Pod>): void {
    this.#statics.subscribe(subscriber);
  }
}

/** Removes static-pod annotations, so that a pod of the API cannot pass for a static pod. Changes its argument. */
export function withoutSource(pod: Pod): Pod {
  const { annotations } = pod.metadata;
  if (annotations !== undefined && Object.hasOwn(annotations, configSourceAnnotation) && !isMirrorPod(pod)) {
    annotations[configSourceAnnotation] = 'api';
  }
  return pod;
}
