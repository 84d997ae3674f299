import { createHash } from 'node:crypto';
import type { KindDefinition } from '#api/kind.ts';
import type { Json, JsonObject } from '#api/meta/object.ts';
import type { SchemaSet } from '#api/schema/schemas.ts';
import { commonPaths, groupVersionsOf, type PublishingOptions } from './common-paths.ts';
import { DefinitionWriter, reachableDefinitions } from './definitions.ts';
import { type Content, type Operation, type Path, pathsOf, statusText } from './operations.ts';
import type { Parameter } from './parameters.ts';
import { mentionedDefinitions } from './v2.ts';

/** The names of all OpenAPI 3 documents: `api/v1`, `apis/apps/v1`, and those of the pages around (`api`, `apis/apps`, `version`, …). */
export function openApiV3Names(kinds: readonly KindDefinition[], options: PublishingOptions = {}): string[] {
  return [...new Set(commonPaths(kinds, options).map(({ path }) => nameOf(path)))].toSorted();
}

/** One OpenAPI 3 document; undefined where no document has that name. */
export function buildOpenApiV3(
  kinds: readonly KindDefinition[],
  schemas: SchemaSet,
  name: string,
  options: PublishingOptions = {},
): JsonObject | undefined {
  const { version = 'unversioned' } = options;
  const common = commonPaths(kinds, options).filter(({ path }) => nameOf(path) === name);
  if (common.length === 0) return undefined;
  const own = kinds.filter((kind) => name === (kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`));
  const paths = [...own.flatMap((kind) => pathsOf(kind, schemas)), ...common];
  const writer = new DefinitionWriter(schemas, 'v3', groupVersionsOf(kinds));
  const names = reachableDefinitions(mentionedDefinitions(paths), schemas);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: pathItems(paths, writer),
    components: {
      schemas: Object.fromEntries(names.map((one) => [one, writer.definition(one)])),
      securitySchemes: { BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' } },
    },
    security: [{ BearerToken: [] }],
  };
}

/** The index of the documents: clients may keep a document for ever under the address with its hash. */
export function buildOpenApiV3Index(hashes: ReadonlyMap<string, string>): JsonObject {
  const entries = [...hashes].map(([name, hash]): [string, Json] => [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` }]);
  return { paths: Object.fromEntries(entries) };
}

/** The hash of a document's bytes, as addresses and ETags have it. */
export function openApiHash(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('hex').toUpperCase();
}

/** `/apis/apps/v1/` belongs to the document `apis/apps/v1`, `/logs/{logpath}` to `logs`. */
function nameOf(path: string): string {
  return path.replace(/\{.*\}$/, '').replace(/^\/|\/$/g, '');
}

function pathItems(paths: readonly Path[], writer: DefinitionWriter): JsonObject {
  const sorted = paths.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  return Object.fromEntries(
    sorted.map(({ path, operations, parameters }) => {
      const item: JsonObject = {};
      for (const operation of operations) item[operation.method] = operationText(operation, writer);
      if (parameters.length > 0) item.parameters = parameters.map(parameterText);
      return [path, item];
    }),
  );
}

function operationText(operation: Operation, writer: DefinitionWriter): JsonObject {
  const { id, description, tag, action, kind, consumes, produces, body, parameters } = operation;
  const answer = (code: string, content: Content): JsonObject => ({
    description: statusText(code),
    content: mediaTypes(produces, content === 'text' ? { type: 'string' } : writer.reference(content.definition)),
  });
  const responses = Object.entries(operation.responses).map(([code, content]): [string, Json] => [code, answer(code, content)]);
  return {
    tags: [tag],
    ...(description === undefined ? {} : { description }),
    operationId: id,
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(parameterText) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: { content: mediaTypes(consumes, writer.reference(body.definition)), ...(body.isRequired ? { required: true } : {}) },
        }),
    responses: Object.fromEntries([...responses, ['401', { description: statusText('401') }]]),
    ...(action === undefined ? {} : { 'x-kubernetes-action': action }),
    ...(kind === undefined ? {} : { 'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind } }),
  };
}

function mediaTypes(types: readonly string[], schema: JsonObject): JsonObject {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function parameterText({ name, in: where, type, description }: Parameter): JsonObject {
  return { name, in: where, description, ...(where === 'path' ? { required: true } : {}), schema: { type, uniqueItems: true } };
}
