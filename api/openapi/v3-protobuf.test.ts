import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { JsonObject } from '#api/meta/object.ts';
import { builtinSchemas } from '#api/schema/schemas.ts';
import { buildOpenApiV3 } from './v3.ts';
import { encodeOpenApiV3 } from './v3-protobuf.ts';

/** Gnostic's OpenAPI v3 messages, as far as our documents have them, with its numbers. */
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Any { string yaml = 2; }
  message NamedAny { string name = 1; Any value = 2; }
  message Info { string title = 1; string version = 6; }
  message Reference { string ref = 1; }
  message SchemaOrReference { oneof oneof { Schema schema = 1; Reference reference = 2; } }
  message NamedSchemaOrReference { string name = 1; SchemaOrReference value = 2; }
  message Properties { repeated NamedSchemaOrReference properties = 1; }
  message ItemsItem { repeated SchemaOrReference schema_or_reference = 1; }
  message AdditionalPropertiesItem { oneof oneof { SchemaOrReference schema_or_reference = 1; bool boolean = 2; } }
  message DefaultType { oneof oneof { double number = 1; bool boolean = 2; string string = 3; } }
  message Schema {
    bool unique_items = 20; repeated string required = 23; string type = 25; repeated SchemaOrReference all_of = 26;
    repeated SchemaOrReference one_of = 27; ItemsItem items = 30; Properties properties = 31;
    AdditionalPropertiesItem additional_properties = 32; DefaultType default = 33; string description = 34; string format = 35;
    repeated NamedAny specification_extension = 36;
  }
  message MediaType { SchemaOrReference schema = 1; }
  message NamedMediaType { string name = 1; MediaType value = 2; }
  message MediaTypes { repeated NamedMediaType types = 1; }
  message Parameter {
    string name = 1; string in = 2; string description = 3; bool required = 4; SchemaOrReference schema = 10;
  }
  message ParameterOrReference { oneof oneof { Parameter parameter = 1; Reference reference = 2; } }
  message Response { string description = 1; MediaTypes content = 3; }
  message ResponseOrReference { oneof oneof { Response response = 1; Reference reference = 2; } }
  message NamedResponse { string name = 1; ResponseOrReference value = 2; }
  message Responses { ResponseOrReference default = 1; repeated NamedResponse responses = 2; }
  message RequestBody { string description = 1; MediaTypes content = 2; bool required = 3; }
  message RequestBodyOrReference { oneof oneof { RequestBody request_body = 1; Reference reference = 2; } }
  message Operation {
    repeated string tags = 1; string description = 3; string operation_id = 5; repeated ParameterOrReference parameters = 6;
    RequestBodyOrReference request_body = 7; Responses responses = 8; repeated NamedAny specification_extension = 13;
  }
  message PathItem {
    Operation get = 4; Operation put = 5; Operation post = 6; Operation delete = 7; Operation options = 8; Operation head = 9;
    Operation patch = 10; repeated ParameterOrReference parameters = 13;
  }
  message NamedPathItem { string name = 1; PathItem value = 2; }
  message Paths { repeated NamedPathItem path = 1; }
  message SecurityScheme { string type = 1; string description = 2; string name = 3; string in = 4; }
  message SecuritySchemeOrReference { oneof oneof { SecurityScheme security_scheme = 1; Reference reference = 2; } }
  message NamedSecurityScheme { string name = 1; SecuritySchemeOrReference value = 2; }
  message SecuritySchemes { repeated NamedSecurityScheme schemes = 1; }
  message Components { Properties schemas = 1; SecuritySchemes security_schemes = 7; }
  message StringArray { repeated string value = 1; }
  message NamedStringArray { string name = 1; StringArray value = 2; }
  message SecurityRequirement { repeated NamedStringArray requirements = 1; }
  message Document {
    string openapi = 1; Info info = 2; Paths paths = 4; Components components = 5; repeated SecurityRequirement security = 6;
  }
