// /openapi/v2 and /openapi/v3. Clients cache these: a document is named by its hash, in its ETag and in the index of version 3.
import type { OpenApiDocument, OpenApiDocuments } from '#api/openapi/documents.ts';
import type { Exchange } from '../http/exchange.ts';
import { notAcceptable, parseAccept } from '../http/negotiate.ts';
import { type HeaderList, jsonType, sendBytes, sendError, sendText } from '../http/respond.ts';
import type { Pages } from '../http/router.ts';

const root = '/openapi/v3';
const protobufTypes = [
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  // What kubectl before 1.28 asks for.
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
];
const yearSeconds = 365 * 24 * 3_600;

/** Serves an API server's OpenAPI documents. */
export function openApiPages(documents: OpenApiDocuments): Pages {
  return {
    owns: (path) => path === '/openapi/v2' || path === root || path.startsWith(`${root}/`),
    paths: () => ['/openapi/v2', root, ...documents.names().map((name) => `${root}/${name}`)],
    serve: (exchange) => {
      const path = exchange.info.path.replace(/\/+$/, '');
      if (path === '/openapi/v2') serveV2(exchange, documents);
      else if (path === root) serveV3(exchange, documents.index(), []);
      else serveNamed(exchange, documents, path.slice(root.length + 1));
    },
  };
}

function serveV2(exchange: Exchange, documents: OpenApiDocuments): void {
  const accept = exchange.header('accept') ?? '';
  const wanted =
    accept === ''
      ? jsonType
      : parseAccept(accept)
          .map(({ type }) => known(type))
          .find((type) => type !== undefined);
  if (wanted === undefined) return sendError(exchange, notAcceptable([jsonType, ...protobufTypes]));
  send(exchange, documents.v2(wanted === jsonType ? 'json' : 'protobuf'), wanted, []);
}

/** The type to answer for one that a client accepts. */
function known(type: string): string | undefined {
  if (protobufTypes.includes(type)) return protobufTypes[0];
  return isJson(type) ? jsonType : undefined;
}

function serveNamed(exchange: Exchange, documents: OpenApiDocuments, name: string): void {
  const document = documents.v3(name);
  if (document === undefined) return sendText(exchange, 404, '404 page not found\n');
  const hash = exchange.query.get('hash');
  if (hash === undefined || hash === '') return serveV3(exchange, document, []);
  if (hash !== document.hash) {
    return sendBytes(exchange, 301, jsonType, Buffer.alloc(0), ['Location', `${root}/${name}?hash=${document.hash}`]);
  }
  // The address names these very bytes.
  serveV3(exchange, document, ['Cache-Control', `public, immutable, max-age=${yearSeconds}`]);
}

function serveV3(exchange: Exchange, document: OpenApiDocument, headers: HeaderList): void {
  const accept = exchange.header('accept') ?? '';
  if (accept !== '' && !parseAccept(accept).some(({ type }) => isJson(type))) return sendError(exchange, notAcceptable([jsonType]));
  send(exchange, document, jsonType, headers);
}

function send(exchange: Exchange, document: OpenApiDocument, type: string, headers: HeaderList): void {
  const tag = `"${document.hash}"`;
  const all: HeaderList = ['Etag', tag, 'Vary', 'Accept', ...headers];
  const isKnown = (exchange.header('if-none-match') ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
  if (isKnown) sendBytes(exchange, 304, type, Buffer.alloc(0), all);
  else sendBytes(exchange, 200, type, document.bytes, all);
}

function isJson(type: string): boolean {
  return type === jsonType || type === 'application/*' || type === '*/*';
}
