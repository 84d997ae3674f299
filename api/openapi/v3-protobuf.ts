// An OpenAPI 3 document as protocol buffers (`application/com.github.proto-openapi.spec.v3.v1.0+protobuf`). Field numbers are those of
// gnostic's OpenAPIv3.proto; only what our documents contain is written.
import type { Json, JsonObject } from '#api/meta/object.ts';
import {
  any,
  each,
  encodeDocument,
  flag,
  type Message,
  message,
  named,
  pairs,
  text,
  texts,
  wrapped,
  type Write,
} from './protobuf-message.ts';

/** Either the thing itself or where it stands. */
function orReference(write: Write): Write {
  const itself = wrapped(1, write);
  const reference = wrapped(
    2,
    message(() => ({ $ref: [1, text], summary: [2, text], description: [3, text] })),
  );
  return (writer, field, value) => (isReference(value) ? reference : itself)(writer, field, value);
}

function isReference(value: Json): boolean {
  return (value as JsonObject).$ref !== undefined;
}

/** Only scalars have a place there: of an object as the default nothing is left but that there is one. */
const defaultValue: Write = (writer, field, value) =>
  writer.message(field, () => {
    if (typeof value === 'number') writer.double(1, value);
    else if (typeof value === 'boolean') writer.boolean(2, value);
    else if (typeof value === 'string') writer.string(3, value);
  });

const additionalProperties: Write = (writer, field, value) =>
  typeof value === 'boolean' ? wrapped(2, flag)(writer, field, value) : wrapped(1, schemaOrReference)(writer, field, value);

const whole: Write = (writer, field, value) => writer.integer(field, Number(value));
const real: Write = (writer, field, value) => writer.double(field, Number(value));

const schema: Write = message(() => schemaFields, 36);
const schemaOrReference = orReference(schema);
const schemaFields: Message = {
  nullable: [1, flag],
  readOnly: [3, flag],
  title: [9, text],
  multipleOf: [10, real],
  maximum: [11, real],
  exclusiveMaximum: [12, flag],
  minimum: [13, real],
  exclusiveMinimum: [14, flag],
  maxLength: [15, whole],
  minLength: [16, whole],
  pattern: [17, text],
  maxItems: [18, whole],
  minItems: [19, whole],
  uniqueItems: [20, flag],
  maxProperties: [21, whole],
  minProperties: [22, whole],
  required: [23, texts],
  enum: [24, each(any)],
  type: [25, text],
  allOf: [26, each(schemaOrReference)],
  oneOf: [27, each(schemaOrReference)],
  anyOf: [28, each(schemaOrReference)],
  not: [29, schema],
  items: [30, wrapped(1, schemaOrReference)],
  properties: [31, pairs(schemaOrReference)],
  additionalProperties: [32, additionalProperties],
  default: [33, defaultValue],
  description: [34, text],
  format: [35, text],
};

const content = pairs(message(() => ({ schema: [1, schemaOrReference] })));
const parameter = message(
  () => ({ name: [1, text], in: [2, text], description: [3, text], required: [4, flag], schema: [10, schemaOrReference] }),
  14,
);
const parameters = each(orReference(parameter));
const response = orReference(message(() => ({ description: [1, text], content: [3, content] }), 5));
const responses: Write = (writer, field, value) => {
  const { default: other, ...coded } = value as JsonObject;
  writer.message(field, () => {
    if (other !== undefined) response(writer, 1, other);
    for (const [code, one] of Object.entries(coded)) named(writer, 2, code, one, response);
  });
};

const operation = message(
  () => ({
    tags: [1, texts],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    parameters: [6, parameters],
    requestBody: [7, orReference(message(() => ({ description: [1, text], content: [2, content], required: [3, flag] }), 4))],
    responses: [8, responses],
    deprecated: [10, flag],
  }),
  13,
);
const pathItem = message(
  () => ({
    summary: [2, text],
    description: [3, text],
    get: [4, operation],
    put: [5, operation],
    post: [6, operation],
    delete: [7, operation],
    options: [8, operation],
    head: [9, operation],
    patch: [10, operation],
    parameters: [13, parameters],
  }),
  14,
);
const securityScheme = orReference(message(() => ({ type: [1, text], description: [2, text], name: [3, text], in: [4, text] })));

const documentFields: Message = {
  openapi: [1, text],
  info: [2, message(() => ({ title: [1, text], description: [2, text], version: [6, text] }))],
  paths: [4, pairs(pathItem)],
  components: [5, message(() => ({ schemas: [1, pairs(schemaOrReference)], securitySchemes: [7, pairs(securityScheme)] }))],
  security: [6, each(pairs(wrapped(1, texts)))],
};

/** Encodes a document of buildOpenApiV3. */
export function encodeOpenApiV3(document: JsonObject): Uint8Array {
  return encodeDocument(document, documentFields);
}
