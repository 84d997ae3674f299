// What the client wants to read. Parsed Accept headers are kept: clients send few different ones, over and over.
import { ApiError } from '#api/meta/status.ts';
import { type MediaRange, parseAccept } from '#base/accept.ts';

type Form = 'object' | 'table' | 'partial' | 'partial-list';

export type Encoding = 'json' | 'yaml' | 'protobuf';

/** How an answer is to be written. */
export interface Wanted {
  readonly encoding: Encoding;
  readonly form: Form;
  /** `v1` or `v1beta1` of meta.k8s.io, for all forms but `object`. */
  readonly formVersion: string;
  /** Asked for by `;stream=watch`. */
  readonly stream: boolean;
  /** Asked for by `;pretty=1`. */
  readonly isPretty?: boolean;
}

export const protobufType = 'application/vnd.kubernetes.protobuf';
/** What can be had: `all`, `text` of kinds that have no protobuf form (custom resources), `no-table` of answers that are never listed. */
export type Offer = 'all' | 'text' | 'no-table';
const plainJson: Wanted = { encoding: 'json', form: 'object', formVersion: '', stream: false };
const maxKept = 500;

/** Reads Accept headers. */
export class Negotiator {
  readonly #kept: Readonly<Record<Offer, Map<string, Wanted | undefined>>> = { all: new Map(), text: new Map(), 'no-table': new Map() };

  /** What to answer with. Throws NotAcceptable where the client accepts nothing that we write. */
  negotiate(accept: string | undefined, offer: Offer = 'all'): Wanted {
    if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return plainJson;
    const kept = this.#kept[offer];
    let wanted = kept.get(accept);
    if (wanted === undefined && !kept.has(accept)) {
      wanted = choose(parseAccept(accept), offer);
      if (kept.size >= maxKept) kept.clear();
      kept.set(accept, wanted);
    }
    if (wanted === undefined) throw notAcceptable(mediaTypesOf(offer));
    return wanted;
  }
}

/** The encoding of an error: what the client accepts, JSON where it accepts nothing that we write. */
export function errorEncoding(accept: string | undefined): Encoding {
  if (accept === undefined || accept.startsWith('application/json') || accept === '*/*') return 'json';
  return choose(parseAccept(accept), 'all')?.encoding ?? 'json';
}

const textTypes = ['application/json', 'application/yaml'] as const;
const allTypes = [...textTypes, protobufType] as const;

/** The media types that objects are read and written in, as refusals name them. */
export function mediaTypesOf(offer: Offer): readonly (typeof allTypes)[number][] {
  return offer === 'text' ? textTypes : allTypes;
}

/** The same for watches: what ends nowhere cannot be YAML. */
export function streamedTypes(offer: Offer): readonly string[] {
  return mediaTypesOf(offer).flatMap((type) => (type === 'application/yaml' ? [] : [`${type};stream=watch`]));
}

/** The 406 answer. */
export function notAcceptable(accepted: readonly string[]): ApiError {
  return new ApiError({ reason: 'NotAcceptable', message: `only the following media types are accepted: ${accepted.join(', ')}` });
}

/** The 415 answer. */
export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError({
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  });
}

/** The first range that can be served. Protobuf gives way to JSON in the same form: that lies ready, and clients take either. */
function choose(ranges: readonly MediaRange[], offer: Offer): Wanted | undefined {
  const served = ranges.flatMap((range) => wantedOf(range, offer) ?? []);
  const [first] = served;
  if (first?.encoding !== 'protobuf') return first;
  return (
    served.find(({ encoding, form, formVersion }) => encoding === 'json' && form === first.form && formVersion === first.formVersion) ??
    first
  );
}

function wantedOf(range: MediaRange, offer: Offer): Wanted | undefined {
  const encoding = encodingOf(range.type);
  const form = formOf(range);
  if (encoding === undefined || form === undefined) return undefined;
  const { stream = '', sv = '' } = range.params;
  if (stream !== '' && (stream !== 'watch' || encoding === 'yaml')) return undefined;
  if (sv !== '' && sv !== 'v1') return undefined;
  if (form === 'table' && offer === 'no-table') return undefined;
  // A table has no protobuf form; everything can be reduced to its metadata.
  if (encoding === 'protobuf' && (form === 'table' || (form === 'object' && offer === 'text'))) return undefined;
  return {
    encoding,
    form,
    formVersion: form === 'object' ? '' : (range.params['v'] ?? ''),
    stream: stream === 'watch',
    isPretty: range.params['pretty'] === '1',
  };
}

/** Whether what the client accepts asks for text that people can read. */
export function asksForPretty(accept: string | undefined): boolean {
  return accept?.includes('pretty') === true && choose(parseAccept(accept), 'all')?.isPretty === true;
}

/** Undefined for types that objects are not written in. */
export function encodingOf(type: string): Encoding | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  if (type === 'application/yaml') return 'yaml';
  return type === protobufType ? 'protobuf' : undefined;
}

/** Undefined for unsupported transformations: the next media range is tried. */
function formOf({ params }: MediaRange): Form | undefined {
  const { as, g, v } = params;
  if (as === undefined && g === undefined && v === undefined) return 'object';
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined;
  if (as === 'Table') return 'table';
  if (as === 'PartialObjectMetadata') return 'partial';
  if (as === 'PartialObjectMetadataList') return 'partial-list';
  return undefined;
}
