// The jobs themselves. What they give is what the same steps give on the server itself (registry/writer.ts, registry/write-steps.ts);
// large-write.property.test.ts holds one against the other.
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { generateName } from '#api/meta/random-name.ts';
import { keepTimesWhenUnchanged } from '#api/patch/managed-fields.ts';
import { cloneJson } from '#api/patch/json-object.ts';
import { type Codec, createCodec } from '#api/schema/codec.ts';
import { prettyText } from '#api/schema/stringify-deep.ts';
import { partialJson, TableMaker } from '../http/table.ts';
import { yamlText } from '../http/yaml-text.ts';
import type { Body } from '../registry/contract.ts';
import { decodeApplied, decodeBody, type Strictness } from '../registry/decode.ts';
import { plainError } from '../registry/failures.ts';
import { patchObject, readConfiguration, readPatch } from '../registry/patch-object.ts';
import {
  checkCreate,
  checkUpdate,
  fillSystemFields,
  isUnchanged,
  prepareCreate,
  prepareUpdate,
  setNamespace,
  setType,
  wipeSystemFields,
  updateWarnings,
} from '../registry/prepare.ts';
import { type ServedKind, ServedKinds } from '../registry/served-kinds.ts';
import { valueLimitBytes } from '../storage/contract.ts';
import { parseObject } from '../storage/decoded-objects.ts';
import { encodeStored } from '../storage/served-form.ts';
import { joinObject, splitObject } from './split-object.ts';
import type { ExcerptJob, Job, JudgeJob, Judged, Proposed, ProposeJob, Rendered, RenderJob, Result } from './contract.ts';

/** Objects whose JSON is longer are not even judged any more: their mistakes alone would take more memory than there is. */
const judgedBytes = 32 * 1_024 * 1_024;

const nothing = new Uint8Array();

/** Does jobs, one after another. */
export class Jobs {
  readonly #codec: Codec;
  readonly #served: ServedKinds;
  readonly #leastPart: number | undefined;

  /** `kinds`: those that jobs may name. `leastPart`: of objects that come back in parts, in characters. */
  constructor(kinds: readonly KindDefinition[], leastPart?: number) {
    this.#codec = createCodec(undefined, Infinity);
    this.#leastPart = leastPart;
    this.#served = new ServedKinds(kinds, this.#codec);
  }

  /** Throws ApiError for refusals. */
  run<J extends Job>(job: J): Result<J> {
    return this.#run(job) as Result<J>;
  }

  #run(job: Job): Result<Job> {
    switch (job.do) {
      case 'propose':
        return this.#propose(job);
      case 'judge':
        return this.#judge(job);
      case 'render':
        return this.#render(job);
      case 'excerpt':
        return this.#excerpt(job);
      case 'split':
        return splitObject(parseObject(job.json), this.#leastPart);
    }
  }

