// The contract between components and the API server, in typed form. `client/rest.ts` implements it over HTTPS;
// `testing/` implements nothing of it: tests use the real client against a real API server in process.
import type { Resource } from '#api/kind.ts';
import type { Json, KubeList, KubeObject, ObjectKey } from '#api/meta/object.ts';

/** A kind with its object type, as the declarations in `api/` are. */
export interface TypedResource<T extends KubeObject> extends Resource {
  /** Never read: carries the type. */
  readonly columns?: readonly { readonly value: (object: T, nowMs: number) => unknown }[];
}

/** A kind whose object type does not matter at this place. */
export type AnyKind = TypedResource<never>;

export interface ListOptions {
  /** Undefined lists all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  /** '0' reads from the server's cache; undefined asks for the newest. */
  readonly resourceVersion?: string | undefined;
}

export interface WatchOptions extends ListOptions {
  readonly allowBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: { metadata: { resourceVersion: string; annotations?: Record<string, string> } } };

export interface WriteOptions {
  /** '' or absent is the object itself; else `status`, `scale`, `binding`, `token`, `eviction`, … */
  readonly subresource?: string;
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export interface PatchOptions extends WriteOptions {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply';
  /** Only for 'apply': take over fields that others own. */
  readonly force?: boolean;
}

export interface DeleteOptions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  readonly gracePeriodSeconds?: number | undefined;
}

/** All methods throw ApiError for answers of the server, and TransportError where no answer came. None retries. */
export interface Client {
  get<T extends KubeObject>(kind: TypedResource<T>, key: ObjectKey, signal: AbortSignal): Promise<T>;
  list<T extends KubeObject>(kind: TypedResource<T>, options: ListOptions, signal: AbortSignal): Promise<KubeList<T>>;
  /** The key's namespace comes from the object's metadata. */
  create<T extends KubeObject>(kind: TypedResource<T>, object: NewObject<T>, options: WriteOptions, signal: AbortSignal): Promise<T>;
  /** Posts to a sub-resource of a named object (`pods/x/binding`, `serviceaccounts/x/token`). Answers what the server says. */
  createSub(kind: Resource, key: ObjectKey, subresource: string, body: object, signal: AbortSignal): Promise<Json>;
  /** Guarded by the object's resourceVersion when it has one. */
  update<T extends KubeObject>(kind: TypedResource<T>, object: T, options: WriteOptions, signal: AbortSignal): Promise<T>;
  patch<T extends KubeObject>(
    kind: TypedResource<T>,
    key: ObjectKey,
    body: Json | object,
    options: PatchOptions,
    signal: AbortSignal,
  ): Promise<T>;
  delete(kind: Resource, key: ObjectKey, options: DeleteOptions, signal: AbortSignal): Promise<void>;
  deleteCollection(kind: Resource, options: ListOptions & DeleteOptions, signal: AbortSignal): Promise<void>;
  /** One watch connection; ends when the server ends it. Throws ApiError (reason Expired or Gone) for an ERROR event. */
  watch<T extends KubeObject>(kind: TypedResource<T>, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
  /** Any path, parsed as JSON; for discovery, health and the like. */
  raw(method: string, path: string, body: unknown, signal: AbortSignal): Promise<Json>;
}

/** What one sends to create: metadata and the rest, without what the server fills in. */
export type NewObject<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind'> & { apiVersion?: string; kind?: string };

/** No answer came: refused, reset, timed out, not TLS. `cause` says why. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
}
