// The OpenAPI 2 document as protocol buffers (`application/com.github.proto-openapi.spec.v2@v1.0+protobuf`), which old kubectls
// want before they create or apply anything. Field numbers are those of gnostic's OpenAPIv2.proto; only what our documents
// contain is written. Extensions and defaults travel as YAML text, which JSON is.
import type { JsonObject } from '#api/meta/object.ts';
import { any, each, encodeDocument, flag, type Message, message, pairs, text, texts, wrapped, type Write } from './protobuf-message.ts';

const schema: Write = message(() => schemaFields, 31);
const schemaFields: Message = {
  $ref: [1, text],
  format: [2, text],
  description: [4, text],
  default: [5, any],
  required: [19, texts],
  additionalProperties: [21, wrapped(1, schema)],
  type: [22, wrapped(1, text)],
  items: [23, wrapped(1, schema)],
  properties: [25, pairs(schema)],
};

const reference = message(() => ({ $ref: [1, text], description: [2, text] }));
const bodyParameter = message(
  () => ({ description: [1, text], name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] }),
  6,
);
const simpleFields = { required: [1, flag], in: [2, text], description: [3, text], name: [4, text] } satisfies Message;
const queryParameter = message(() => ({ ...simpleFields, type: [6, text], format: [7, text], uniqueItems: [20, flag] }), 23);
const pathParameter = message(() => ({ ...simpleFields, type: [5, text], format: [6, text], uniqueItems: [19, flag] }), 22);

const parameter: Write = (writer, field, value) => {
  const where = (value as JsonObject).in;
  const write =
    where === 'body' ? wrapped(1, bodyParameter) : wrapped(2, where === 'path' ? wrapped(4, pathParameter) : wrapped(3, queryParameter));
  write(writer, field, value);
};
const parameterOrReference: Write = (writer, field, value) => {
  const write = (value as JsonObject).$ref === undefined ? wrapped(1, parameter) : wrapped(2, reference);
  write(writer, field, value);
};
const response = message(() => ({ description: [1, text], schema: [2, wrapped(1, schema)] }), 5);

const operation = message(
  () => ({
    tags: [1, texts],
    description: [3, text],
    operationId: [5, text],
    produces: [6, texts],
    consumes: [7, texts],
    parameters: [8, each(parameterOrReference)],
    responses: [9, pairs(wrapped(1, response))],
    schemes: [10, texts],
  }),
  13,
);
const pathItem = message(() => ({
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  options: [6, operation],
  head: [7, operation],
  patch: [8, operation],
  parameters: [9, each(parameterOrReference)],
}));
const apiKey = message(() => ({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }));

const documentFields: Message = {
  swagger: [1, text],
  info: [2, message(() => ({ title: [1, text], version: [2, text] }))],
  paths: [8, pairs(pathItem, 2)],
  definitions: [9, pairs(schema)],
  parameters: [10, pairs(parameter)],
  security: [12, each(pairs(wrapped(1, texts)))],
  securityDefinitions: [13, pairs(wrapped(2, apiKey))],
};

/** Encodes a document of buildOpenApiV2. */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  return encodeDocument(document, documentFields);
}
