import type { KindDefinition } from '#api/kind.ts';
import type { SchemaSet } from '#api/schema/schemas.ts';
import { buildOpenApiV2 } from './v2.ts';
import { encodeOpenApiV2 } from './v2-protobuf.ts';
import { buildOpenApiV3, buildOpenApiV3Index, openApiHash, openApiV3Names } from './v3.ts';

/** A document's bytes and the hash that names this version of it. */
export interface OpenApiDocument {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

export interface OpenApiDocumentsDeps {
  /** The kinds that are served now: another array means that they changed. */
  readonly kinds: () => readonly KindDefinition[];
  readonly schemas: SchemaSet;
  /** The server's version, such as v1.36.2. */
  readonly version: string;
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
  v2(form: 'json' | 'protobuf'): OpenApiDocument {
    return this.#require(`v2 ${form}`, ({ schemas, version }) => {
      const document = buildOpenApiV2(this.#kinds, schemas, version);
      return form === 'json' ? Buffer.from(JSON.stringify(document)) : encodeOpenApiV2(document);
    });
  }

  /** `/openapi/v3`: what there is, with the address of each document's present version. */
  index(): OpenApiDocument {
    return this.#require('v3 index', () => {
      const hashes = new Map<string, string>();
      for (const name of openApiV3Names(this.#kinds)) hashes.set(name, this.v3(name)?.hash ?? '');
      return Buffer.from(JSON.stringify(buildOpenApiV3Index(hashes)));
    });
  }

  /** `/openapi/v3/<name>`, such as apis/apps/v1; undefined where there is none. */
  v3(name: string): OpenApiDocument | undefined {
    return this.#keep(`v3 ${name}`, ({ schemas, version }) => {
      const document = buildOpenApiV3(this.#kinds, schemas, name, version);
      return document === undefined ? undefined : Buffer.from(JSON.stringify(document));
    });
  }

  /** The names of all documents of version 3. */
  names(): string[] {
    return openApiV3Names(this.#deps.kinds());
  }

  #require(key: string, build: (deps: OpenApiDocumentsDeps) => Uint8Array): OpenApiDocument {
    const document = this.#keep(key, build);
    if (document === undefined) throw new Error(`no document ${key}`);
    return document;
  }

  #keep(key: string, build: (deps: OpenApiDocumentsDeps) => Uint8Array | undefined): OpenApiDocument | undefined {
    const kinds = this.#deps.kinds();
    if (kinds !== this.#kinds) {
      this.#kinds = kinds;
      this.#kept.clear();
    }
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const bytes = build(this.#deps);
    // Names that do not exist are not kept: clients may ask for any number of them.
    if (bytes === undefined) return undefined;
    const document = { bytes, hash: openApiHash(bytes) };
    this.#kept.set(key, document);
    return document;
  }
}
