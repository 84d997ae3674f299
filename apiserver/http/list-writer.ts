// Lists are written as they lie in the cache: a head, the items' bytes with commas between, a tail. Items of a built-in kind say neither
// kind nor apiVersion, so the bytes from their metadata on are taken, and a brace goes before them. Pieces are gathered into chunks of a
// bounded size; between chunks the writer waits for the client and lets other requests run.
import { createGzip, type Gzip } from 'node:zlib';
import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { prettyText } from '#api/schema/stringify-deep.ts';
import type { RequestAudit } from '../audit/contract.ts';
import type { Encoded, ListAnswer } from '../registry/contract.ts';
import { type Excerpt, excerptElsewhere } from './excerpt.ts';
import type { Exchange, RawResponse } from './exchange.ts';
import { hasManyValues } from '../large/many-values.ts';
import { turn, WorkSlice } from '../work-slice.ts';
import type { Wanted } from './negotiate.ts';
import { sendProtobufList } from './protobuf-list.ts';
import { acceptsGzip, drained, gzipThresholdBytes, isPretty, jsonType, sendBytes, start } from './respond.ts';
import { parseIncludeObject, partialJson, type TableDeps, TableMaker } from './table.ts';
import { yamlText } from './yaml-text.ts';

const chunkBytes = 256 * 1024;
/** JSON of items that is parsed and written anew before other requests get their turn: a few milliseconds. */
const renderedBytes = 256 * 1024;
/** YAML takes longer. */
const yamlFactor = 4;
/** What an item costs, however small it is. */
const itemBytes = 1_024;
/** Copied items before other requests get their turn, whatever their size. */
const copiedPerTurn = 2_000;

/** A list answer: everything but its elements, where they go, and how each is written in JSON. */
interface ListDocument {
  readonly head: Readonly<Record<string, unknown>>;
  readonly key: 'items' | 'rows';
  readonly elements: Iterable<Encoded>;
  /** Starts behind `opening`. */
  readonly render: (element: Encoded) => Uint8Array;
  /** What stands before each rendered element. */
  readonly opening: '' | '{';
  /** What is spent on it where elements are rendered, not copied. */
  readonly slice: WorkSlice;
}

/** A piece of an answer; a promise where another process makes it. */
export type Piece = Uint8Array | Promise<Uint8Array>;

/** Has another process convert JSON to another encoding. */
type Elsewhere = (
  json: Uint8Array,
  as: 'yaml' | 'pretty',
  place: { readonly start: string; readonly indent: string },
) => Promise<Uint8Array>;

/** Answers with a list in the form that the client wants. */
export async function sendList(
  exchange: Exchange,
  wanted: Wanted,
  kind: KindDefinition,
  given: ListAnswer,
  deps: TableDeps,
): Promise<void> {
  const { audit } = exchange;
  // The audit log and the response each iterate over the items.
  const answer = audit?.wantsAnswer === true ? { ...given, items: [...given.items] } : given;
  const documentOf = (): ListDocument =>
    wanted.form === 'table' ? tableDocument(exchange, wanted, kind, answer, deps) : listDocument(wanted, kind, answer);
  const excerpt = excerptElsewhere(exchange, wanted, kind, deps);
  if (audit?.wantsAnswer === true) await recordAnswer(audit, documentOf(), excerpt);
  if (wanted.encoding === 'protobuf') return sendProtobufList(exchange, wanted, kind, answer);
  const document = documentOf();
  const { slice } = document;
  if (wanted.encoding === 'yaml') return writeChunks(exchange, yamlPieces(document, elsewhere(exchange)), slice, 'application/yaml');
  if (isPretty(exchange)) return writeChunks(exchange, prettyPieces(document, elsewhere(exchange)), slice, jsonType);
  if (wanted.form === 'object' && !acceptsGzip(exchange)) return writeCopies(exchange, document);
  return writeChunks(exchange, plainPieces(document, excerpt), wanted.form === 'object' ? copiedPerTurn : slice, jsonType);
}