`,
  { keepCase: true },
);

type Decoded = Record<string, unknown>;
interface Named {
  readonly name: string;
  readonly value: Decoded;
}

const source = buildOpenApiV3(builtinKinds, builtinSchemas(), 'apis/apps/v1', { version: 'v1.36.2' }) as JsonObject;
const type = root.lookupType('Document');
const decoded = type.toObject(type.decode(encodeOpenApiV3(source)));

// The messages back in JSON: what comes out must be what went in, but for what the messages have no place for.
const list = (value: unknown): readonly unknown[] => (value ?? []) as readonly unknown[];
const byName = (value: unknown, read: (one: Decoded) => unknown): Decoded =>
  Object.fromEntries(list(value).map((one) => [(one as Named).name, read((one as Named).value)]));
const orReference = (value: Decoded, key: string, read: (one: Decoded) => unknown): unknown =>
  value['reference'] === undefined ? read((value[key] ?? {}) as Decoded) : { $ref: (value['reference'] as { ref: string }).ref };
const extensions = (value: unknown): Decoded => byName(value, ({ yaml }) => JSON.parse(String(yaml)) as unknown);
const schemaOf = (value: unknown): unknown => orReference(value as Decoded, 'schema', schema);
const content = (value: unknown): Decoded => byName((value as Decoded)['types'], ({ schema: one }) => ({ schema: schemaOf(one) }));
const parameters = (value: unknown): unknown[] =>
  list(value).map((one) =>
    orReference(one as Decoded, 'parameter', ({ schema: shape, ...rest }) => ({ ...rest, schema: schemaOf(shape) })),
  );

function schema(value: Decoded): Decoded {
  const { properties, additional_properties: more, items, all_of, one_of, unique_items, default: normal, ...rest } = value;
  const { specification_extension: extended, ...own } = rest;
  const first = list((items as Decoded | undefined)?.['schema_or_reference'])[0];
  return {
    ...own,
    ...(unique_items === undefined ? {} : { uniqueItems: unique_items }),
    ...(all_of === undefined ? {} : { allOf: list(all_of).map(schemaOf) }),
    ...(one_of === undefined ? {} : { oneOf: list(one_of).map(schemaOf) }),
    ...(items === undefined ? {} : { items: schemaOf(first) }),
    ...(properties === undefined ? {} : { properties: byName((properties as Decoded)['properties'], schemaOf) }),
    ...(more === undefined ? {} : { additionalProperties: schemaOf((more as Decoded)['schema_or_reference']) }),
    ...(normal === undefined ? {} : { default: Object.values(normal as Decoded)[0] ?? {} }),
    ...extensions(extended),
  };
}

function operation(value: Decoded): Decoded {
  const { operation_id, request_body, responses, specification_extension: extended, parameters: own, ...rest } = value;
  const body = (one: Decoded): Decoded => ({ ...one, content: content(one['content']) });
  const answer = (one: Decoded): Decoded => ({ ...one, ...(one['content'] === undefined ? {} : { content: content(one['content']) }) });
  return {
    ...rest,
    operationId: operation_id,
    ...(own === undefined ? {} : { parameters: parameters(own) }),
    ...(request_body === undefined ? {} : { requestBody: orReference(request_body as Decoded, 'request_body', body) }),
    responses: byName((responses as Decoded)['responses'], (one) => orReference(one, 'response', answer)),
    ...extensions(extended),
  };
}

function pathItem({ parameters: own, ...operations }: Decoded): Decoded {
  const read = Object.entries(operations).map(([method, one]) => [method, operation(one as Decoded)]);
  return { ...Object.fromEntries(read), ...(own === undefined ? {} : { parameters: parameters(own) }) };
}

test('a document comes out of its protobuf form as it went in', () => {
  const { openapi, info, paths, components, security } = decoded;
  const { schemas, security_schemes } = components as { schemas: Decoded; security_schemes: Decoded };
  const back = {
    openapi,
    info,
    paths: byName((paths as Decoded)['path'], pathItem),
    components: {
      schemas: byName(schemas['properties'], schemaOf),
      securitySchemes: byName(security_schemes['schemes'], (one) => orReference(one, 'security_scheme', (scheme) => scheme)),
    },
    security: list(security).map((one) => byName((one as Decoded)['requirements'], ({ value }) => list(value))),
  };
  expect(Object.keys(back.paths)).toContain('/apis/apps/v1/namespaces/{namespace}/deployments');
  expect(back).toEqual(source);
});
