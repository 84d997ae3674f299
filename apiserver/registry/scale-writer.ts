// Writes of the scale sub-resource: what a Scale says becomes one field of the object behind it (scale.ts), in a guarded write as any other.
import type { ScaleRule } from '#api/kind.ts';
import { apiVersionOf, type JsonObject, type KubeObject, type ObjectMeta } from '#api/meta/object.ts';
import { notFound } from '#api/meta/status.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import { type Ownership, ownership } from '#api/patch/managed-fields.ts';
import { objectEntries, scaleEntries } from '#api/patch/scale-owners.ts';
import type { Codec } from '#api/schema/codec.ts';
import type { Clock } from '#base/clock.ts';
import type { Body, PatchType, RequestContext } from './contract.ts';
import { decodeApplied, decodeBody } from './decode.ts';
import { plainEncoded } from './plain-encoded.ts';
import { patchObject, readConfiguration, readPatch } from './patch-object.ts';
import { checkName } from './prepare.ts';
import { checkScaleUid, type Scale, scaleKind, scaleOf, withScale } from './scale.ts';
import type { ServedKind } from './served-kinds.ts';
import type { Writer, Written } from './writer.ts';

interface ScaleWriterDeps {
  readonly writer: Writer;
  readonly codec: Codec;
  readonly clock: Clock;
}

/** Whose Scale is written. */
interface ScaleTarget {
  readonly served: ServedKind;
  readonly name: string;
  readonly rule: ScaleRule;
  readonly context: RequestContext;
}

interface Change {
  /** What the Scale is to be, from what it is. */
  readonly next: (current: Scale) => Scale;
  readonly uid?: string | undefined;
  /** False: the Scale that `next` gives says who owns the number. */
  readonly keepsOwners: boolean;
}

export class ScaleWriter {
  readonly #writer: Writer;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #ownership: Ownership;

  constructor({ writer, codec, clock }: ScaleWriterDeps) {
    this.#writer = writer;
    this.#codec = codec;
    this.#clock = clock;
    this.#ownership = ownership({ schema: codec.schemas.get(scaleKind.schema), apiVersion: 'autoscaling/v1', kind: scaleKind.kind });
  }

  async update(target: ScaleTarget, body: Body): Promise<Written> {
    const { context } = target;
    const wanted = decodeBody(this.#codec, scaleKind, body, context) as Scale;
    context.audit?.requested(wanted);
    return await this.#write(target, { next: () => wanted, uid: wanted.metadata.uid, keepsOwners: true });
  }

  async patch(target: ScaleTarget, { type, bytes, force }: { type: PatchType; bytes: Uint8Array; force: boolean }): Promise<Written> {
    const { context } = target;
    if (type === 'apply') return await this.#apply(target, readConfiguration(this.#codec, bytes, context), force);
    const patch = readPatch(this.#codec, type, bytes, context);
    const schema = this.#codec.schemas.get(scaleKind.schema);
    const next = (current: Scale): Scale => patchObject(this.#codec, { kind: scaleKind, schema, current }, patch, context) as Scale;
    return await this.#write(target, { next, keepsOwners: true });
  }

  /** Only who owns the number of replicas matters. */
  async #apply(target: ScaleTarget, config: JsonObject, force: boolean): Promise<Written> {
    const { context } = target;
    const { fieldManager: manager, subresource } = context;
    const next = (current: Scale): Scale => {
      const write = { manager, subresource, nowMs: this.#clock.nowMs(), force };
      return decodeApplied(this.#codec, scaleKind, this.#ownership.onApply(cloneJson(config), current, write), context) as Scale;
    };
    return await this.#write(target, { next, keepsOwners: false });
  }

  async #write({ served, name, rule, context }: ScaleTarget, { next: wanted, uid, keepsOwners }: Change): Promise<Written> {
    const { group, names } = served.kind;
    const replicas = { path: rule.specReplicas, apiVersion: apiVersionOf(served.kind) };
    const { encoded } = await this.#writer.update({
      served,
      name,
      context,
      next: (current) => {
        if (current === undefined) throw notFound({ group, plural: names.plural }, name);
        const seen = scaleOf(current, rule);
        const owned = keepsOwners ? undefined : scaleEntries(current.metadata.managedFields, replicas);
        if (owned !== undefined) seen.metadata.managedFields = owned;
        const scale = wanted(seen);
        checkName(scale.metadata, name, context.namespace);
        const next = withScale(current, scale, rule);
        checkScaleUid({ group, plural: `${names.plural}/scale` }, scale.metadata, current.metadata);
        return keepsOwners ? next : ownedAnew(next, objectEntries(current.metadata.managedFields, scale.metadata.managedFields, replicas));
      },
      mayCreate: false,
      uid,
      keepsOwners,
      mayShrink: keepsOwners,
    });
    return { encoded: plainEncoded(scaleOf(encoded.object(), rule)), created: false };
  }
}

function ownedAnew(object: KubeObject, entries: ObjectMeta['managedFields'] | undefined): KubeObject {
  if (entries === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
  return object;
}
