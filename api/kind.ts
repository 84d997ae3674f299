// The declaration of a kind: one constant holds everything specific to it. Routes, discovery, tables, caches, patches and published
// schemas are derived from it at run time, and the generic registry calls its rules. Pure: no I/O here.
import type { FieldProblem } from './meta/field-problem.ts';
import type { NameCheck } from './meta/names.ts';
import type { KubeObject } from './meta/object.ts';
import type { ResetFields } from './patch/reset-fields.ts';

export interface KindNames {
  /** `deployments`. */
  readonly plural: string;
  /** Default: the kind in lower case. */
  readonly singular?: string;
  readonly short?: readonly string[];
  /** `all` and the like. */
  readonly categories?: readonly string[];
}

/** What clients need to address objects of a kind. */
export interface Resource {
  /** '' is the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly scope: 'namespaced' | 'cluster';
  readonly names: KindNames;
}

/** A cell of a Table: what kubectl prints. Integers stay numbers where the column says integer. */
export type Cell = string | number | boolean | null;

/** As `metav1.TableRowCondition`. */
export interface RowCondition {
  readonly type: 'Completed';
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
}

export interface Column<T> {
  readonly name: string;
  readonly type?: 'string' | 'integer' | 'date' | 'boolean';
  readonly format?: string;
  readonly description?: string;
  /** 1 is shown only with `-o wide`; default 0. */
  readonly priority?: number;
  readonly value: (object: T, nowMs: number) => Cell;
}

/** Sets defaults in place; must be idempotent. */
export type DefaultRule<T> = (object: T) => void;

export interface ScaleRule {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** Path of the label selector (object or map), for `status.selector`. */
  readonly selector?: string;
}

export interface Subresources {
  readonly status?: boolean;
  readonly scale?: ScaleRule;
  /**
   * Others by name, with their verbs and the kind they accept or return, for routing, discovery and OpenAPI; they are implemented in
   * apiserver/subresources.
   */
  readonly other?: Readonly<Record<string, SubresourceRule>>;
}

export interface SubresourceRule {
  readonly verbs: readonly ('create' | 'delete' | 'get' | 'update' | 'patch')[];
  readonly kind: string;
  /** Set where it differs from the parent's. */
  readonly group?: string;
  readonly version?: string;
}

/** The write that a rule is applied to. */
export interface WriteContext {
  readonly verb: 'create' | 'update';
  /** '' for the object itself, else `status`, `scale`, `ephemeralcontainers`, … */
  readonly subresource: string;
  readonly nowMs: number;
  /** The user who writes; undefined for internal writes. */
  readonly user?: WritingUser | undefined;
}

/** The user of a write, as far as objects may record it. */
export interface WritingUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface KindDefinition<T extends KubeObject = KubeObject> extends Resource {
  /** Name of the derived schema, such as io.k8s.api.apps.v1.Deployment. */
  readonly schema: string;
  /** Verbs other than the full set (create, delete, deletecollection, get, list, patch, update, watch). */
  readonly verbs?: readonly string[];
  /** Applied in this order after decoding, to request bodies and to stored objects. */
  readonly defaults?: readonly DefaultRule<T>[];
  /** Validation compiles expressions of the object, at some milliseconds per 10 KiB. */
  readonly compilesTexts?: true;
  /** Validates a new object; its metadata is validated by the registry before. */
  readonly validate?: (object: T, context: WriteContext) => FieldProblem[];
  /** Validates an update against the old object, in addition to `validate`. */
  readonly validateUpdate?: (next: T, prev: T, context: WriteContext) => FieldProblem[];
  /** Validates the name; default: a DNS subdomain. Returns messages. */
  readonly validateName?: NameCheck;
  /** Runs before validation on create: clears what clients may not set (status and the like). Changes `object` in place. */
  readonly prepareCreate?: (object: T, context: WriteContext) => void;
  /** Runs before validation on update: carries over what this endpoint may not change. Changes `next` in place. Status isolation is generic. */
  readonly prepareUpdate?: (next: T, prev: T, context: WriteContext) => void;
  /** Says when metadata.generation rises; default: when anything outside metadata and status changed, if `hasGeneration`. */
  readonly bumpsGeneration?: (next: T, prev: T) => boolean;
  /** True for kinds whose metadata.generation is kept. */
  readonly hasGeneration?: boolean;
  /**
   * For features that are not implemented: why this object, though valid, is rejected; undefined where it is accepted. Applied after
   * validation, also to dry runs, so that no client waits for an effect that never comes. Reads, deletes,
   * discovery and OpenAPI are not affected.
   */
  readonly notYet?: (object: T) => string | undefined;
  /** Warnings for the client (sent as headers). */
  readonly warnings?: (object: T, prev: T | undefined) => string[];
  /** Those for clients that write the status: they can do nothing about the rest. Default: none. */
  readonly statusWarnings?: (object: T) => string[];
  /** A warning that every request for the kind gets, reads included: `v1 Endpoints is deprecated in …`. */
  readonly deprecation?: string;
  readonly subresources?: Subresources;
  /**
   * What an endpoint resets, so that it has no field manager there, by subresource ('' is the object's own). For kinds with a status,
   * those that are not named here reset `status` at their own endpoint and `spec` at that of the status.
   */
  readonly resetFields?: Readonly<Record<string, ResetFields>>;
  /** All columns of its Table, name and age included; undefined where upstream has none either. */
  readonly columns?: readonly Column<T>[];
  /** What a row of the Table says of its object beside the cells; undefined where that is nothing. */
  readonly rowConditions?: (object: T) => readonly RowCondition[] | undefined;
  /** Field selectors besides metadata.name and metadata.namespace: label to value ('' when unset). */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** The selectable field by which upstream indexes what it lists: a page's end is then judged by objects with the same value alone. */
  readonly listIndex?: string;
  /** What those read besides `metadata` and the paths that they are named after: one or two members deep. */
  readonly selectionReads?: readonly string[];
  /** What is said of other fields in a selector; default `field label not supported: …`. */
  readonly unknownFieldText?: (field: string) => string;
  /** Graceful deletion: how long an object being deleted stays, in seconds; 0 is at once, undefined or absent means none. Pods only, so far. */
  readonly gracefulDeletion?: (object: T, requestedSeconds: number | undefined) => number | undefined;
  /**
   * Deletion that begins by marking the object and holds it as long as `isHeld` says, besides metadata.finalizers: namespaces become
   * Terminating and stay while spec.finalizers has entries. `begin` changes the object in place.
   */
  readonly deletionHold?: { readonly begin: (object: T) => void; readonly isHeld: (object: T) => boolean };
  /**
   * Default orphaning when a DELETE does not say; upstream's default is background. `Unsupported`: the garbage collector has nothing to
   * do with the kind, whatever a DELETE says.
   */
  readonly defaultPropagation?: 'Orphan' | 'Background' | 'Unsupported';
  /** What a DELETE that does not say what becomes of dependents is warned of, where the default is to leave them. */
  readonly orphanWarning?: string;
  /** How long objects live in the store, in seconds (events: 3600). */
  readonly ttlSeconds?: number;
  /** Objects may be made by PUT to a name that does not exist (leases, events, endpoints, …). */
  readonly createOnUpdate?: boolean;
  /** PUT without a resourceVersion overwrites; upstream's AllowUnconditionalUpdate; default true. */
  readonly unconditionalUpdate?: boolean;
  /** A DELETE that removes the object answers it, where others answer a Status. */
  readonly answersDeleted?: boolean;
  /** Served here, stored as another kind: Event of events.k8s.io is stored as core's. */
  readonly storedAs?: { readonly group: string; readonly version: string; readonly kind: string };
  /** Conversion between this served form and the stored one; both must be total and lossless. */
  readonly toStored?: (object: T) => KubeObject;
  readonly fromStored?: (object: KubeObject) => T;
}

/** Declares a kind. Only fixes the type: the constant is the declaration. */
export function defineKind<T extends KubeObject>(definition: KindDefinition<T>): KindDefinition<T> {
  return definition;
}

/** The age column, which nearly every kind has: kubectl prints it from the time. */
export const ageDescription = 'CreationTimestamp is a timestamp representing the server time when this object was created.';
