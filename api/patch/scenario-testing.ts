// Scenarios for tests of ownership: applies and updates in turn on an object of a kind that has every sort of field. Objects are taken
// as they come, empty lists and maps included, as custom resources are.
import type { Json, JsonObject, KubeObject } from '../meta/object.ts';
import type { FieldNode } from './field-set.ts';
import { pathsOf } from './field-set.ts';
import { pathText } from './field-text.ts';
import { ownership } from './managed-fields.ts';
import { list, mapOf, struct, text, whole } from './testing.ts';

const port = struct('x.Port', { port: whole, protocol: text, name: text });
const item = struct('x.Item', {
  name: text,
  value: text,
  sub: struct('x.Sub', { p: text, q: whole }),
  ports: list(port, { listType: 'map', mapKeys: ['port', 'protocol'] }),
});
const device = struct('x.Device', { driver: text, device: text, share: text, data: text });
const reference = struct('io.k8s.api.core.v1.LocalObjectReference', { name: text });
const schema = struct('x.Root', {
  apiVersion: text,
  kind: text,
  metadata: { schema: struct('x.Meta', { name: text }), presence: 'fill' },
  text,
  number: whole,
  inner: struct('x.Inner', { a: text, map: mapOf(text) }),
  atomic: struct('x.Atomic', { a: text, b: text }, [], 'atomic'),
  map: mapOf(text),
  structs: mapOf(struct('x.Value', { x: text, y: whole })),
  set: list(text, { listType: 'set' }),
  list: list(text, { listType: 'atomic' }),
  items: list(item, { listType: 'map', mapKeys: ['name'] }),
  any: { type: 'any' },
  devices: list(device, { listType: 'map', mapKeys: ['driver', 'device', 'share'] }),
  references: list(reference, { listType: 'map', mapKeys: ['name'] }),
});
const fields = ownership({ schema, apiVersion: 'x/v1', kind: 'Root' });

/** Who does what with which fields. */
export type Step = readonly ['apply' | 'force' | 'update', string, JsonObject];

/** The paths of every owner: `A name` applies, `U name` updates. */
export type Owned = Readonly<Record<string, string>>;

/** The object that is there in the end, from nothing or `before`. Throws what the last step throws. */
export function perform(steps: readonly Step[], before?: KubeObject): KubeObject {
  let live = before;
  for (const [how, manager, given] of steps) {
    const object = { apiVersion: 'x/v1', kind: 'Root', metadata: { name: 'o' }, ...given } as unknown as KubeObject;
    const write = { manager, subresource: '', nowMs: 0, force: how === 'force' };
    if (how === 'update') fields.onUpdate(object, live, write);
    live = how === 'update' ? object : fields.onApply(object as unknown as JsonObject, live, write);
  }
  return live as KubeObject;
}

/** Its fields without what every object has. */
export function content(object: KubeObject): JsonObject {
  const { apiVersion: _, kind: _kind, metadata: _metadata, ...rest } = object as unknown as Record<string, Json>;
  return rest;
}

/** Who owns what of it. */
export function owned(object: KubeObject): Owned {
  const entries = object.metadata.managedFields ?? [];
  return Object.fromEntries(
    entries.map(({ operation, manager, fieldsV1 }) => {
      const paths = [...pathsOf(fieldsV1 as FieldNode)].map(pathText);
      return [`${operation === 'Apply' ? 'A' : 'U'} ${manager}`, paths.join(' ')];
    }),
  );
}
