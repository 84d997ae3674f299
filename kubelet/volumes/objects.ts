// ConfigMaps and Secrets that pods of this node refer to, each kept up to date by a watch of its own while a pod needs it: a node
// may not see others. A pod says what it needs before it mounts, is woken when one of these changes, and lets go at its end.
import { type ConfigMap, configMap } from '#api/core/config-map.ts';
import { type Secret, secret } from '#api/core/secret.ts';
import type { Resource } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import type { TypedResource } from '#client/client.ts';
import { Informer } from '#client/informer.ts';
import type { ReflectorDeps } from '#client/reflector.ts';

/** What one pod refers to. */
export interface References {
  readonly namespace: string;
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
}

/** A pod does not wait longer for an object that cannot be read; it tries again, and says so. */
const syncLimitMs = 10_000;

interface Watched {
  readonly informer: Informer<KubeObject>;
  readonly synced: Promise<void>;
  readonly stop: AbortController;
  readonly pods: Set<string>;
}

/** The objects that pods refer to, from memory once they are there. */
export class ReferencedObjects implements Service {
  readonly name = 'referenced objects';
  readonly #deps: ReflectorDeps;
  readonly #watched = new Map<string, Watched>();
  readonly #runs = new Set<Promise<void>>();
  #onChange: (podUid: string) => void = () => undefined;

  constructor(deps: ReflectorDeps) {
    this.#deps = deps;
  }

  /** Called when an object that a pod refers to has changed. */
  onChange(listener: (podUid: string) => void): void {
    this.#onChange = listener;
  }

  /** Makes these the objects that the pod needs, and resolves when they can be asked for. Throws when that takes too long. */
  async acquire(podUid: string, references: References, signal: AbortSignal): Promise<void> {
    const wanted = new Set<string>();
    for (const name of references.configMaps) wanted.add(this.#watch(configMap, references.namespace, name, podUid));
    for (const name of references.secrets) wanted.add(this.#watch(secret, references.namespace, name, podUid));
    for (const [key, { pods }] of this.#watched) if (pods.has(podUid) && !wanted.has(key)) this.#drop(key, podUid);
    const all = Promise.all([...wanted].map(async (key) => await this.#watched.get(key)?.synced));
    using deadline = this.#deps.clock.deadline(signal, syncLimitMs);
    await Promise.race([all, aborted(deadline.signal)]);
    signal.throwIfAborted();
    const missing = [...wanted].find((key) => this.#watched.get(key)?.informer.hasSynced === false);
    if (missing === undefined) return;
    const kind = missing.split('/')[0]?.toLowerCase();
    throw new Error(`failed to sync ${kind} cache: timed out waiting for the condition`);
  }

  release(podUid: string): void {
    for (const key of this.#watched.keys()) this.#drop(key, podUid);
  }

  configMap(namespace: string, name: string): ConfigMap | undefined {
    return this.#get(configMap, namespace, name);
  }

  secret(namespace: string, name: string): Secret | undefined {
    return this.#get(secret, namespace, name);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await aborted(signal);
    for (const { stop } of this.#watched.values()) stop.abort(signal.reason);
    await Promise.all(this.#runs);
  }

  #get<T extends KubeObject>(kind: TypedResource<T>, namespace: string, name: string): T | undefined {
    return this.#watched.get(keyOf(kind, namespace, name))?.informer.get({ namespace, name }) as T | undefined;
  }

  #watch<T extends KubeObject>(kind: TypedResource<T>, namespace: string, name: string, podUid: string): string {
    const key = keyOf(kind, namespace, name);
    const known = this.#watched.get(key);
    if (known !== undefined) {
      known.pods.add(podUid);
      return key;
    }
    const selection = { kind, namespace, fieldSelector: `metadata.name=${name}` };
    const informer = new Informer<T>(selection, this.#deps) as unknown as Informer<KubeObject>;
    const synced = Promise.withResolvers<void>();
    const watched: Watched = { informer, synced: synced.promise, stop: new AbortController(), pods: new Set([podUid]) };
    this.#watched.set(key, watched);
    informer.subscribe(() => {
      for (const pod of watched.pods) this.#onChange(pod);
    });
    const run = informer
      .run(watched.stop.signal, () => synced.resolve())
      // An informer ends only because it was stopped.
      .catch(() => undefined)
      .finally(() => this.#runs.delete(run));
    this.#runs.add(run);
    return key;
  }

  #drop(key: string, podUid: string): void {
    const watched = this.#watched.get(key);
    if (watched === undefined || !watched.pods.delete(podUid) || watched.pods.size > 0) return;
    this.#watched.delete(key);
    watched.stop.abort(new Error('no pod needs it any more'));
  }
}

function keyOf(kind: Resource, namespace: string, name: string): string {
  return `${kind.kind}/${namespace}/${name}`;
}
