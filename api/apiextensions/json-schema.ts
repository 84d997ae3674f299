// Schemas of custom resources as trees. Schemas come from users: members that hold schemas are looked at with care, and nothing here
// recurses, however deep a tree is.
import type { V1JSONSchemaProps } from '#api/generated/types.ts';
import type { Unchecked } from '../meta/unchecked.ts';

export type JsonSchema = Unchecked<V1JSONSchemaProps>;

/** One schema below another: its path goes on from the parent's. */
export interface Child {
  readonly schema: JsonSchema;
  readonly step: string;
}

/** The schema in a member that may also hold something else; undefined where it does. */
export function schemaIn(value: unknown): JsonSchema | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

/** The schemas in a map. */
export function childrenIn(map: unknown, step: string): Child[] {
  return Object.entries(schemaIn(map) ?? {}).flatMap(([key, value]) => oneChild(value, `${step}[${key}]`));
}

/** The schemas in a list. */
export function childrenOf(list: unknown, step: string): Child[] {
  return Array.isArray(list) ? list.flatMap((value, at) => oneChild(value, `${step}[${at}]`)) : [];
}

export function oneChild(value: unknown, step: string): Child[] {
  const schema = schemaIn(value);
  return schema === undefined ? [] : [{ schema, step }];
}

/** Parts that only judge values, and say nothing of their structure. */
export function judgements({ not, allOf, anyOf, oneOf }: JsonSchema): Child[] {
  return [...oneChild(not, '.not'), ...childrenOf(allOf, '.allOf'), ...childrenOf(anyOf, '.anyOf'), ...childrenOf(oneOf, '.oneOf')];
}

/** Every schema below one, itself first. */
export function* everySchema(root: JsonSchema): Iterable<JsonSchema> {
  const waiting = [root];
  for (let schema = waiting.pop(); schema !== undefined; schema = waiting.pop()) {
    yield schema;
    const { items, properties, additionalProperties, patternProperties, additionalItems, definitions, dependencies } = schema;
    const below = [
      ...oneChild(items, ''),
      ...childrenOf(items, ''),
      ...judgements(schema),
      ...childrenIn(properties, ''),
      ...oneChild(additionalProperties, ''),
      ...[patternProperties, definitions, dependencies].flatMap((map) => childrenIn(map, '')),
      ...oneChild(additionalItems, ''),
    ];
    for (const child of below.toReversed()) waiting.push(child.schema);
  }
}
