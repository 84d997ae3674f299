// The shape of a type as data: one tree serves decoding, defaulting of lists, pruning, patching, field ownership and publishing.
// Trees are built once per process (built-ins lazily by definition name, CRDs when they arrive) and never change after that.

/** How server-side apply and strategic merge see a list. */
export interface ListRules {
  /** Published as x-kubernetes-list-type. Undefined is what upstream leaves out: atomic for apply, replaced by strategic merge. */
  readonly listType?: 'atomic' | 'set' | 'map' | undefined;
  /** Published as x-kubernetes-list-map-keys; only with listType 'map'. */
  readonly mapKeys?: readonly string[] | undefined;
  /** Published as x-kubernetes-patch-merge-key: strategic merge matches elements by this property. */
  readonly patchMergeKey?: string | undefined;
  /** Published as x-kubernetes-patch-strategy: 'merge', 'replace', 'retainKeys' or a comma-joined pair. */
  readonly patchStrategy?: string | undefined;
}

interface SchemaBase {
  /** What the property or type means, as published. */
  readonly description?: string | undefined;
}

/** A JSON object with declared properties. `name` is the OpenAPI definition, such as io.k8s.api.core.v1.PodSpec. */
export interface ObjectSchema extends SchemaBase {
  readonly type: 'object';
  readonly name?: string | undefined;
  readonly properties: Readonly<Record<string, Property>>;
  readonly required: readonly string[];
  /** True where undeclared properties are kept (CRDs, embedded resources). */
  readonly preserveUnknown?: boolean | undefined;
  /** Published as x-kubernetes-map-type: apply treats an atomic struct as one value. */
  readonly mapType?: 'atomic' | 'granular' | undefined;
}

/**
 * What decoding makes of an empty or missing value, as Go's encoding would: `drop` leaves the empty one out (omitempty), `keep`
 * leaves everything as sent (pointers), `fill` makes a missing one empty (no omitempty, structs held by value). Default `keep`.
 */
export type Presence = 'drop' | 'keep' | 'fill';

/** A property of an object: its schema and what belongs to this place rather than to the type. */
export interface Property extends ListRules {
  readonly schema: Schema;
  readonly description?: string | undefined;
  readonly presence?: Presence | undefined;
  /** Published as x-kubernetes-map-type where the place differs from the type. */
  readonly mapType?: 'atomic' | 'granular' | undefined;
  /** Go's struct that the property comes from, where the type embeds one: only messages show it. */
  readonly embeddedIn?: string | undefined;
}

/** A JSON array. The rules of merging stand on the property that holds it. */
export interface ArraySchema extends SchemaBase {
  readonly type: 'array';
  readonly items: Schema;
  /** Go's name of the type, such as v1.ExtraValue: only messages show it. */
  readonly typeName?: string | undefined;
}

/** A JSON object with free keys, all values alike. */
export interface MapSchema extends SchemaBase {
  readonly type: 'map';
  readonly values: Schema;
  /** Go's name of its keys' type, such as v1.ResourceName: only messages show it. */
  readonly keyName?: string | undefined;
  readonly mapType?: 'atomic' | 'granular' | undefined;
}

/** A leaf. */
export interface ScalarSchema extends SchemaBase {
  readonly type: 'string' | 'integer' | 'number' | 'boolean';
  /** int32, int64, double, byte (base64), date-time, … */
  readonly format?: string | undefined;
  readonly enum?: readonly string[] | undefined;
  /** Go's name of a string type, such as v1.PullPolicy: only messages show it. */
  readonly typeName?: string | undefined;
}

/** Leaves and blobs that Go marshals in a way of their own. `any` is JSON of any shape; `raw` is RawExtension (an object). */
export interface SpecialSchema extends SchemaBase {
  /** The OpenAPI definition that stands for it, where it is not the usual one of its type. */
  readonly name?: string | undefined;
  readonly type: 'quantity' | 'int-or-string' | 'time' | 'micro-time' | 'any' | 'raw' | 'fields-v1';
}

export type Schema = ObjectSchema | ArraySchema | MapSchema | ScalarSchema | SpecialSchema;
