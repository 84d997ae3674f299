// What another process does for large requests: pure steps on bytes. A job and its result are plain data, so that they can travel.
import type { KindDefinition, WriteContext } from '#api/kind.ts';
import type { IncludeObject } from '../http/table.ts';
import type { SplitObject } from './split-object.ts';
import type { Body, PatchType, RequestContext } from '../registry/contract.ts';

/** Which built-in kind. */
export interface KindName {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** What a write asks for. */
export type Proposal =
  | { readonly how: 'create' | 'update'; readonly body: Body }
  | { readonly how: Exclude<PatchType, 'apply'>; readonly body: Body }
  | { readonly how: 'apply'; readonly body: Body; readonly force: boolean };

/** The part of a request's context that is data. */
export type ProposalContext = Pick<RequestContext, 'namespace' | 'subresource' | 'fieldManager' | 'fieldValidation'> & {
  readonly name: string;
  readonly nowMs: number;
};

/** From the body to the object that its author wants, with defaults and owners. `previous`: the served JSON of what is there. */
export interface ProposeJob {
  readonly do: 'propose';
  readonly kind: KindName;
  readonly proposal: Proposal;
  readonly previous: Uint8Array | undefined;
  readonly context: ProposalContext;
  /** Whether the previous object is wanted decoded, too. */
  readonly wantsPrevious: boolean;
  /** Whom the object may record as its maker. */
  readonly user: WriteContext['user'];
}

/** From the object that admission has seen to what is stored. */
export interface JudgeJob {
  readonly do: 'judge';
  readonly kind: KindName;
  readonly object: SplitObject;
  readonly previous: Uint8Array | undefined;
  readonly write: WriteContext;
  readonly mayShrink: boolean;
}

/** An object's JSON in another form. */
export interface RenderJob {
  readonly do: 'render';
  readonly json: Uint8Array;
  readonly as: 'yaml' | 'pretty' | 'protobuf';
  /** For text: what stands before every line but the first; without the last line's end then. */
  readonly indent?: string;
  /** For protobuf: as this field of a list, without an envelope. */
  readonly item?: { readonly field: number; readonly schema: string };
}

/** What a list shows of an object in place of the object: a table's row, or its metadata alone. */
export interface ExcerptJob {
  readonly do: 'excerpt';
  readonly kind: KindName;
  readonly json: Uint8Array;
  readonly row: { readonly include: IncludeObject; readonly nowMs: number } | undefined;
  /** Of the form. */
  readonly version: string;
}

/** An object's JSON in parts. */
export interface SplitJob {
  readonly do: 'split';
  readonly json: Uint8Array;
}

export type Job = ProposeJob | JudgeJob | RenderJob | ExcerptJob | SplitJob;

export interface Proposed {
  /** Undefined where the patch can be read but there is nothing to patch. */
  readonly object: SplitObject | undefined;
  readonly previous: SplitObject | undefined;
  readonly warnings: readonly string[];
}

export interface Judged {
  readonly warnings: readonly string[];
  /** As it is stored; nothing where it is unchanged. */
  readonly bytes: Uint8Array;
  /** Whose managedFields are stored: the object's, those of the previous one (nothing else has changed), or none (they do not fit). */
  readonly owners: 'own' | 'previous' | 'none';
  readonly isUnchanged: boolean;
}

export interface Rendered {
  /** Undefined where there is no such form. */
  readonly bytes: Uint8Array | undefined;
}

export type Result<J extends Job> = J extends ProposeJob
  ? Proposed
  : J extends JudgeJob
    ? Judged
    : J extends SplitJob
      ? SplitObject
      : Rendered;

/** Does large work aside. */
export interface LargeWork {
  /** Whether jobs may name the kind. */
  knows(kind: KindDefinition): boolean;
  /** Whether a write with this body, over this served JSON, is to be done here: it takes long, and the kind is known. */
  takes(kind: KindDefinition, body: Body | undefined, previous: Uint8Array | undefined): boolean;
  /** Throws what the job throws, and ApiError when there is too much to do, when it takes too long or needs too much memory. */
  do<J extends Job>(job: J, signal: AbortSignal): Promise<Result<J>>;
}

/** What the process is sent. */
export interface Order {
  readonly job: Job;
}

/** What it answers. */
export type Outcome =
  | { readonly ok: true; readonly result: Result<Job> }
  /** A refusal: the JSON of its Status. */
  | { readonly ok: false; readonly status: Uint8Array; readonly reason: string; readonly code: number }
  | { readonly ok: false; readonly failure: string };
