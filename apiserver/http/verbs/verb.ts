import type { KindDefinition } from '#api/kind.ts';
import type { Codec } from '#api/schema/codec.ts';
import type { Clock } from '#base/clock.ts';
import type { Authorizer } from '../../authz/contract.ts';
import type { Registry } from '../../registry/contract.ts';
import type { Exchange } from '../exchange.ts';
import type { WatchLifetimes } from '../watch-lifetimes.ts';
import type { WatchMetrics } from '../watch-metrics.ts';
import type { FrameChunks } from '../frame-chunks.ts';
import { type Negotiator, type Offer, type Wanted } from '../negotiate.ts';
import type { ProtobufFrames } from '../protobuf-frames.ts';

/** What the verbs work with. */
export interface VerbDeps {
  readonly registry: Registry;
  readonly authorizer: Authorizer;
  readonly negotiator: Negotiator;
  /** For bodies that the registry does not see. */
  readonly codec: Codec;
  readonly clock: Clock;
  /** Shared by all watches. */
  readonly chunks: FrameChunks;
  readonly protobufFrames: ProtobufFrames;
  readonly watchMetrics: WatchMetrics;
  /** Watches without a timeout of their own live one to two times this long. */
  readonly minWatchSeconds: number;
  readonly watchLifetimes: WatchLifetimes;
}

/** Serves one verb for any kind. Throws ApiError for refusals. */
export type Verb = (exchange: Exchange, kind: KindDefinition, deps: VerbDeps) => Promise<void>;

/** What the client wants an object of the kind to be written in. Throws NotAcceptable. */
export function wantedOf(exchange: Exchange, kind: KindDefinition, deps: Pick<VerbDeps, 'negotiator' | 'codec'>): Wanted {
  const { accept } = exchange.request.headers;
  return deps.negotiator.negotiate(accept, accept === undefined ? 'all' : offerOf(kind, deps));
}

/** The encodings that the kind has. */
export function offerOf(kind: KindDefinition, { codec }: Pick<VerbDeps, 'codec'>): Offer {
  return codec.protobuf.knows(kind.schema) ? 'all' : 'text';
}
