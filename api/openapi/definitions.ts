// Schemas as both versions of OpenAPI write them. Version 2 puts a reference beside its description; version 3 wraps it, and says
// what Go fills in as defaults.
import type { JsonObject, Json } from '#api/meta/object.ts';
import { unions } from '#api/schema/facts-special.ts';
import type { Property, Schema } from '#api/schema/schema.ts';
import type { GroupVersionKind, SchemaSet } from '#api/schema/schemas.ts';
import { metaPackage } from './operations.ts';

type Dialect = 'v2' | 'v3';

const jsonPackage = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Definitions that are no structs: what they mean, and how either version shows them. */
const special: Readonly<Record<string, { readonly description: string; readonly v2: JsonObject; readonly v3?: JsonObject }>> = {
  [`${metaPackage}.Time`]: {
    description: 'A moment in RFC 3339, kept in UTC and whole seconds.',
    v2: { type: 'string', format: 'date-time' },
  },
  [`${metaPackage}.MicroTime`]: {
    description: 'A moment in RFC 3339, kept in UTC with six digits behind the second.',
    v2: { type: 'string', format: 'date-time' },
  },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    description:
      'An exact amount, such as 500m, 1.5Gi or 12e6: a decimal number with a suffix for a power of ten (n, u, m, k, M, G, T, P, E, or an exponent) or of two (Ki, Mi, Gi, Ti, Pi, Ei). Kept with the largest suffix that leaves no fraction.',
    v2: { type: 'string' },
    v3: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
    description: 'A whole number or a string, such as a percentage or the name of a port.',
    v2: { type: 'string', format: 'int-or-string' },
    v3: { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
  },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { description: 'An object of any kind, kept as it came.', v2: { type: 'object' } },
  [`${metaPackage}.FieldsV1`]: {
    description:
      'A set of fields as nested objects: f:name is a field, k:{…} an element by its keys, v:… one by its value, i:… one by its index, and . the thing itself.',
    v2: { type: 'object' },
  },
  [`${metaPackage}.Patch`]: { description: 'The body of a PATCH, in the form that its media type says.', v2: { type: 'object' } },
  [`${jsonPackage}.JSON`]: { description: 'Any JSON value.', v2: {} },
  [`${jsonPackage}.JSONSchemaPropsOrArray`]: { description: 'One schema or a list of them.', v2: {} },
  [`${jsonPackage}.JSONSchemaPropsOrBool`]: { description: 'A schema, or a boolean that allows everything or nothing.', v2: {} },
  [`${jsonPackage}.JSONSchemaPropsOrStringArray`]: { description: 'A schema or a list of property names.', v2: {} },
};

/** The definition that a leaf refers to; undefined for plain scalars. */
function leafDefinition(schema: Exclude<Schema, { type: 'object' | 'array' | 'map' }>): string | undefined {
  switch (schema.type) {
    case 'time':
      return `${metaPackage}.Time`;
    case 'micro-time':
      return `${metaPackage}.MicroTime`;
    case 'int-or-string':
      return 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
    case 'quantity':
      return 'io.k8s.apimachinery.pkg.api.resource.Quantity';
    case 'raw':
      return 'io.k8s.apimachinery.pkg.runtime.RawExtension';
    case 'fields-v1':
      return `${metaPackage}.FieldsV1`;
    case 'any':
      return schema.name;
    default:
      return undefined;
  }
}

/** Every definition that can be reached from these, these included, sorted by name. */
export function reachableDefinitions(roots: Iterable<string>, schemas: SchemaSet): string[] {
  const found = new Set<string>();
  const waiting = [...roots];
  const visit = (schema: Schema): void => {
    if (schema.type === 'array') visit(schema.items);
    else if (schema.type === 'map') visit(schema.values);
    else {
      const name = schema.type === 'object' ? schema.name : leafDefinition(schema);
      if (name !== undefined) waiting.push(name);
    }
  };
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    if (Object.hasOwn(special, name)) continue;
    for (const property of Object.values(schemas.get(name).properties)) visit(property.schema);
  }
  return [...found].toSorted();
}

/** Writes definitions in one version of OpenAPI. */
export class DefinitionWriter {
  readonly #schemas: SchemaSet;
  readonly #dialect: Dialect;
  /** What DeleteOptions and WatchEvent are of: every group version that is served. */
  readonly #groupVersions: readonly { readonly group: string; readonly version: string }[];

  constructor(schemas: SchemaSet, dialect: Dialect, groupVersions: readonly { readonly group: string; readonly version: string }[]) {
    this.#schemas = schemas;
    this.#dialect = dialect;
    this.#groupVersions = groupVersions;
  }

