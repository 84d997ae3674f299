import type { KindDefinition } from '#api/kind.ts';
import { fnv64 } from '#api/meta/hash.ts';
import type { Json, JsonObject } from '#api/meta/object.ts';
import type { SchemaSet } from '#api/schema/schemas.ts';
import { commonPaths, groupVersionsOf, type PublishingOptions } from './common-paths.ts';
import { DefinitionWriter, reachableDefinitions } from './definitions.ts';
import { type Content, metaPackage, type Operation, type Path, pathsOf, statusText } from './operations.ts';
import { dryRun, fieldValidation, type Parameter } from './parameters.ts';

/** The OpenAPI 2 (Swagger) document of an API server that serves these kinds. */
export function buildOpenApiV2(kinds: readonly KindDefinition[], schemas: SchemaSet, options: PublishingOptions = {}): JsonObject {
  const { version = 'unversioned' } = options;
  const writer = new Writer(kinds, schemas);
  const paths = [...kinds.flatMap((kind) => pathsOf(kind, schemas)), ...commonPaths(kinds, options)];
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths: writer.paths(paths),
    definitions: writer.definitions(paths),
    parameters: writer.parameters(),
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  };
}

/** Every definition that these paths mention. */
export function mentionedDefinitions(paths: readonly Path[]): Set<string> {
  const names = new Set<string>();
  for (const { operations } of paths) {
    for (const { body, responses } of operations) {
      if (body !== undefined) names.add(body.definition);
      for (const content of Object.values(responses)) if (content !== 'text') names.add(content.definition);
    }
  }
  return names;
}

class Writer {
  readonly #schemas: SchemaSet;
  readonly #definitions: DefinitionWriter;
  readonly #shared = new Map<string, JsonObject>();
  readonly #sharedNames = new Map<string, string>();

  constructor(kinds: readonly KindDefinition[], schemas: SchemaSet) {
    this.#schemas = schemas;
    this.#definitions = new DefinitionWriter(schemas, 'v2', groupVersionsOf(kinds));
  }

  paths(paths: readonly Path[]): JsonObject {
    const sorted = paths.toSorted((left, right) => (left.path < right.path ? -1 : 1));
    return Object.fromEntries(
      sorted.map(({ path, operations, parameters }) => {
        const item: JsonObject = {};
        for (const operation of operations) item[operation.method] = this.#operation(operation);
        if (parameters.length > 0) item.parameters = parameters.map((parameter) => this.#parameter(parameter));
        return [path, item];
      }),
    );
  }

  definitions(paths: readonly Path[]): JsonObject {
    const names = reachableDefinitions(mentionedDefinitions(paths), this.#schemas);
    return Object.fromEntries(names.map((name) => [name, this.#definitions.definition(name)]));
  }

  /** The parameters that paths refer to; known once paths were written. */
  parameters(): JsonObject {
    return Object.fromEntries([...this.#shared].toSorted(([left], [right]) => (left < right ? -1 : 1)));
  }

  #operation(operation: Operation): JsonObject {
    const { id, description, tag, action, kind, consumes, produces, body } = operation;
    const parameters: Json[] = operation.parameters.map((parameter) => this.#parameter(parameter));
    if (body !== undefined) {
      parameters.unshift(this.#body(body));
    }
    return {
      ...(description === undefined ? {} : { description }),
      ...(consumes.length === 0 ? {} : { consumes: [...consumes] }),
      ...(produces.length === 0 ? {} : { produces: [...produces] }),
      schemes: ['https'],
      tags: [tag],
      operationId: id,
      ...(parameters.length === 0 ? {} : { parameters }),
      responses: this.#responses(operation),
      ...(action === undefined ? {} : { 'x-kubernetes-action': action }),
      ...(kind === undefined ? {} : { 'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind } }),
    };
  }

  #responses({ responses }: Operation): JsonObject {
    const answer = (code: string, content: Content): JsonObject => ({
      description: statusText(code),
      schema: content === 'text' ? { type: 'string' } : this.#definitions.reference(content.definition),
    });
    const entries = Object.entries(responses).map(([code, content]): [string, Json] => [code, answer(code, content)]);
    return Object.fromEntries([...entries, ['401', { description: statusText('401') }]]);
  }

  /** Old clients look for dryRun and fieldValidation in place; names differ from object to object; the rest is shared. */
  #parameter(parameter: Parameter): JsonObject {
    const { name, in: where, type, description } = parameter;
    const text: JsonObject = { uniqueItems: true, type, description, name, in: where };
    if (where === 'path') text.required = true;
    if (name === 'name' || parameter === dryRun || parameter === fieldValidation) return text;
    return this.#share(name, text);
  }

  /** The bodies of PATCH and DELETE are the same for all kinds. */
  #body({ definition, isRequired }: { readonly definition: string; readonly isRequired: boolean }): JsonObject {
    const schema = this.#definitions.reference(definition);
    const text: JsonObject = { name: 'body', in: 'body', ...(isRequired ? { required: true } : {}), schema };
    return definition.startsWith(metaPackage) ? this.#share('body', text) : text;
  }

  #share(name: string, text: JsonObject): JsonObject {
    const content = JSON.stringify(text);
    let shared = this.#sharedNames.get(content);
    if (shared === undefined) {
      // As upstream names them.
      shared = `${name}-${fnv64(content).subarray(0, 6).toString('base64url')}`;
      this.#sharedNames.set(content, shared);
      this.#shared.set(shared, text);
    }
    return { $ref: `#/parameters/${shared}` };
  }
}
