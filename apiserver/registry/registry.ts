// The generic registry: every kind's create, get, list, watch, update, patch, apply and delete, from the declarations alone.
//
//   request → decode + defaults (decode.ts) → ownership → admission, preparation, validation (write-steps.ts)
//           → guarded write (writer.ts, deleter.ts) → store → watch cache → answer
//   request → reader.ts, watch-objects.ts → watch cache → answer
import type { KindDefinition } from '#api/kind.ts';
import type { JsonObject, KubeObject } from '#api/meta/object.ts';
import { Seen } from '#api/meta/seen.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import { notFound } from '#api/meta/status.ts';
import type { Codec } from '#api/schema/codec.ts';
import type { Clock } from '#base/clock.ts';
import { runServices, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { noteBody } from '../audit/note-body.ts';
import type { LargeWork, Proposal } from '../large/contract.ts';
import { LargeWrite, type LargeWriteOptions } from '../large/large-write.ts';
import { Compactor } from '../storage/compactor.ts';
import type { Store } from '../storage/contract.ts';
import type { ResourceCounts } from '../storage/resource-counts.ts';
import { formerPlaces } from '../storage/keys.ts';
import { WatchCache } from '../storage/watch-cache.ts';
import { AdmissionChain } from './admission-chain.ts';
import type { AdmissionTiming } from './admission-timing.ts';
import type {
  AdmissionPlugin,
  AdmissionRequest,
  Body,
  Change,
  DeleteAnswer,
  DeleteRequest,
  Encoded,
  ListAnswer,
  ListRequest,
  PatchType,
  Registry,
  RequestContext,
  WatchFrame,
  WatchRequest,
} from './contract.ts';
import { decodeApplied, decodeBody } from './decode.ts';
import { Deleter } from './deleter.ts';
import { ObjectStore } from './object-store.ts';
import { patchObject, readConfiguration, readPatch } from './patch-object.ts';
import { plainEncoded } from './plain-encoded.ts';
import { checkName, setNamespace } from './prepare.ts';
import { Reader } from './reader.ts';
import { scaleOf, scaleRule } from './scale.ts';
import { ScaleWriter } from './scale-writer.ts';
import { type ServedKind, ServedKinds } from './served-kinds.ts';
import { watchObjects } from './watch-objects.ts';
import { type UpdateRequest, type Written, Writer } from './writer.ts';

export interface GenericRegistryDeps {
  readonly store: Store;
  /** In discovery order. A kind that is stored as another needs that one in the list. */
  readonly kinds: readonly KindDefinition[];
  readonly codec: Codec;
  /** In the order they are asked. */
  readonly admission: readonly AdmissionPlugin[];
  readonly clock: Clock;
  readonly log: Log;
  /** Measures admission; absent: not measured. */
  readonly timing?: AdmissionTiming | undefined;
  /** Does what takes long; absent: everything is done here. */
  readonly largeWork?: LargeWork | undefined;
  /** How long events live, 0 for ever. Default: as long as their kind says. */
  readonly ttlSeconds?: number | undefined;
  /** How often history is forgotten, 0 never. Default: the compactor's. */
  readonly compactionMs?: number | undefined;
}

/** One stored resource. */
export interface MeasuredResource {
  readonly group: string;
  readonly resource: string;
  readonly objects: number;
  /** Newest that its cache has seen. */
  readonly revision: number;
  readonly counts: ResourceCounts;
}

/** Serves once `run` is ready; `run` keeps the watch cache and compacts the store. The store stays its maker's to close. */
export class GenericRegistry implements Registry, Service {
  readonly name = 'registry';
  readonly #served: ServedKinds;
  readonly #codec: Codec;
  readonly #cache: WatchCache;
  readonly #compactor: Compactor;
  readonly #reader: Reader;
  readonly #admission: AdmissionChain;
  readonly #writer: Writer;
  readonly #deleter: Deleter;
  readonly #clock: Clock;
  readonly #largeWork: LargeWork | undefined;
  readonly #scales: ScaleWriter;

  constructor(deps: GenericRegistryDeps) {
    const { store, kinds, codec, clock, log, largeWork } = deps;
    this.#codec = codec;
    this.#clock = clock;
    this.#largeWork = largeWork;
    this.#served = new ServedKinds(kinds, codec);
    this.#cache = new WatchCache({ store, resources: this.#served.resources, formerPlaces: formerPlaces(kinds), clock, log });
    this.#compactor = new Compactor({ store, clock, log, periodMs: deps.compactionMs });
    const admission = new AdmissionChain(deps.admission, deps.timing);
    this.#admission = admission;
    const objects = new ObjectStore({ store, cache: this.#cache, clock, ttlSeconds: deps.ttlSeconds });
    this.#reader = new Reader({ store, cache: this.#cache, clock, forgottenRevision: () => this.#compactor.forgottenRevision });
    this.#writer = new Writer({ objects, served: this.#served, admission, clock });
    this.#scales = new ScaleWriter({ writer: this.#writer, codec, clock });
    this.#deleter = new Deleter({ objects, admission, clock, largeWork });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    await runServices(signal, [this.#cache, this.#compactor], ready);
  }

  /** Why caches are stale and remain so until an operator intervenes; undefined while they are current. */
  get trouble(): string | undefined {
    return this.#cache.trouble;
  }

  kinds(): readonly KindDefinition[] {
    return this.#served.kinds;
  }

  /** What is stored, for those who measure. */
  *measured(): Generator<MeasuredResource> {
    const { revision } = this.#cache;
    for (const { form, prefix } of this.#served.resources) {
      const { group, names } = form.kind;
      const { counts, size } = this.#cache.resource(prefix);
      yield { group, resource: names.plural, objects: size, revision, counts };
    }
  }

  find(group: string, version: string, plural: string): KindDefinition | undefined {
    return this.#served.find(group, version, plural);
  }

  async admit(request: AdmissionRequest): Promise<void> {
    if (request.operation === 'CONNECT') return await this.#admission.connect(request);
    await this.#admission.mutate(request);
    await this.#admission.validate(request);
  }

  async get(kind: KindDefinition, name: string, resourceVersion: string, context: RequestContext): Promise<Encoded> {
    const found = await this.#reader.get(this.#served.get(kind), name, resourceVersion, context);
    const rule = scaleRule(kind, context);
    return rule === undefined ? found : plainEncoded(scaleOf(found.object(), rule));
  }

  peek(kind: KindDefinition, namespace: string, name: string): Encoded | undefined {
    return this.#reader.peek(this.#served.get(kind), namespace, name);
  }

  peekAll(kind: KindDefinition, namespace: string): readonly Encoded[] {
    return this.#reader.peekAll(this.#served.get(kind), namespace);
  }

  async list(kind: KindDefinition, request: ListRequest, context: RequestContext): Promise<ListAnswer> {
    return await this.#reader.list(this.#served.get(kind), request, context);
  }

  async watch(kind: KindDefinition, request: WatchRequest, context: RequestContext): Promise<AsyncIterable<readonly WatchFrame[]>> {
    const deps = { cache: this.#cache, reader: this.#reader, clock: this.#clock };
    return await watchObjects(this.#served.get(kind), request, context, deps);
  }

  async create(kind: KindDefinition, body: Body, context: RequestContext): Promise<Encoded> {
    const served = this.#served.get(kind);
    const large = this.#large({ kind, name: '', proposal: { how: 'create', body }, context }, undefined);
    const object = (await large?.propose(undefined)) ?? decodeBody(this.#codec, kind, body, context);
    if (context.audit !== undefined) noteBody(context.audit, object, large === undefined ? undefined : body);
    return await this.#writer.create(served, object, context, large);
  }

  async createObject(kind: KindDefinition, object: KubeObject, context: RequestContext): Promise<Encoded> {
    const mine = cloneJson(object as never) as KubeObject;
    for (const rule of kind.defaults ?? []) rule(mine);
    return await this.#writer.create(this.#served.get(kind), mine, context);
  }

  async update(kind: KindDefinition, name: string, body: Body, request: RequestContext): Promise<Written> {
    const context = warningOnce(request);
    const served = this.#served.get(kind);
    const rule = scaleRule(kind, context);
    if (rule !== undefined) return await this.#scales.update({ served, name, rule, context }, body);
    const large = this.#largeUpdate(served, { name, proposal: { how: 'update', body }, context });
    let first: KubeObject | undefined = large === undefined ? decodeBody(this.#codec, kind, body, context) : undefined;
    if (context.audit !== undefined) noteBody(context.audit, first, large === undefined ? undefined : body);
    if (first !== undefined) {
      // Before its existence is checked.
      setNamespace(kind, first.metadata, context.namespace);
      checkName(first.metadata, name, context.namespace);
    }
    const uid = first?.metadata.uid;
    return await this.#writer.update({
      served,
      name,
      context,
      // Every attempt needs an object of its own; warnings came with the first.
      next: () => {
        const mine = first ?? decodeBody(this.#codec, kind, body, { fieldValidation: 'Ignore', warn: () => undefined });
        first = undefined;
        return mine;
      },
      mayCreate: kind.createOnUpdate === true && context.subresource === '',
      uid,
      isWhole: true,
      keepsOwners: true,
      mayShrink: true,
      large,
    });
  }

  async patch(
    kind: KindDefinition,
    name: string,
    { type, bytes, force }: { type: PatchType; bytes: Uint8Array; force: boolean },
    request: RequestContext,
  ): Promise<Written> {
    const context = warningOnce(request);
    const served = this.#served.get(kind);
    const rule = scaleRule(kind, context);
    if (rule !== undefined) return await this.#scales.patch({ served, name, rule, context }, { type, bytes, force });
    const body: Body = { bytes, mediaType: type === 'apply' ? 'application/yaml' : 'application/json' };
    const proposal: Proposal = type === 'apply' ? { how: type, body, force } : { how: type, body };
    const large = this.#largeUpdate(served, { name, proposal, context });
    if (large !== undefined) return await this.#writer.update(largePatch(served, large, { name, type, context }));
    if (type === 'apply') {
      return await this.#apply(served, name, { config: readConfiguration(this.#codec, bytes, context), force }, context);
    }
    const patch = readPatch(this.#codec, type, bytes, context);
    const { schema } = served;
    return await this.#writer.update({
      served,
      name,
      context,
      next: (current) => {
        if (current === undefined) throw notFound({ group: kind.group, plural: kind.names.plural }, name);
        return patchObject(this.#codec, { kind, schema, current }, patch, context);
      },
      mayCreate: false,
      keepsOwners: true,
      mayShrink: true,
    });
  }

  async change(kind: KindDefinition, name: string, change: Change, context: RequestContext): Promise<Encoded> {
    const { encoded } = await this.#writer.update({
      served: this.#served.get(kind),
      name,
      context,
      next: (current) => {
        if (current === undefined) throw notFound({ group: kind.group, plural: kind.names.plural }, name);
        return change(current);
      },
      takesCopy: true,
      mayCreate: false,
      // Whoever ties a pod to a node owns nothing of it.
      keepsOwners: context.subresource !== 'binding',
      mayShrink: true,
      large: this.#largeUpdate(this.#served.get(kind), { name, proposal: undefined, context }),
    });
    return encoded;
  }

  async delete(kind: KindDefinition, name: string, request: DeleteRequest, context: RequestContext): Promise<DeleteAnswer> {
    return await this.#deleter.delete(this.#served.get(kind), name, request, context);
  }

  async deleteCollection(kind: KindDefinition, list: ListRequest, request: DeleteRequest, context: RequestContext): Promise<ListAnswer> {
    const served = this.#served.get(kind);
    return await this.#deleter.deleteAll(served, await this.#reader.list(served, list, context), request, context);
  }

  /** Set where what was sent or what is there is so large that its steps take long. */
  #largeUpdate(served: ServedKind, options: Omit<LargeWriteOptions, 'kind'>): LargeWrite | undefined {
    const previous = this.#reader.peek(served, options.context.namespace, options.name)?.json;
    return this.#large({ ...options, kind: served.kind }, previous);
  }

  #large(options: LargeWriteOptions, previous: Uint8Array | undefined): LargeWrite | undefined {
    const work = this.#largeWork;
    if (work?.takes(options.kind, options.proposal?.body, previous) !== true) return undefined;
    return new LargeWrite({ work, clock: this.#clock }, options);
  }

  /** Server-side apply; makes the object where it is not there. */
  async #apply(
    served: ServedKind,
    name: string,
    { config, force }: { config: JsonObject; force: boolean },
    context: RequestContext,
  ): Promise<Written> {
    const { kind } = served;
    const { fieldManager: manager, subresource } = context;
    return await this.#writer.update({
      served,
      name,
      context,
      next: (current) => {
        const write = { manager, subresource, nowMs: this.#clock.nowMs(), force };
        return decodeApplied(this.#codec, kind, served.ownership.onApply(cloneJson(config), current, write), context);
      },
      mayCreate: subresource === '',
      keepsOwners: false,
      mayShrink: false,
    });
  }
}

function largePatch(
  served: ServedKind,
  large: LargeWrite,
  { name, type, context }: { readonly name: string; readonly type: PatchType; readonly context: RequestContext },
): UpdateRequest {
  const isApply = type === 'apply';
  return {
    served,
    name,
    context,
    next: () => {
      throw notFound({ group: served.kind.group, plural: served.kind.names.plural }, name);
    },
    mayCreate: isApply && context.subresource === '',
    keepsOwners: !isApply,
    mayShrink: !isApply,
    large,
  };
}

/** Attempts of one write warn of the same things. */
function warningOnce(context: RequestContext): RequestContext {
  const warned = new Seen();
  const warn = (text: string): void => {
    if (warned.add(text)) context.warn(text);
  };
  return {
    ...context,
    warn,
    get signal() {
      return context.signal;
    },
  };
}
