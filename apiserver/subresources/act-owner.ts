import { apiVersionOf, type JsonObject, type KubeObject } from '#api/meta/object.ts';
import { type Ownership, ownership } from '#api/patch/managed-fields.ts';
import type { DecodableKind } from '#api/schema/codec.ts';
import type { VerbDeps } from '../http/verbs/verb.ts';
import type { RequestContext } from '../registry/contract.ts';

/**
 * Writes into an object that is answered but never stored who sent which of its fields, as upstream does with everything that is created.
 * Each kind's schema is made ready once.
 */
type ActOwner = (body: JsonObject, kind: DecodableKind, context: RequestContext, deps: VerbDeps) => void;

export function actOwner(): ActOwner {
  const known = new Map<string, Ownership>();
  return (body, kind, { fieldManager: manager, subresource }, { codec, clock }) => {
    let owners = known.get(kind.schema);
    if (owners === undefined) {
      owners = ownership({ schema: codec.schemas.get(kind.schema), apiVersion: apiVersionOf(kind), kind: kind.kind });
      known.set(kind.schema, owners);
    }
    owners.onUpdate(body as unknown as KubeObject, undefined, { manager, subresource, nowMs: clock.nowMs() });
  };
}
