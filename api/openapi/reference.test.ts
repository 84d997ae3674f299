// Holds what we publish against Kubernetes' own OpenAPI document, where that lies beside the project.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { builtinSchemas } from '#api/schema/schemas.ts';
import { DefinitionWriter } from './definitions.ts';
import { buildOpenApiV2 } from './v2.ts';

type Tree = { [key: string]: unknown };

const file = join(import.meta.dirname, '../../../shared/spec/swagger-v1.36.json');
const isThere = existsSync(file);
const reference = (isThere ? JSON.parse(readFileSync(file, 'utf8')) : { definitions: {}, paths: {}, parameters: {} }) as {
  definitions: Record<string, Tree>;
  paths: Record<string, Tree>;
  parameters: Record<string, Tree>;
};

/** Without descriptions, and with `required` in one order. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, one]) => key !== 'description' || typeof one !== 'string');
  return Object.fromEntries(entries.map(([key, one]) => [key, key === 'required' && Array.isArray(one) ? new Set(one) : bare(one)]));
}

/** One of our sources has lost its line breaks. */
function collapse(text: unknown): string {
  return String(text).replace(/\s+/g, ' ');
}

describe.skipIf(!isThere)('against the published document', () => {
  const schemas = builtinSchemas();
  const writer = new DefinitionWriter(schemas, 'v2', []);

  test('every definition of v1.36 is the same but for descriptions', () => {
    const names = Object.keys(reference.definitions);
    expect(names.length).toBeGreaterThan(700);
    for (const name of names) {
      // Their kinds are those of every group, which depends on what is served.
      const skipped = /\.(DeleteOptions|WatchEvent)$/.test(name) ? ['x-kubernetes-group-version-kind'] : [];
      const without = (tree: Tree): Tree => Object.fromEntries(Object.entries(tree).filter(([key]) => !skipped.includes(key)));
      expect(bare(without(writer.definition(name))), name).toEqual(bare(without(reference.definitions[name] ?? {})));
    }
  });

  test('we know no definition that v1.36 does not have', () => {
    for (const name of schemas.names()) expect(Object.keys(reference.definitions)).toContain(name);
  });

  test('nearly every description is the same', () => {
    let all = 0;
    let same = 0;
    for (const [name, definition] of Object.entries(reference.definitions)) {
      const own = writer.definition(name).properties as Record<string, Tree> | undefined;
      for (const [property, { description }] of Object.entries((definition.properties ?? {}) as Record<string, Tree>)) {
        all++;
        if (collapse(own?.[property]?.description) === collapse(description)) same++;
      }
    }
    expect(same / all).toBeGreaterThan(0.9);
  });

  describe('paths of the served kinds', () => {
    const document = buildOpenApiV2(builtinKinds, schemas) as unknown as typeof reference;
    const common = Object.keys(document.paths).filter((path) => path in reference.paths);

    /** Name, place and type of each parameter, references followed. */
    const parametersOf = (source: typeof reference, list: unknown): string[] =>
      ((list ?? []) as Tree[])
        .map((one) => (typeof one.$ref === 'string' ? (source.parameters[one.$ref.split('/').at(-1) ?? ''] ?? {}) : one))
        .map((one) => [one.name, one.in, one.type, one.required, JSON.stringify(one.schema)].join(' '))
        .toSorted();

    /** CBOR is behind a feature gate. */
    const typesOf = (list: unknown): string[] => ((list ?? []) as string[]).filter((type) => !type.includes('cbor')).toSorted();

    test('no path of a stable version is missing', () => {
      const stable = Object.keys(reference.paths).filter((path) => /^\/(api|apis\/[^/]+)\/v\d+\//.test(path));
      expect(stable.length).toBeGreaterThan(300);
      expect(stable.filter((path) => !(path in document.paths))).toEqual([]);
    });

    test('parameters say the same, but for line breaks', () => {
      const sayings = ({ parameters }: typeof reference): string[] =>
        Object.values(parameters).map(({ name, in: where, description }) => `${String(where)} ${String(name)}: ${collapse(description)}`);
      expect(sayings(document).toSorted()).toEqual(sayings(reference).toSorted());
    });

    test('parameters are shared under the same names, where no line break is missing', () => {
      const names = Object.entries(reference.parameters).flatMap(([name, { description }]) =>
        /\n/.test(String(description)) ? [] : [name],
      );
      expect(names.length).toBeGreaterThan(40);
      expect(Object.keys(document.parameters)).toEqual(expect.arrayContaining(names));
    });

    test('all exist upstream', () => {
      expect(Object.keys(document.paths).filter((path) => !(path in reference.paths))).toEqual([]);
    });

    test.each(common)('%s', (path) => {
      const [own, theirs] = [document.paths[path] ?? {}, reference.paths[path] ?? {}];
      expect(Object.keys(own).toSorted()).toEqual(Object.keys(theirs).toSorted());
      expect(parametersOf(document, own.parameters)).toEqual(parametersOf(reference, theirs.parameters));
      for (const method of Object.keys(theirs).filter((key) => key !== 'parameters')) {
        const [mine, wanted] = [own[method] as Tree, theirs[method] as Tree];
        for (const key of ['operationId', 'tags', 'x-kubernetes-action', 'x-kubernetes-group-version-kind', 'responses']) {
          expect(bare(mine[key]), `${method} ${key}`).toEqual(bare(wanted[key]));
        }
        for (const key of ['consumes', 'produces']) expect(typesOf(mine[key]), `${method} ${key}`).toEqual(typesOf(wanted[key]));
        expect(parametersOf(document, mine.parameters), method).toEqual(parametersOf(reference, wanted.parameters));
      }
    });
  });
});
