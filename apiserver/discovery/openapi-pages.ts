// /openapi/v2 and /openapi/v3. Clients cache these: a document is named by its hash, in its ETag and in the index of version 3. Everything
// but the documents is as in upstream's handlers: refusals say nothing but their code, and who comes with an old hash is sent on.
import { parseAccept } from '#base/accept.ts';
import type { OpenApiDocument, OpenApiDocuments, OpenApiForm } from '#api/openapi/documents.ts';
import type { Clock } from '#base/clock.ts';
import type { Exchange } from '../http/exchange.ts';
import { type HeaderList, jsonType, sendBytes } from '../http/respond.ts';
import type { Pages } from '../http/router.ts';

const root = '/openapi/v3';
/** What is answered for each type that may be asked for; kubectl before 1.28 asks for the spelling with an @. */
const typesOf = (version: 'v2' | 'v3'): ReadonlyMap<string, Wanted> => {
  const json = { form: 'json', type: jsonType } as const;
  const protobuf = { form: 'protobuf', type: `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf` } as const;
  return new Map<string, Wanted>([
    [jsonType, json],
    ['application/*', json],
    ['*/*', json],
    [protobuf.type, protobuf],
    [`application/com.github.proto-openapi.spec.${version}@v1.0+protobuf`, protobuf],
  ]);
};
const types = { v2: typesOf('v2'), v3: typesOf('v3') } as const;
const nothing = Buffer.alloc(0);

interface Wanted {
  readonly form: OpenApiForm;
  readonly type: string;
}

/** Serves an API server's OpenAPI documents. */
export function openApiPages(documents: OpenApiDocuments, clock: Pick<Clock, 'nowMs'>): Pages {
  return {
    owns: (path) => path === '/openapi/v2' || path === root || path.startsWith(`${root}/`),
    // The documents of version 3 are in the index of their own.
    paths: () => ['/openapi/v2', root, `${root}/`],
    serve: (exchange) => {
      const { path } = exchange.info;
      if (path === root) return send(exchange, documents.index(), jsonType, []);
      const wanted = wantedOf(exchange, path === '/openapi/v2' ? types.v2 : types.v3);
      if (wanted === undefined) return sendBytes(exchange, 406, 'text/plain; charset=utf-8', nothing, ['Vary', 'Accept']);
      if (path === '/openapi/v2') return send(exchange, documents.v2(wanted.form), wanted.type, ['Vary', 'Accept']);
      serveNamed(exchange, documents, { name: path.slice(root.length + 1), wanted }, clock);
    },
  };
}

/** The first type of the Accept header that can be had. */
function wantedOf(exchange: Exchange, known: ReadonlyMap<string, Wanted>): Wanted | undefined {
  const accept = exchange.header('accept') ?? '';
  if (accept === '') return known.get('*/*');
  for (const { type } of parseAccept(accept)) {
    const wanted = known.get(type);
    if (wanted !== undefined) return wanted;
  }
  return undefined;
}

function serveNamed(
  exchange: Exchange,
  documents: OpenApiDocuments,
  { name, wanted }: { readonly name: string; readonly wanted: Wanted },
  clock: Pick<Clock, 'nowMs'>,
): void {
  const document = documents.v3(name, wanted.form);
  if (document === undefined) return sendBytes(exchange, 404, 'text/plain; charset=utf-8', nothing);
  const headers: HeaderList = ['Vary', 'Accept'];
  const hash = exchange.query.get('hash') ?? '';
  if (hash === '') return send(exchange, document, wanted.type, headers);
  if (hash !== document.hash) return redirect(exchange, `${root}/${name}?hash=${document.hash}`);
  // The address names these very bytes: they are good for ever, which is a year.
  const expires = new Date(clock.nowMs());
  expires.setUTCFullYear(expires.getUTCFullYear() + 1);
  send(exchange, document, wanted.type, [...headers, 'Cache-Control', 'public, immutable', 'Expires', utcText(expires)]);
}

/** As Go's servers redirect. */
function redirect(exchange: Exchange, location: string): void {
  const body = Buffer.from(`<a href="${location}">Moved Permanently</a>.\n\n`);
  sendBytes(exchange, 301, 'text/html; charset=utf-8', body, ['Location', location]);
}

function send(exchange: Exchange, document: OpenApiDocument, type: string, headers: HeaderList): void {
  const tag = `"${document.hash}"`;
  const all: HeaderList = ['Etag', tag, 'Last-Modified', new Date(document.builtMs).toUTCString(), ...headers];
  const isKnown = (exchange.header('if-none-match') ?? '').split(',').some((one) => ['*', tag].includes(one.trim().replace(/^W\//, '')));
  if (isKnown) sendBytes(exchange, 304, type, nothing, all);
  else sendBytes(exchange, 200, type, document.bytes, all);
}

/** The time as upstream writes it here: RFC 1123 with the zone's name. */
function utcText(time: Date): string {
  return time.toUTCString().replace('GMT', 'UTC');
}
