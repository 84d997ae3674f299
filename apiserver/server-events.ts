import type { KindDefinition } from '#api/kind.ts';
import type { Json } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import { internalContext } from './internal-context.ts';
import type { Registry } from './registry/contract.ts';

/** What the server itself records events by: writes them without a connection. */
export function serverEvents(registry: Registry): Pick<Client, 'create' | 'patch'> {
  return {
    create: async (kind, object, _options, signal) => {
      const { namespace = '' } = (object as { metadata: { namespace?: string } }).metadata;
      const made = await registry.createObject(kind as KindDefinition, object as never, internalContext({ namespace }, signal));
      return made.object() as never;
    },
    patch: async (kind, { namespace = '', name }, body, { type }, signal) => {
      const patch = { type, bytes: Buffer.from(JSON.stringify(body as Json)), force: false };
      const { encoded } = await registry.patch(kind as KindDefinition, name, patch, internalContext({ namespace }, signal));
      return encoded.object() as never;
    },
  };
}
