import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf, type KubeObject } from '#api/meta/object.ts';
import { type Ownership, ownership } from '#api/patch/managed-fields.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import type { Codec } from '#api/schema/codec.ts';
import type { ObjectSchema } from '#api/schema/schema.ts';
import { servedForm, type ServedForm } from '../storage/served-form.ts';
import { keyPrefix } from '../storage/keys.ts';
import { restoring } from './restore.ts';
import type { CachedResource } from '../storage/watch-cache.ts';

/** What the registry knows of one kind that it serves. */
export interface ServedKind {
  readonly kind: KindDefinition;
  readonly form: ServedForm;
  /** The form of the kind that objects are stored as; often the same. */
  readonly storedForm: ServedForm;
  /** What the keys of its objects start with. */
  readonly prefix: string;
  readonly schema: ObjectSchema;
  readonly ownership: Ownership;
  /** Makes the stored object of a served one, which it may keep; undefined where they are the same. */
  readonly toStored: ((object: KubeObject) => KubeObject) | undefined;
}

/** The kinds of one registry. */
export class ServedKinds {
  readonly #served = new Map<KindDefinition, ServedKind>();
  readonly #byPath = new Map<string, KindDefinition>();
  readonly kinds: readonly KindDefinition[];

  constructor(kinds: readonly KindDefinition[], codec: Codec) {
    this.kinds = kinds;
    // What conversion gives is brought into the form in which the codec decodes it, so that both sides of a comparison have it.
    const canonical = (kind: KindDefinition, object: KubeObject): KubeObject => codec.decodeValue(object as never, kind, 'Ignore').object;
    const forms = new Map(
      kinds.map((kind) => [kind, formOf(kind, { canonical, restore: restoring(kind, this.#relatives(kind), codec) })] as const),
    );
    for (const kind of kinds) {
      const storedKind = kind.storedAs === undefined ? kind : kinds.find((other) => isKind(other, kind.storedAs));
      if (storedKind === undefined) throw new Error(`${kind.kind} is stored as a kind that is not served`);
      const form = forms.get(kind) as ServedForm;
      const storedForm = forms.get(storedKind) as ServedForm;
      const schema = codec.schemas.get(kind.schema);
      const { toStored } = kind;
      this.#served.set(kind, {
        kind,
        form,
        storedForm,
        prefix: keyPrefix(storedKind),
        schema,
        ownership: this.#ownershipOf(kind, storedKind, codec),
        toStored: form === storedForm || toStored === undefined ? undefined : (object) => canonical(storedKind, toStored(object)),
      });
      this.#byPath.set(pathOf(kind.group, kind.version, kind.names.plural), kind);
    }
  }

  /** What is stored, for the watch cache. */
  get resources(): CachedResource[] {
    return [...this.#served.values()].filter(({ form, storedForm }) => form === storedForm).map(({ form, prefix }) => ({ form, prefix }));
  }

  find(group: string, version: string, plural: string): KindDefinition | undefined {
    return this.#byPath.get(pathOf(group, version, plural));
  }

  get(kind: KindDefinition): ServedKind {
    const served = this.#served.get(kind);
    if (served === undefined) throw new Error(`${kind.kind} of ${apiVersionOf(kind)} is not served here`);
    return served;
  }

  /** The kind itself and those that are stored as it. */
  #relatives(storedKind: KindDefinition): readonly KindDefinition[] {
    return this.kinds.filter((other) => other === storedKind || isKind(storedKind, other.storedAs));
  }

  #ownershipOf(kind: KindDefinition, storedKind: KindDefinition, codec: Codec): Ownership {
    const relatives = this.#relatives(storedKind).filter((other) => other !== kind);
    const schema = codec.schemas.get(kind.schema);
    return ownership({
      schema,
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      ignored: resetFields(kind),
      otherVersion: (apiVersion) => {
        const other = relatives.find((one) => apiVersionOf(one) === apiVersion);
        return other && { schema: codec.schemas.get(other.schema), convert: (object) => convert(kind, other, object) };
      },
    });
  }
}

interface FormParts {
  readonly canonical: (kind: KindDefinition, object: KubeObject) => KubeObject;
  readonly restore: (bytes: Uint8Array) => KubeObject;
}

function formOf(kind: KindDefinition, { canonical, restore }: FormParts): ServedForm {
  const { storedAs, fromStored } = kind;
  if (storedAs === undefined || fromStored === undefined) return servedForm(kind, { restore });
  return servedForm(kind, { fromStored: (object) => canonical(kind, fromStored(object)) });
}

function isKind(kind: KindDefinition, wanted: KindDefinition['storedAs']): boolean {
  return wanted !== undefined && kind.group === wanted.group && kind.version === wanted.version && kind.kind === wanted.kind;
}

function pathOf(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}

/** What the kind's endpoints do not change, and so no manager owns through them. */
function resetFields({ subresources, resetFields: own }: KindDefinition): NonNullable<KindDefinition['resetFields']> {
  return subresources?.status === true ? { '': ['status'], status: ['spec'], ...own } : (own ?? {});
}

function convert(from: KindDefinition, to: KindDefinition, object: KubeObject): KubeObject {
  const copy = cloneJson(object as never) as KubeObject;
  const stored = from.storedAs === undefined ? copy : (from.toStored?.(copy) ?? copy);
  return to.storedAs === undefined ? stored : (to.fromStored?.(stored) ?? stored);
}
