// What a controller is: which kind it reconciles, what else it reads and writes, what wakes it, and one step.
// Queue, retries, workers, metrics, events and shutdown live once, in controller.ts beside this file.
import type { KubeObject, ObjectKey } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { AnyKind, Client, TypedResource } from '../client.ts';

/** The result of a reconcile: done until something changes, or requeued after a delay. To retry with back-off, throw. */
export type Outcome = { readonly kind: 'done' } | { readonly kind: 'again'; readonly ms: number };

export const done: Outcome = { kind: 'done' };

/** Requeues the object after `ms` milliseconds, whether or not it changes. */
export function again(ms: number): Outcome {
  return { kind: 'again', ms };
}

/** A failure that a retry cannot resolve: logged once, and not retried until the object changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** Read access to informer caches. Objects are shared and must not be changed. Throws for kinds that were not declared. */
export interface CacheReader {
  get<T extends KubeObject>(kind: TypedResource<T>, key: ObjectKey): T | undefined;
  /** All cached objects, of one namespace where given. */
  list<T extends KubeObject>(kind: TypedResource<T>, namespace?: string): readonly T[];
  /** Objects whose ownerReferences name this uid (any kind of reference); served by an index. */
  ownedBy<T extends KubeObject>(kind: TypedResource<T>, ownerUid: string): readonly T[];
  /** Objects under one value of an index that the process gave this kind's cache. Throws for an index that it did not. */
  byIndex<T extends KubeObject>(kind: TypedResource<T>, index: string, value: string): readonly T[];
}

/** Records an Event about an object; similar events are counted up, not repeated. Never throws, never blocks. */
export interface EventRecorder {
  event(object: KubeObject & { apiVersion?: string; kind?: string }, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

/** Maps a change of another kind to the keys of the reconciled kind to enqueue. */
export interface Wake<T extends KubeObject = KubeObject> {
  readonly kind: TypedResource<T>;
  /** `previous` is undefined for additions; `object` is the last known state for removals. The cache shows the change already. */
  readonly keys: (object: T, previous: T | undefined, cache: CacheReader, type: 'added' | 'updated' | 'removed') => readonly ObjectKey[];
}

/** Types one wake-up rule. */
export function on<T extends KubeObject>(kind: TypedResource<T>, keys: Wake<T>['keys']): Wake {
  return { kind, keys } as unknown as Wake;
}

/** The key of the controlling owner when it is of `ownerKind`: the usual wake-up rule for children. */
export function controllerOf(ownerKind: { group: string; kind: string }): (object: KubeObject) => readonly ObjectKey[] {
  return (object) => {
    const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
    if (owner === undefined || owner.kind !== ownerKind.kind) return [];
    const group = owner.apiVersion.includes('/') ? owner.apiVersion.slice(0, owner.apiVersion.indexOf('/')) : '';
    return group === ownerKind.group ? [{ namespace: object.metadata.namespace, name: owner.name }] : [];
  };
}

export interface ReconcileContext {
  readonly key: ObjectKey;
  readonly cache: CacheReader;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface ControllerDefinition<T extends KubeObject = KubeObject> {
  /** Upstream's name: `deployment-controller`, `ttl-after-finished-controller`. Its rights and its selection go by it. */
  readonly name: string;
  /** Where one controller is several loops: what sets this one's queue apart in metrics and logs. Default: the name. */
  readonly queue?: string;
  readonly reconciles: TypedResource<T>;
  /** Other kinds whose caches it reads. */
  readonly reads: readonly AnyKind[];
  /** Kinds it writes. */
  readonly writes: readonly AnyKind[];
  readonly wakes?: readonly Wake[];
  /** Concurrent reconciles of different keys; default 5. */
  readonly workers?: number;
  /** One level-driven step for `key`: reads the caches, writes the difference. */
  readonly reconcile: (context: ReconcileContext) => Promise<Outcome>;
}

/**
 * Declares a controller. Controllers that keep state between reconciles (expectations, rate limits) export a function that
 * makes the definition, so that two can live in one process.
 */
export function defineController<T extends KubeObject>(definition: ControllerDefinition<T>): ControllerDefinition {
  return definition as unknown as ControllerDefinition;
}
