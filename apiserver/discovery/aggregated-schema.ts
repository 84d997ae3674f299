// The types of apidiscovery.k8s.io/v2 for protobuf. They are in no published document, so their shapes stand here; the numbers of their
// fields stand with those of all types.
import type { ObjectSchema, Presence, Property, Schema } from '#api/schema/schema.ts';
import type { SchemaSet } from '#api/schema/schemas.ts';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const aggregatedKind = { group: 'apidiscovery.k8s.io', version: 'v2', kind: 'APIGroupDiscoveryList' } as const;

/** The schema of APIGroupDiscoveryList. */
export function aggregatedSchema(schemas: Pick<SchemaSet, 'get'>): ObjectSchema {
  const kind = struct(`${meta}.GroupVersionKind`, { group: text, version: text, kind: text });
  const subresource = struct('io.k8s.api.apidiscovery.v2.APISubresourceDiscovery', {
    subresource: text,
    responseKind: pointer(kind),
    acceptedTypes: list(kind),
    verbs: texts,
  });
  const resource = struct('io.k8s.api.apidiscovery.v2.APIResourceDiscovery', {
    resource: text,
    responseKind: pointer(kind),
    scope: text,
    singularResource: text,
    verbs: texts,
    shortNames: texts,
    categories: texts,
    subresources: list(subresource),
  });
  const version = struct('io.k8s.api.apidiscovery.v2.APIVersionDiscovery', { version: text, resources: list(resource), freshness: text });
  const group = struct('io.k8s.api.apidiscovery.v2.APIGroupDiscovery', {
    metadata: value(schemas.get(`${meta}.ObjectMeta`)),
    versions: list(version),
  });
  return struct('io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList', {
    metadata: value(schemas.get(`${meta}.ListMeta`)),
    items: list(group),
  });
}

const string: Schema = { type: 'string' };
const text = property(string, 'fill');
const texts = property({ type: 'array', items: string }, 'fill');

function value(schema: Schema): Property {
  return property(schema, 'fill');
}

function pointer(schema: Schema): Property {
  return property(schema, 'keep');
}

function list(items: Schema): Property {
  return property({ type: 'array', items }, 'fill');
}

function property(schema: Schema, presence: Presence): Property {
  return { schema, presence };
}

function struct(name: string, properties: Readonly<Record<string, Property>>): ObjectSchema {
  return { type: 'object', name, properties, required: [] };
}