  /** A reference to a definition. */
  reference(name: string): JsonObject {
    return { $ref: `${this.#dialect === 'v2' ? '#/definitions/' : '#/components/schemas/'}${name}` };
  }

  definition(name: string): JsonObject {
    const known = Object.hasOwn(special, name) ? special[name] : undefined;
    if (known !== undefined) return { description: known.description, ...(this.#dialect === 'v3' ? (known.v3 ?? known.v2) : known.v2) };
    const schema = this.#schemas.get(name);
    const texts = this.#schemas.texts(name);
    const result: JsonObject = {};
    if (texts.text !== undefined) result.description = texts.text;
    const properties = Object.entries(schema.properties).toSorted(([left], [right]) => (left < right ? -1 : 1));
    if (properties.length > 0) {
      result.properties = Object.fromEntries(
        properties.map(([key, property]) => [key, this.#property(property, property.description ?? texts.property(key))]),
      );
    }
    if (schema.required.length > 0) result.required = [...schema.required];
    result.type = 'object';
    if (schema.mapType !== undefined) result['x-kubernetes-map-type'] = schema.mapType;
    const kinds = this.#kinds(name);
    if (kinds.length > 0) result['x-kubernetes-group-version-kind'] = kinds;
    const union = Object.hasOwn(unions, name) ? unions[name] : undefined;
    if (union !== undefined) {
      const { discriminator, fields } = union;
      const text: JsonObject = { 'fields-to-discriminateBy': { ...fields } };
      result['x-kubernetes-unions'] = [discriminator === undefined ? text : { discriminator, ...text }];
    }
    return result;
  }

  #kinds(name: string): JsonObject[] {
    const own = this.#schemas.kindOf(name);
    if (own === undefined) return [];
    const isEverywhere = name === `${metaPackage}.DeleteOptions` || name === `${metaPackage}.WatchEvent`;
    const all: GroupVersionKind[] = isEverywhere ? this.#groupVersions.map((one) => ({ ...one, kind: own.kind })) : [own];
    const place = ({ group, version }: GroupVersionKind): string => `${group}/${version}`;
    return all
      .toSorted((left, right) => (place(left) < place(right) ? -1 : 1))
      .map(({ group, version, kind }) => ({ group, kind, version }));
  }

  #property(property: Property, description: string | undefined): JsonObject {
    const extra: JsonObject = {};
    if (description !== undefined) extra.description = description;
    if (this.#dialect === 'v3') {
      const value = defaultOf(property);
      if (value !== undefined) extra.default = value;
    }
    if (property.mapKeys !== undefined) extra['x-kubernetes-list-map-keys'] = [...property.mapKeys];
    if (property.listType !== undefined) extra['x-kubernetes-list-type'] = property.listType;
    if (property.mapType !== undefined) extra['x-kubernetes-map-type'] = property.mapType;
    if (property.patchMergeKey !== undefined) extra['x-kubernetes-patch-merge-key'] = property.patchMergeKey;
    if (property.patchStrategy !== undefined) extra['x-kubernetes-patch-strategy'] = property.patchStrategy;
    return this.#with(this.#schema(property.schema), extra);
  }

  /** Version 3 ignores what stands beside a reference, so there it is wrapped. */
  #with(schema: JsonObject, extra: JsonObject): JsonObject {
    if (Object.keys(extra).length === 0) return schema;
    return this.#dialect === 'v3' && schema.$ref !== undefined ? { allOf: [schema], ...extra } : { ...schema, ...extra };
  }

  #schema(schema: Schema): JsonObject {
    switch (schema.type) {
      case 'object':
        return schema.name === undefined ? { type: 'object' } : this.reference(schema.name);
      case 'array':
        return { type: 'array', items: this.#element(schema.items) };
      case 'map':
        return { type: 'object', additionalProperties: this.#element(schema.values) };
      default: {
        const name = leafDefinition(schema);
        if (name !== undefined) return this.reference(name);
        if (schema.type === 'any') return {};
        const format = 'format' in schema ? schema.format : undefined;
        return format === undefined ? { type: schema.type } : { format, type: schema.type };
      }
    }
  }

  #element(schema: Schema): JsonObject {
    const value = this.#dialect === 'v3' ? zeroOf(schema) : undefined;
    return this.#with(this.#schema(schema), value === undefined ? {} : { default: value });
  }
}

/** The default that upstream's generator publishes: the zero of what Go always writes. */
function defaultOf({ presence, schema }: Property): Json | undefined {
  return presence === 'fill' ? zeroOf(schema) : undefined;
}

function zeroOf(schema: Schema): Json | undefined {
  switch (schema.type) {
    case 'object':
      return {};
    case 'string':
      return schema.format === 'byte' ? undefined : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return undefined;
  }
}
