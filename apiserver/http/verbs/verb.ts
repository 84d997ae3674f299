import type { KindDefinition } from '#api/kind.ts';
import type { Codec } from '#api/schema/codec.ts';
import type { Clock } from '#base/clock.ts';
import type { Registry } from '../../registry/contract.ts';
import type { Exchange } from '../exchange.ts';
import type { FrameChunks } from '../frame-chunks.ts';
import type { Negotiator } from '../negotiate.ts';

/** What the verbs work with. */
export interface VerbDeps {
  readonly registry: Registry;
  readonly negotiator: Negotiator;
  /** For bodies that the registry does not see. */
  readonly codec: Codec;
  readonly clock: Clock;
  /** Shared by all watches. */
  readonly chunks: FrameChunks;
  /** Watches without a timeout of their own live one to two times this long. */
  readonly minWatchSeconds: number;
  /** Aborts when the server stops: watches end then. */
  readonly stopping: AbortSignal;
}

/** Serves one verb for any kind. Throws ApiError for refusals. */
export type Verb = (exchange: Exchange, kind: KindDefinition, deps: VerbDeps) => Promise<void>;