/** Gives the whole list to who audits the request. */
async function recordAnswer(audit: RequestAudit, document: ListDocument, excerpt: Excerpt): Promise<void> {
  const pieces: Uint8Array[] = [];
  for (const piece of plainPieces(document, excerpt)) {
    pieces.push(piece instanceof Uint8Array ? piece : await piece);
    if (document.slice.isOver) await document.slice.rest();
  }
  audit.answeredJson(Buffer.concat(pieces));
}

function elsewhere({ largeWork, signal }: Exchange): Elsewhere {
  return async (json, as, { start, indent }) => {
    const { bytes } = await largeWork.do({ do: 'render', json, as, indent }, signal);
    return Buffer.concat([Buffer.from(start), bytes ?? json]);
  };
}

export function listMeta(answer: ListAnswer): object {
  return {
    resourceVersion: answer.resourceVersion,
    ...(answer.continue === '' ? {} : { continue: answer.continue }),
    ...(answer.remainingItemCount === undefined ? {} : { remainingItemCount: answer.remainingItemCount }),
  };
}

function listDocument(wanted: Wanted, kind: KindDefinition, answer: ListAnswer): ListDocument {
  const isPartial = wanted.form !== 'object';
  const head = isPartial
    ? { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${wanted.formVersion}` }
    : { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind) };
  return {
    head: { ...head, metadata: listMeta(answer) },
    key: 'items',
    elements: answer.items,
    ...(isPartial ? { render: (item) => partialJson(item, wanted.formVersion), opening: '' } : plainItems(kind)),
    slice: new WorkSlice(renderedBytes),
  };
}

/** Encoded objects start with their kind and version, always in this form (storage/served-form.ts). */
function plainItems(kind: KindDefinition): Pick<ListDocument, 'render' | 'opening'> {
  const start = Buffer.byteLength(`{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},`);
  return { render: ({ json }) => json.subarray(start), opening: '{' };
}

function tableDocument(exchange: Exchange, wanted: Wanted, kind: KindDefinition, answer: ListAnswer, deps: TableDeps): ListDocument {
  const maker = new TableMaker(kind, parseIncludeObject(exchange.query), wanted.formVersion, deps);
  return {
    head: maker.head(listMeta(answer)),
    key: 'rows',
    elements: answer.items,
    render: (item) => maker.row(item),
    opening: '',
    slice: new WorkSlice(renderedBytes),
  };
}

function* plainPieces({ head, key, elements, render, opening, slice }: ListDocument, excerpt: Excerpt): Generator<Piece> {
  const between = Buffer.from(`,${opening}`);
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"${key}":[`);
  let isFirst = true;
  for (const element of elements) {
    yield isFirst ? between.subarray(1) : between;
    isFirst = false;
    slice.spend(element.json.length + itemBytes);
    yield excerpt(element) ?? render(element);
  }
  yield Buffer.from(']}\n');
}

function* prettyPieces({ head, key, elements, render, opening, slice }: ListDocument, elsewhere: Elsewhere): Generator<Piece> {
  yield Buffer.from(`${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "${key}": [`);
  let isFirst = true;
  for (const element of elements) {
    slice.spend(element.json.length + itemBytes);
    const start = `${isFirst ? '' : ','}\n    `;
    const json = Buffer.concat([Buffer.from(opening), render(element)]);
    if (hasManyValues(json)) yield elsewhere(json, 'pretty', { start, indent: '    ' });
    else yield Buffer.from(start + prettyText(JSON.parse(textOf(json))).replaceAll('\n', '\n    '));
    isFirst = false;
  }
  yield Buffer.from(isFirst ? ']\n}' : '\n  ]\n}');
}

