import type { Resource } from '#api/kind.ts';
import type { Client } from '../client.ts';
import { kindId } from '../cluster-cache.ts';
import type { CacheReader, ControllerDefinition } from './define.ts';

/** The cache, with access only to the kinds that the controller declared. Throws for others: a bug in the declaration. */
export function declaredReader(cache: CacheReader, definition: ControllerDefinition): CacheReader {
  const declared = new Set([definition.reconciles, ...definition.reads].map(kindId));
  const check = (kind: Resource): void => {
    if (!declared.has(kindId(kind))) throw new Error(`${definition.name} reads ${kind.names.plural} but does not declare it`);
  };
  return {
    get: (kind, key) => {
      check(kind);
      return cache.get(kind, key);
    },
    list: (kind, namespace) => {
      check(kind);
      return cache.list(kind, namespace);
    },
    ownedBy: (kind, ownerUid) => {
      check(kind);
      return cache.ownedBy(kind, ownerUid);
    },
    byIndex: (kind, index, value) => {
      check(kind);
      return cache.byIndex(kind, index, value);
    },
  };
}

/** The client, with writes only to the kinds that the controller declared, and reads also of those it reads. */
export function declaredClient(client: Client, definition: ControllerDefinition): Client {
  const writable = new Set(definition.writes.map(kindId));
  const readable = new Set([...writable, ...[definition.reconciles, ...definition.reads].map(kindId)]);
  const reads = <T extends Resource>(kind: T): T => {
    if (!readable.has(kindId(kind))) throw new Error(`${definition.name} reads ${kind.names.plural} but does not declare it`);
    return kind;
  };
  const writes = <T extends Resource>(kind: T): T => {
    if (!writable.has(kindId(kind))) throw new Error(`${definition.name} writes ${kind.names.plural} but does not declare it`);
    return kind;
  };
  return {
    get: async (kind, ...rest) => client.get(reads(kind), ...rest),
    list: async (kind, ...rest) => client.list(reads(kind), ...rest),
    watch: (kind, ...rest) => client.watch(reads(kind), ...rest),
    create: async (kind, ...rest) => client.create(writes(kind), ...rest),
    createSub: async (kind, ...rest) => client.createSub(writes(kind), ...rest),
    update: async (kind, ...rest) => client.update(writes(kind), ...rest),
    patch: async (kind, ...rest) => client.patch(writes(kind), ...rest),
    delete: async (kind, ...rest) => client.delete(writes(kind), ...rest),
    deleteCollection: async (kind, ...rest) => client.deleteCollection(writes(kind), ...rest),
    raw: (...args) => client.raw(...args),
  };
}
