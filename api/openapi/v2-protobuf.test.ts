import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { builtinSchemas } from '#api/schema/schemas.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { buildOpenApiV2 } from './v2.ts';
import { encodeOpenApiV2 } from './v2-protobuf.ts';

/** The parts of gnostic's OpenAPI v2 messages that kubectl reads, with its numbers. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Any { string yaml = 2; }
  message NamedAny { string name = 1; Any value = 2; }
  message Info { string title = 1; string version = 2; }
  message TypeItem { repeated string value = 1; }
  message ItemsItem { repeated Schema schema = 1; }
  message AdditionalPropertiesItem { Schema schema = 1; }
  message NamedSchema { string name = 1; Schema value = 2; }
  message Properties { repeated NamedSchema additional_properties = 1; }
  message Schema {
    string ref = 1; string format = 2; string description = 4; repeated string required = 19;
    AdditionalPropertiesItem additional_properties = 21; TypeItem type = 22; ItemsItem items = 23;
    Properties properties = 25; repeated NamedAny vendor_extension = 31;
  }
  message JsonReference { string ref = 1; }
  message QuerySub { string in = 2; string name = 4; string type = 6; bool unique_items = 20; }
  message PathSub { bool required = 1; string name = 4; string type = 5; }
  message NonBody { QuerySub query = 3; PathSub path = 4; }
  message Body { string name = 2; bool required = 4; Schema schema = 5; }
  message Parameter { Body body = 1; NonBody non_body = 2; }
  message ParametersItem { Parameter parameter = 1; JsonReference json_reference = 2; }
  message SchemaItem { Schema schema = 1; }
  message Response { string description = 1; SchemaItem schema = 2; }
  message ResponseValue { Response response = 1; }
  message NamedResponseValue { string name = 1; ResponseValue value = 2; }
  message Responses { repeated NamedResponseValue response_code = 1; }
  message Operation {
    repeated string tags = 1; string operation_id = 5; repeated string consumes = 7;
    repeated ParametersItem parameters = 8; Responses responses = 9; repeated NamedAny vendor_extension = 13;
  }
  message PathItem { Operation get = 2; Operation post = 4; Operation patch = 8; repeated ParametersItem parameters = 9; }
  message NamedPathItem { string name = 1; PathItem value = 2; }
  message Paths { repeated NamedPathItem path = 2; }
  message NamedParameter { string name = 1; Parameter value = 2; }
  message ParameterDefinitions { repeated NamedParameter additional_properties = 1; }
  message Document {
    string swagger = 1; Info info = 2; Paths paths = 8; Properties definitions = 9; ParameterDefinitions parameters = 10;
  }
`);

interface Named {
  name: string;
  value: Record<string, unknown>;
}
const source = buildOpenApiV2(builtinKinds, builtinSchemas(), { version: 'v1.36.2' });
const type = root.lookupType('Document');
const decoded = type.toObject(type.decode(encodeOpenApiV2(source))) as {
  swagger: string;
  info: object;
  paths: { path: Named[] };
  definitions: { additionalProperties: Named[] };
  parameters: { additionalProperties: Named[] };
};
const named = (list: readonly Named[], name: string): Record<string, unknown> => list.find((one) => one.name === name)?.value ?? {};

test('everything is there, in the same order', () => {
  expect(decoded).toMatchObject({ swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.36.2' } });
  expect(decoded.paths.path.map(({ name }) => name)).toEqual(Object.keys(source.paths as object));
  expect(decoded.definitions.additionalProperties.map(({ name }) => name)).toEqual(Object.keys(source.definitions as object));
  expect(decoded.parameters.additionalProperties.map(({ name }) => name)).toEqual(Object.keys(source.parameters as object));
});

test('a definition carries its kind, properties and merge keys', () => {
  const deployment = named(decoded.definitions.additionalProperties, 'io.k8s.api.apps.v1.Deployment');
  expect(deployment).toMatchObject({
    type: { value: ['object'] },
    vendorExtension: [
      { name: 'x-kubernetes-group-version-kind', value: { yaml: '[{"group":"apps","kind":"Deployment","version":"v1"}]\n' } },
    ],
  });
  const podSpec = named(decoded.definitions.additionalProperties, 'io.k8s.api.core.v1.PodSpec') as {
    properties: { additionalProperties: Named[] };
  };
  expect(named(podSpec.properties.additionalProperties, 'containers')).toMatchObject({
    type: { value: ['array'] },
    items: { schema: [{ ref: '#/definitions/io.k8s.api.core.v1.Container' }] },
    vendorExtension: expect.arrayContaining([{ name: 'x-kubernetes-patch-merge-key', value: { yaml: '"name"\n' } }]),
  });
  expect(named(podSpec.properties.additionalProperties, 'nodeSelector')).toMatchObject({
    additionalProperties: { schema: { type: { value: ['string'] } } },
  });
});

test('a PATCH says in place that it knows dryRun and fieldValidation', () => {
  const path = named(decoded.paths.path, '/apis/apps/v1/namespaces/{namespace}/deployments/{name}') as { patch: { parameters: object[] } };
  expect(path).toMatchObject({
    patch: {
      operationId: 'patchAppsV1NamespacedDeployment',
      vendorExtension: [
        { name: 'x-kubernetes-action', value: { yaml: '"patch"\n' } },
        { name: 'x-kubernetes-group-version-kind', value: { yaml: '{"group":"apps","version":"v1","kind":"Deployment"}\n' } },
      ],
      responses: { responseCode: expect.arrayContaining([expect.objectContaining({ name: '200' })]) },
    },
    parameters: expect.arrayContaining([{ parameter: { nonBody: { path: { name: 'name', required: true, type: 'string' } } } }]),
  });
  const inPlace = path.patch.parameters.flatMap(
    (one) => (one as { parameter?: { nonBody?: { query?: { name: string } } } }).parameter?.nonBody?.query?.name ?? [],
  );
  expect(inPlace).toEqual(['dryRun', 'fieldValidation']);
});

test.each([0, 1, 127, 128, 300, 20_000, 3_000_000])('a message of %i bytes gets its length before it', (size) => {
  const writer = new ProtobufWriter();
  writer.message(1, () => writer.message(2, () => writer.string(1, 'x'.repeat(size))));
  const reader = protobuf.Reader.create(writer.bytes);
  reader.uint32();
  reader.uint32();
  reader.uint32();
  reader.uint32();
  reader.uint32();
  expect(reader.string()).toHaveLength(size);
  expect(reader.pos).toBe(reader.len);
});
