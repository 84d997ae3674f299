// One large write: the steps that look at all of an object are done by another process, the others here, with turns for everybody else
// between those that take some ten milliseconds each: reading what the other one has written, and writing what it is to read.
import { apiVersionOf, type KubeObject } from '#api/meta/object.ts';
import type { KindDefinition, WriteContext } from '#api/kind.ts';
import type { Clock } from '#base/clock.ts';
import type { RequestContext } from '../registry/contract.ts';
import type { CachedObject } from '../storage/cached-object.ts';
import { turn } from '../work-slice.ts';
import { lazyObject, splitObject, type SplitObject } from './split-object.ts';
import type { Judged, KindName, LargeWork, Proposal } from './contract.ts';

export interface LargeWriteOptions {
  readonly kind: KindDefinition;
  /** '' for creates, and where the body alone says it. */
  readonly name: string;
  /** What a client sent; undefined where the server itself makes the next object. */
  readonly proposal: Proposal | undefined;
  readonly context: RequestContext;
}

export class LargeWrite {
  readonly #work: LargeWork;
  readonly #clock: Clock;
  readonly #options: LargeWriteOptions;
  readonly #kind: KindName;
  #previous: Uint8Array | undefined;
  #proposed: SplitObject | undefined;
  #uid: string | undefined;
  #judged: Judged | undefined;

  constructor({ work, clock }: { readonly work: LargeWork; readonly clock: Clock }, options: LargeWriteOptions) {
    this.#work = work;
    this.#clock = clock;
    this.#options = options;
    const { group, version, names } = options.kind;
    this.#kind = { group, version, plural: names.plural };
  }

  /** What the body of a PUT says its object's uid is. */
  get uid(): string | undefined {
    return this.#uid;
  }

  /** What the last attempt came to. */
  get judged(): Judged | undefined {
    return this.#judged;
  }

  /**
   * Begins an attempt: what the client makes of the object that is there; decoded, with defaults and owners. Undefined where there is
   * nothing to patch, or where the server itself has to say.
   */
  async propose(current: CachedObject | undefined): Promise<KubeObject | undefined> {
    const previous = current?.json;
    const wantsPrevious = current !== undefined && current.decoded === undefined;
    this.#previous = previous;
    this.#judged = undefined;
    const { proposal, context, name } = this.#options;
    if (proposal === undefined) return undefined;
    const { namespace, subresource, fieldManager, fieldValidation, user } = context;
    const about = { name, namespace, subresource, fieldManager, fieldValidation, nowMs: this.#clock.nowMs() };
    const job = { do: 'propose', kind: this.#kind, proposal, previous, wantsPrevious, context: about, user } as const;
    const { object, previous: split, warnings } = await this.#work.do(job, context.signal);
    for (const text of warnings) context.warn(text);
    if (current !== undefined && split !== undefined) current.keep(lazyObject(split));
    this.#proposed = object;
    const proposed = this.again();
    if (proposal.how === 'update') this.#uid = proposed?.metadata.uid;
    return proposed;
  }

  /** The proposed object once more. */
  again(): KubeObject | undefined {
    return this.#proposed && lazyObject(this.#proposed);
  }

  /** Validates what admission has made of the object, warns, and encodes it. Throws Invalid. */
  async judge(object: KubeObject, write: WriteContext, mayShrink: boolean): Promise<void> {
    const { context } = this.#options;
    await turn();
    const split = splitObject(object);
    await turn();
    const job = { do: 'judge', kind: this.#kind, object: split, previous: this.#previous, write, mayShrink } as const;
    this.#judged = await this.#work.do(job, context.signal);
    for (const text of this.#judged.warnings) context.warn(text);
  }
}

/** Has a large object decoded elsewhere that is not decoded yet; what comes of that is kept with it. */
export async function decodeElsewhere(work: LargeWork, object: CachedObject, signal: AbortSignal): Promise<void> {
  object.keep(lazyObject(await work.do({ do: 'split', json: object.json }, signal)));
}

/** Does to the object what encoding it elsewhere has done to its copy; it is the one that the bytes were made from then. */
export function adopt(object: KubeObject, kind: KindDefinition, { owners }: Judged): KubeObject {
  object.kind = kind.kind;
  object.apiVersion = apiVersionOf(kind);
  delete object.metadata.resourceVersion;
  if (owners === 'none') delete object.metadata.managedFields;
  return object;
}
