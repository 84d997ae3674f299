import { describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import type { Json } from '#api/meta/object.ts';
import { builtinSchemas } from '#api/schema/schemas.ts';
import { OpenApiDocuments } from './documents.ts';
import { buildOpenApiV3, openApiV3Names } from './v3.ts';

const schemas = builtinSchemas();
const document = (name: string): Record<string, Record<string, Record<string, Json>>> =>
  buildOpenApiV3(builtinKinds, schemas, name) as Record<string, Record<string, Record<string, Json>>>;

describe('buildOpenApiV3', () => {
  test('there is a document for each group version and for the pages around', () => {
    expect(openApiV3Names(builtinKinds)).toEqual(expect.arrayContaining(['api', 'api/v1', 'apis', 'apis/apps', 'apis/apps/v1', 'version']));
    expect(buildOpenApiV3(builtinKinds, schemas, 'apis/apps/v2')).toBeUndefined();
    expect(buildOpenApiV3(builtinKinds, schemas, '__proto__')).toBeUndefined();
  });

  test('a document holds the paths of its own group version alone', () => {
    const paths = Object.keys(document('apis/apps/v1').paths ?? {});
    expect(paths).toContain('/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale');
    expect(paths.filter((path) => !path.startsWith('/apis/apps/v1/'))).toEqual([]);
  });

  test.each(openApiV3Names(builtinKinds))('every reference in %s leads somewhere', (name) => {
    const { components, ...rest } = document(name);
    const names = new Set(Object.keys(components?.schemas ?? {}));
    const references = [...JSON.stringify([components, rest]).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    for (const [, target] of references) expect(names).toContain(target);
  });

  test('references are wrapped, and zeros that Go writes are defaults', () => {
    const container = document('apis/apps/v1').components?.schemas?.['io.k8s.api.core.v1.Container'];
    expect(container).toHaveProperty('properties');
    const { properties } = container as { properties: Record<string, object> };
    expect(properties).toMatchObject({
      name: { type: 'string', default: '' },
      resources: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.ResourceRequirements' }], default: {} },
      livenessProbe: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Probe' }] },
      ports: { 'x-kubernetes-list-map-keys': ['containerPort', 'protocol'], 'x-kubernetes-patch-merge-key': 'containerPort' },
      command: { items: { type: 'string', default: '' } },
    });
    expect(properties.livenessProbe).not.toHaveProperty('default');
  });

  test('quantities and int-or-strings take both forms', () => {
    expect(document('apis/apps/v1').components?.schemas).toMatchObject({
      'io.k8s.apimachinery.pkg.api.resource.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
      'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
    });
  });
});

describe('OpenApiDocuments', () => {
  test('the index names each document by its hash', () => {
    const documents = new OpenApiDocuments({ kinds: () => builtinKinds, schemas, version: 'v1.36.2', nowMs: () => 0 });
    const { paths } = JSON.parse(Buffer.from(documents.index().bytes).toString()) as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    expect(Object.keys(paths)).toEqual(openApiV3Names(builtinKinds));
    expect(paths['apis/apps/v1']?.serverRelativeURL).toBe(`/openapi/v3/apis/apps/v1?hash=${documents.v3('apis/apps/v1', 'json')?.hash}`);
  });

  test('logs that cannot be read are not published', () => {
    const deps = { kinds: () => builtinKinds, schemas, version: 'v1.36.2', nowMs: () => 0 };
    const published = (documents: OpenApiDocuments): unknown[] => [
      Buffer.from(documents.v2('json').bytes).toString().includes('logpath'),
      Buffer.from(documents.index().bytes).toString().includes('/openapi/v3/logs?'),
      documents.v3('logs', 'json') !== undefined,
    ];
    expect(published(new OpenApiDocuments(deps))).toEqual([true, true, true]);
    expect(published(new OpenApiDocuments({ ...deps, hasLogs: false }))).toEqual([false, false, false]);
  });

  test('documents are kept until the kinds change', () => {
    let kinds = builtinKinds;
    const documents = new OpenApiDocuments({ kinds: () => kinds, schemas, version: 'v1.36.2', nowMs: () => 0 });
    const first = documents.v2('json');
    expect(documents.v2('json')).toBe(first);
    kinds = builtinKinds.filter(({ kind }) => kind !== 'Deployment');
    expect(documents.v2('json').hash).not.toBe(first.hash);
    expect(Buffer.from(documents.v2('json').bytes).toString()).not.toContain('/deployments');
  });
});
