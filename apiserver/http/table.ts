// Tables: what kubectl prints. A row is made from the decoded object by the kind's columns.
import type { Column, KindDefinition, RowCondition } from '#api/kind.ts';
import { invalid } from '#api/meta/field-problem.ts';
import { ApiError, badRequest } from '#api/meta/status.ts';
import type { Codec } from '#api/schema/codec.ts';
import type { Clock } from '#base/clock.ts';
import type { Encoded } from '../registry/contract.ts';
import { metadataJson, shownObject } from '../storage/shown-object.ts';
import type { Query } from './query.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** What stands in every table, kinds without columns of their own included. */
const defaultColumns: readonly Column<never>[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description:
      'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
    value: (object: { metadata: { name?: string } }) => object.metadata.name ?? '',
  },
  {
    name: 'Created At',
    type: 'date',
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
    value: (object: { metadata: { creationTimestamp?: string } }) => object.metadata.creationTimestamp ?? null,
  },
] as readonly Column<never>[];

/** Packages of upstream's types that are not called like the first part of their group. */
const goPackages: Readonly<Record<string, string>> = {
  '': 'core',
  'events.k8s.io': 'core',
  'internal.apiserver.k8s.io': 'apiserverinternal',
};

/** How much of each object goes into its row. Throws BadRequest for other values. */
export function parseIncludeObject(query: Query): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (value === '' || value === 'Metadata') return 'Metadata';
  if (value === 'None' || value === 'Object') return value;
  const { field, message } = invalid('includeObject', value, "must be 'Metadata', 'Object', 'None', or empty");
  throw badRequest(`Unable to convert to Table as requested: ${field}: ${message}`);
}

/** What tables take from the server: how old objects are, and what columns mean. */
export interface TableDeps {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly codec: Codec;
}

/** What a table takes from what it shows. */
interface Tabled {
  readonly schema: string;
  readonly columns?: readonly Column<never>[];
  readonly rowConditions?: (object: never) => readonly RowCondition[] | undefined;
}

/** Turns objects of one kind into tables. */
export class TableMaker {
  readonly #columns: readonly Column<never>[];
  readonly #conditions: Tabled['rowConditions'];
  readonly #include: IncludeObject;
  readonly #version: string;
  readonly #clockMs: () => number;
  readonly #describe: (column: string) => string;

  constructor(kind: Tabled, include: IncludeObject, version: string, { clock, codec }: TableDeps) {
    this.#columns = (kind.columns ?? defaultColumns) as readonly Column<never>[];
    this.#conditions = kind.rowConditions;
    this.#include = include;
    this.#version = version;
    this.#clockMs = () => clock.nowMs();
    this.#describe = (column) => codec.schemas.columnText(kind.schema, column);
  }

  /** Everything but the rows. `withColumns` is false in all frames of a watch but the first. */
  head(metadata: object, withColumns = true): Record<string, unknown> {
    if (!withColumns) return { kind: 'Table', apiVersion: `meta.k8s.io/${this.#version}`, metadata, columnDefinitions: null };
    const columnDefinitions = this.#columns.map(
      ({ name, type = 'string', format = '', description = this.#describe(name), priority = 0 }) => ({
        name,
        type,
        format,
        description,
        priority,
      }),
    );
    return { kind: 'Table', apiVersion: `meta.k8s.io/${this.#version}`, metadata, columnDefinitions };
  }

  row(encoded: Encoded): Buffer {
    const object = shownObject(encoded) as never;
    const nowMs = this.#clockMs();
    const cells = this.#columns.map(({ value }) => value(object, nowMs));
    const conditions = this.#conditions?.(object);
    const said = conditions === undefined ? '' : `,"conditions":${JSON.stringify(conditions)}`;
    return joined(`{"cells":${JSON.stringify(cells)}${said},"object":`, this.#object(encoded), '}');
  }

  /** The table of one object; `row` where another process has made it. */
  single(encoded: Encoded, withColumns = true, row: Uint8Array = this.row(encoded)): Buffer {
    return this.#table(encoded, row, withColumns);
  }

  /** The table that stands for a bookmark: a row without cells. */
  bookmark(encoded: Encoded, withColumns: boolean): Buffer {
    return this.#table(encoded, joined('{"cells":[],"object":', encoded.json, '}'), withColumns);
  }

  #table(encoded: Encoded, row: Uint8Array, withColumns: boolean): Buffer {
    const head = JSON.stringify(this.head({ resourceVersion: encoded.resourceVersion }, withColumns));
    return joined(`${head.slice(0, -1)},"rows":[`, row, ']}');
  }

  #object(encoded: Encoded): Uint8Array {
    if (this.#include === 'None') return nothing;
    if (this.#include === 'Object') return encoded.json;
    return partialJson(encoded, this.#version);
  }
}

const nothing = Buffer.from('null');

/** The JSON of an object reduced to its metadata. */
export function partialJson(encoded: Encoded, version: string): Buffer {
  return joined(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":`, metadataJson(encoded), '}');
}

/** JSON between two texts. */
export function joined(before: string, json: Uint8Array, after: string): Buffer {
  return Buffer.concat([Buffer.from(before), json, Buffer.from(after)]);
}

/** The refusal of metadata alone for a list, or of a list of it for one object; upstream names its own types. */
export function notTransformable({ group, kind }: KindDefinition, given: 'object' | 'list'): ApiError {
  const [wanted, what] = given === 'list' ? ['PartialObjectMetadata', 'is a list'] : ['PartialObjectMetadataList', 'is not a list'];
  const type = `*${goPackages[group] ?? group.split('.')[0]}.${kind}${given === 'list' ? 'List' : ''}`;
  return new ApiError({ reason: 'NotAcceptable', message: `you requested ${wanted}, but the requested object ${what} (${type})` });
}