  #kind({ kind: { group, version, plural } }: ProposeJob | JudgeJob | ExcerptJob): ServedKind {
    const kind = this.#served.find(group, version, plural);
    if (kind === undefined) throw new Error(`${plural} of ${group}/${version} is not known here`);
    return this.#served.get(kind);
  }

  #propose(job: ProposeJob): Proposed {
    const warnings: string[] = [];
    const { fieldValidation } = job.context;
    const strictness = { fieldValidation, warn: (text: string) => void warnings.push(text) };
    const previous = job.previous === undefined ? undefined : parseObject(job.previous);
    const object = this.#proposed(job, previous, strictness);
    const proposed = object && splitObject(this.#fitting(job, object, previous), this.#leastPart);
    return {
      object: proposed,
      previous: job.wantsPrevious && previous !== undefined ? splitObject(previous, this.#leastPart) : undefined,
      warnings,
    };
  }

  #proposed(job: ProposeJob, previous: KubeObject | undefined, strictness: Strictness): KubeObject | undefined {
    const served = this.#kind(job);
    const { kind, schema } = served;
    const { proposal, context } = job;
    const body = withBuffer(proposal.body);
    switch (proposal.how) {
      case 'create': {
        const object = decodeBody(this.#codec, kind, body, strictness);
        setType(kind, object);
        wipeSystemFields(object.metadata);
        setNamespace(kind, object.metadata, context.namespace);
        return owned(served, object, undefined, job);
      }
      case 'update':
        return owned(served, decodeBody(this.#codec, kind, body, strictness), previous, job);
      case 'apply': {
        const config = readConfiguration(this.#codec, body.bytes, strictness);
        if (previous === undefined && context.subresource !== '') return undefined;
        const write = { manager: context.fieldManager, subresource: context.subresource, nowMs: context.nowMs, force: proposal.force };
        return decodeApplied(this.#codec, kind, served.ownership.onApply(config, previous, write), strictness);
      }
      default: {
        const patch = readPatch(this.#codec, proposal.how, body.bytes, strictness);
        if (previous === undefined) return undefined;
        return owned(served, patchObject(this.#codec, { kind, schema, current: previous }, patch, strictness), previous, job);
      }
    }
  }

  /**
   * The object, small enough to be worth going on with. What no store takes, whatever admission adds to it, is judged here, since
   * its mistakes come first, and then refused as the store does.
   */
  #fitting(job: ProposeJob, object: KubeObject, previous: KubeObject | undefined): KubeObject {
    const json = this.#codec.encode(object);
    if (json.length <= valueLimitBytes) return object;
    const tooLarge = plainError('etcdserver: request is too large');
    if (json.length > judgedBytes) throw tooLarge;
    const { kind } = this.#kind(job);
    const { context, user } = job;
    const { subresource, nowMs } = context;
    const tried = cloneJson(object as never) as KubeObject;
    setType(kind, tried);
    setNamespace(kind, tried.metadata, context.namespace);
    if (previous === undefined) {
      const write = { verb: 'create', subresource, nowMs, user } as const;
      wipeSystemFields(tried.metadata);
      fillSystemFields(tried.metadata, nowMs);
      if ((tried.metadata.name ?? '') === '') tried.metadata.name = generateName(tried.metadata.generateName ?? '');
      prepareCreate(kind, tried, write);
      checkCreate(kind, tried, write);
    } else {
      const write = { verb: 'update', subresource, nowMs, user } as const;
      if ((tried.metadata.resourceVersion ?? '') === '') tried.metadata.resourceVersion = previous.metadata.resourceVersion ?? '';
      prepareUpdate(kind, tried, previous, write);
      checkUpdate(kind, tried, previous, write);
    }
    if (job.proposal.how !== 'apply') delete tried.metadata.managedFields;
    if (this.#codec.encode(tried).length > valueLimitBytes) throw tooLarge;
    // Its owners alone make it too large: they go, as they would in the end.
    if (job.proposal.how !== 'apply') delete object.metadata.managedFields;
    return object;
  }

  #judge(job: JudgeJob): Judged {
    const served = this.#kind(job);
    const { kind } = served;
    const { write } = job;
    const object = joinObject(job.object);
    if (job.previous === undefined) {
      checkCreate(kind, object, write);
      const warnings = kind.warnings?.(object, undefined) ?? [];
      return { warnings, ...this.#stored(served, object, job.mayShrink), isUnchanged: false };
    }
    const previous = parseObject(job.previous);
    checkUpdate(kind, object, previous, write);
    const warnings = updateWarnings(kind, object, previous, write.subresource);
    const owners = object.metadata.managedFields;
    keepTimesWhenUnchanged(object, previous);
    const isKept = object.metadata.managedFields !== owners;
    if (isUnchanged(object, previous)) return { warnings, bytes: nothing, owners: isKept ? 'previous' : 'own', isUnchanged: true };
    const stored = this.#stored(served, object, job.mayShrink);
    return { warnings, bytes: stored.bytes, owners: stored.owners === 'own' && isKept ? 'previous' : stored.owners, isUnchanged: false };
  }

  #stored({ storedForm, toStored }: ServedKind, object: KubeObject, mayShrink: boolean): { bytes: Uint8Array; owners: 'own' | 'none' } {
    const encode = (): Uint8Array => encodeStored(storedForm, toStored === undefined ? object : toStored(cloneJson(object as never)));
    const bytes = encode();
    if (!mayShrink || bytes.length <= valueLimitBytes || object.metadata.managedFields === undefined) return { bytes, owners: 'own' };
    delete object.metadata.managedFields;
    return { bytes: encode(), owners: 'none' };
  }

  #excerpt(job: ExcerptJob): Rendered {
    const { json, row, version } = job;
    const object = parseObject(json);
    const encoded = { json, resourceVersion: object.metadata.resourceVersion ?? '', decoded: object, object: () => object };
    if (row === undefined) return { bytes: partialJson(encoded, version) };
    const deps = { clock: { nowMs: () => row.nowMs }, codec: this.#codec };
    return { bytes: new TableMaker(this.#kind(job).kind, row.include, version, deps).row(encoded) };
  }

  #render({ json, as, item, indent }: RenderJob): Rendered {
    const { protobuf } = this.#codec;
    if (item !== undefined) return { bytes: protobuf.element(item.field, item.schema, parseObject(json)) };
    if (as === 'protobuf') return { bytes: protobuf.object(parseObject(json)) };
    const value: unknown = JSON.parse(Buffer.from(json).toString());
    const text = as === 'yaml' ? yamlText(value) : prettyText(value);
    return { bytes: Buffer.from(indent === undefined ? text : text.trimEnd().replaceAll('\n', `\n${indent}`)) };
  }
}

/** With who owns what of it. */
function owned(served: ServedKind, object: KubeObject, previous: KubeObject | undefined, { context }: ProposeJob): KubeObject {
  const { fieldManager: manager, subresource, nowMs } = context;
  served.ownership.onUpdate(object, previous, { manager, subresource, nowMs });
  return object;
}

/** Bytes that have travelled are plain ones. */
function withBuffer({ bytes, mediaType }: Body): Body {
  return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), mediaType };
}