/** The keys of YAML answers are sorted, so what comes behind the list's key has to wait. */
function* yamlPieces({ head, key, elements, render, opening, slice }: ListDocument, elsewhere: Elsewhere): Generator<Piece> {
  const part = (isBefore: boolean): string => {
    const entries = Object.entries(head).filter(([name]) => name < key === isBefore);
    return entries.length === 0 ? '' : yamlText(Object.fromEntries(entries));
  };
  yield Buffer.from(`${part(true)}${key}:`);
  let isFirst = true;
  for (const element of elements) {
    slice.spend(yamlFactor * (element.json.length + itemBytes));
    const json = Buffer.concat([Buffer.from(opening), render(element)]);
    if (hasManyValues(json)) yield elsewhere(json, 'yaml', { start: '\n- ', indent: '  ' });
    else
      yield Buffer.from(
        `\n- ${yamlText(JSON.parse(textOf(json)))
          .trimEnd()
          .replaceAll('\n', '\n  ')}`,
      );
    isFirst = false;
  }
  yield Buffer.from(`${isFirst ? ' []' : ''}\n${part(false)}`);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/**
 * Items that lie ready: the length of the answer is known, which saves the copy that chunked encoding makes of everything, and one
 * buffer serves for all of it.
 */
async function writeCopies(exchange: Exchange, { head, elements, render, opening }: ListDocument): Promise<void> {
  const items = Array.from(elements, render);
  const between = Buffer.from(`,${opening}`);
  const first = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
  const last = Buffer.from(']}\n');
  const around = first.length + last.length - Math.min(1, items.length);
  const total = items.reduce((sum, item) => sum + item.length + between.length, around);
  if (total < chunkBytes) return writeChunks(exchange, joined(first, items, between, last), copiedPerTurn, jsonType);
  const { response } = exchange;
  exchange.sentBytes = total;
  start(exchange, 200, jsonType, ['Content-Length', String(total)]);
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  let filled = 0;
  for (const piece of joined(first, items, between, last)) {
    for (let from = 0; from < piece.length; ) {
      if (filled === chunkBytes) {
        await written(response, buffer);
        if (response.destroyed) return;
        filled = 0;
      }
      const taken = Math.min(chunkBytes - filled, piece.length - from);
      buffer.set(taken === piece.length ? piece : piece.subarray(from, from + taken), filled);
      filled += taken;
      from += taken;
    }
  }
  response.end(buffer.subarray(0, filled));
}

/** `between` starts with the comma, which does not stand before the first item. */
function* joined(first: Uint8Array, items: readonly Uint8Array[], between: Uint8Array, last: Uint8Array): Generator<Uint8Array> {
  yield first;
  for (const [at, item] of items.entries()) {
    yield at > 0 ? between : between.subarray(1);
    yield item;
  }
  yield last;
}

/** Resolves when the bytes are on their way, so that the buffer is free again, and others had a turn. */
function written(response: RawResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('close', done);
      setImmediate(resolve);
    };
    response.on('close', done);
    response.write(bytes, done);
  });
}

/** Writes pieces as they come. `pace`: after how many of them others get their turn, or the slice in which whoever makes them works. */
export async function writeChunks(
  exchange: Exchange,
  pieces: Iterable<Piece>,
  pace: number | WorkSlice,
  contentType: string,
): Promise<void> {
  const { response } = exchange;
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  let count = 0;
  let out: RawResponse | Gzip | undefined;
  for (const made of pieces) {
    const piece = made instanceof Uint8Array ? made : await made;
    gathered.push(piece);
    bytes += piece.length;
    if (bytes >= chunkBytes) {
      out ??= open(exchange, contentType);
      exchange.sentBytes += bytes;
      const flows = out.write(Buffer.concat(gathered, bytes));
      gathered = [];
      bytes = 0;
      if (!flows) await drained(out, response);
      if (response.destroyed) return;
    }
    if (typeof pace !== 'number') {
      if (pace.isOver) await pace.rest();
    } else if (++count % pace === 0) await turn();
  }
  const last = Buffer.concat(gathered, bytes);
  if (out === undefined) return sendBytes(exchange, 200, contentType, last);
  exchange.sentBytes += bytes;
  out.end(last);
}

/** Starts an answer of unknown length. */
function open(exchange: Exchange, contentType: string): RawResponse | Gzip {
  if (gzipThresholdBytes > chunkBytes || !acceptsGzip(exchange)) {
    start(exchange, 200, contentType);
    return exchange.response;
  }
  start(exchange, 200, contentType, ['Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding']);
  const gzip = createGzip({ level: 1 });
  gzip.pipe(exchange.response as unknown as NodeJS.WritableStream);
  return gzip;
}
