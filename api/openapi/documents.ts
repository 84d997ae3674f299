import type { KindDefinition } from '#api/kind.ts';
import type { JsonObject } from '#api/meta/object.ts';
import type { SchemaSet } from '#api/schema/schemas.ts';
import type { PublishingOptions } from './common-paths.ts';
import { buildOpenApiV2 } from './v2.ts';
import { encodeOpenApiV2 } from './v2-protobuf.ts';
import { buildOpenApiV3, buildOpenApiV3Index, openApiHash, openApiV3Names } from './v3.ts';
import { encodeOpenApiV3 } from './v3-protobuf.ts';

/** A document's bytes, and the hash that names this version of it: the same in both forms. */
export interface OpenApiDocument {
  readonly bytes: Uint8Array;
  readonly hash: string;
  /** When it was built. */
  readonly builtMs: number;
}

export type OpenApiForm = 'json' | 'protobuf';

interface OpenApiDocumentsDeps extends PublishingOptions {
  /** The kinds that are served now: another array means that they changed. */
  readonly kinds: () => readonly KindDefinition[];
  readonly schemas: SchemaSet;
  readonly nowMs: () => number;
}

/** The published documents of an API server: each built when it is first asked for, and kept as bytes until the kinds change. */
export class OpenApiDocuments {
  readonly #deps: OpenApiDocumentsDeps;
  #kinds: readonly KindDefinition[] = [];
  readonly #kept = new Map<string, OpenApiDocument>();

  constructor(deps: OpenApiDocumentsDeps) {
    this.#deps = deps;
  }

  /** `/openapi/v2`. */
  v2(form: OpenApiForm): OpenApiDocument {
    const build = ({ schemas, ...options }: OpenApiDocumentsDeps): JsonObject => buildOpenApiV2(this.#kinds, schemas, options);
    return this.#require(this.#keep('v2', form, build, encodeOpenApiV2), 'v2');
  }

  /** `/openapi/v3`: what there is, with the address of each document's present version. */
  index(): OpenApiDocument {
    const build = (): JsonObject => {
      const hashes = new Map<string, string>();
      for (const name of openApiV3Names(this.#kinds, this.#deps)) hashes.set(name, this.v3(name, 'json')?.hash ?? '');
      return buildOpenApiV3Index(hashes);
    };
    return this.#require(this.#keep('v3 index', 'json', build), 'v3 index');
  }

  /** `/openapi/v3/<name>`, such as apis/apps/v1; undefined where there is none. */
  v3(name: string, form: OpenApiForm): OpenApiDocument | undefined {
    const build = ({ schemas, ...options }: OpenApiDocumentsDeps): JsonObject | undefined =>
      buildOpenApiV3(this.#kinds, schemas, name, options);
    return this.#keep(`v3 ${name}`, form, build, encodeOpenApiV3);
  }

  #require(document: OpenApiDocument | undefined, key: string): OpenApiDocument {
    if (document === undefined) throw new Error(`no document ${key}`);
    return document;
  }

  #keep(
    key: string,
    form: OpenApiForm,
    build: (deps: OpenApiDocumentsDeps) => JsonObject | undefined,
    encode?: (document: JsonObject) => Uint8Array,
  ): OpenApiDocument | undefined {
    const kinds = this.#deps.kinds();
    if (kinds !== this.#kinds) {
      this.#kinds = kinds;
      this.#kept.clear();
    }
    const known = this.#kept.get(`${key} ${form}`);
    if (known !== undefined) return known;
    const json = this.#kept.get(`${key} json`) ?? this.#built(build(this.#deps));
    // Names that do not exist are not kept: clients may ask for any number of them.
    if (json === undefined) return undefined;
    this.#kept.set(`${key} json`, json);
    if (form === 'json' || encode === undefined) return json;
    const document = { ...json, bytes: encode(JSON.parse(Buffer.from(json.bytes).toString()) as JsonObject) };
    this.#kept.set(`${key} protobuf`, document);
    return document;
  }

  #built(document: JsonObject | undefined): OpenApiDocument | undefined {
    if (document === undefined) return undefined;
    const bytes = Buffer.from(JSON.stringify(document));
    return { bytes, hash: openApiHash(bytes), builtMs: this.#deps.nowMs() };
  }
}
