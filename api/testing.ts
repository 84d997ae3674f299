// For tests: the steps that the registry takes with an object, without the registry.
import type { KindDefinition } from './kind.ts';
import { nameIsDnsSubdomain } from './meta/names.ts';
import type { Json, KubeObject } from './meta/object.ts';
import { validateObjectMeta } from './meta/object-meta.ts';
import { createCodec } from './schema/codec.ts';
import { parse } from 'yaml';

const codec = createCodec();

/** Decodes YAML and applies defaults. */
export function decoded<T extends KubeObject>(kind: KindDefinition<T>, yaml: string): T {
  const { object } = codec.decodeValue(parse(yaml) as Json, kind, 'Strict');
  for (const rule of kind.defaults ?? []) rule(object as T);
  return object as T;
}

/** Problems of a new object, metadata included, as `field: message`. */
export function createProblems<T extends KubeObject>(kind: KindDefinition<T>, yaml: string): string[] {
  const object = decoded(kind, yaml);
  const context = { verb: 'create', subresource: '', nowMs: 0 } as const;
  kind.prepareCreate?.(object, context);
  const checkName = kind.validateName ?? nameIsDnsSubdomain;
  const problems = [
    ...validateObjectMeta(object.metadata, { namespaced: kind.scope === 'namespaced', checkName }),
    ...(kind.validate?.(object, context) ?? []),
  ];
  return problems.map(({ field, message }) => `${field}: ${message}`);
}

/** Problems of a change to a new object, as `field: message`. */
export function updateProblems<T extends KubeObject>(
  kind: KindDefinition<T>,
  yaml: string,
  change: (object: T) => void,
  subresource = '',
): string[] {
  const context = { verb: 'update', subresource, nowMs: 0 } as const;
  const prev = decoded(kind, yaml);
  kind.prepareCreate?.(prev, { ...context, verb: 'create', subresource: '' });
  const next = structuredClone(prev);
  change(next);
  kind.prepareUpdate?.(next, prev, context);
  const problems = [...(kind.validateUpdate?.(next, prev, context) ?? []), ...(kind.validate?.(next, context) ?? [])];
  return problems.map(({ field, message }) => `${field}: ${message}`);
}

/** One row of the table, by column name. */
export function row<T extends KubeObject>(kind: KindDefinition<T>, object: T, nowMs = 0): Record<string, unknown> {
  return Object.fromEntries((kind.columns ?? []).map(({ name, value }) => [name, value(object, nowMs)]));
}
