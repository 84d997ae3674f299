// Lists are written as they lie in the cache: a head, the items' bytes with commas between, a tail. Pieces are gathered into
// chunks of a bounded size; between chunks the writer waits for the client and lets other requests run.
import { createGzip, type Gzip } from 'node:zlib';
import type { KindDefinition } from '#api/kind.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import type { Encoded, ListAnswer } from '../registry/contract.ts';
import type { Exchange, RawResponse } from './exchange.ts';
import type { Wanted } from './negotiate.ts';
import { acceptsGzip, gzipThresholdBytes, isPretty, jsonType, sendBytes, sendValue, start } from './respond.ts';
import { parseIncludeObject, partialText, TableMaker } from './table.ts';

const chunkBytes = 256 * 1024;
/** Items that are rendered (not copied) before other requests get their turn. */
const renderedPerTurn = 50;
/** Copied items before other requests get their turn, whatever their size. */
const copiedPerTurn = 2_000;
const comma = Buffer.from(',');
const tail = Buffer.from(']}\n');

/** Answers with a list in the form that the client wants. */
export async function sendList(
  exchange: Exchange,
  wanted: Wanted,
  kind: KindDefinition,
  answer: ListAnswer,
  clockMs: () => number,
): Promise<void> {
  const pieces = wanted.form === 'table' ? tablePieces(exchange, wanted, kind, answer, clockMs) : listPieces(wanted, kind, answer);
  const perTurn = wanted.form === 'object' ? copiedPerTurn : renderedPerTurn;
  if (wanted.encoding === 'json' && !isPretty(exchange)) return writeChunks(exchange, pieces, perTurn);
  const gathered: Uint8Array[] = [];
  let count = 0;
  for (const piece of pieces) {
    gathered.push(piece);
    if (++count % renderedPerTurn === 0) await turn();
  }
  sendValue(exchange, wanted, 200, JSON.parse(Buffer.concat(gathered).toString()));
}

function listMeta(answer: ListAnswer): object {
  return {
    resourceVersion: answer.resourceVersion,
    ...(answer.continue === '' ? {} : { continue: answer.continue }),
    ...(answer.remainingItemCount === undefined ? {} : { remainingItemCount: answer.remainingItemCount }),
  };
}

function* listPieces(wanted: Wanted, kind: KindDefinition, answer: ListAnswer): Generator<Uint8Array> {
  const isPartial = wanted.form !== 'object';
  const [listKind, apiVersion] = isPartial
    ? ['PartialObjectMetadataList', `meta.k8s.io/${wanted.formVersion}`]
    : [`${kind.kind}List`, apiVersionOf(kind)];
  yield Buffer.from(`{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(listMeta(answer))},"items":[`);
  const render = isPartial ? (item: Encoded) => Buffer.from(partialText(item, wanted.formVersion)) : (item: Encoded) => item.json;
  yield* separated(answer.items, render);
}

function* tablePieces(
  exchange: Exchange,
  wanted: Wanted,
  kind: KindDefinition,
  answer: ListAnswer,
  clockMs: () => number,
): Generator<Uint8Array> {
  const maker = new TableMaker(kind, parseIncludeObject(exchange.query), wanted.formVersion, clockMs);
  yield Buffer.from(maker.head(listMeta(answer)));
  yield* separated(answer.items, (item) => Buffer.from(maker.row(item)));
}

function* separated(items: Iterable<Encoded>, render: (item: Encoded) => Uint8Array): Generator<Uint8Array> {
  let isFirst = true;
  for (const item of items) {
    if (!isFirst) yield comma;
    isFirst = false;
    yield render(item);
  }
  yield tail;
}

async function writeChunks(exchange: Exchange, pieces: Iterable<Uint8Array>, perTurn: number): Promise<void> {
  const { response } = exchange;
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  let count = 0;
  let out: RawResponse | Gzip | undefined;
  for (const piece of pieces) {
    gathered.push(piece);
    bytes += piece.length;
    if (bytes >= chunkBytes) {
      out ??= open(exchange);
      const flows = out.write(Buffer.concat(gathered, bytes));
      gathered = [];
      bytes = 0;
      if (!flows) await drained(out, response);
      if (response.destroyed) return;
    }
    if (++count % perTurn === 0) await turn();
  }
  const last = Buffer.concat(gathered, bytes);
  if (out === undefined) sendBytes(exchange, 200, jsonType, last);
  else out.end(last);
}

/** Starts an answer of unknown length. */
function open(exchange: Exchange): RawResponse | Gzip {
  if (gzipThresholdBytes > chunkBytes || !acceptsGzip(exchange)) {
    start(exchange, 200, jsonType);
    return exchange.response;
  }
  start(exchange, 200, jsonType, ['Content-Encoding', 'gzip', 'Vary', 'Accept-Encoding']);
  const gzip = createGzip({ level: 1 });
  gzip.pipe(exchange.response as unknown as NodeJS.WritableStream);
  return gzip;
}

/** Resolves when the client has read enough, or is gone. */
function drained(out: RawResponse | Gzip, response: RawResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('drain', done);
      response.off('close', done);
      resolve();
    };
    out.on('drain', done);
    response.on('close', done);
    if (response.destroyed) done();
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
