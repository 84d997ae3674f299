// Debug pages over plain HTTP/1.1, for ports that Node's own server keeps.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DebugAnswer, DebugRequest } from './debug-pages.ts';

const maxBodyBytes = 1_024;

export function debugRequest(request: IncomingMessage, path: string, search: string): DebugRequest {
  return { method: request.method ?? 'GET', path, query: new URLSearchParams(search), body: () => bodyOf(request) };
}

/** Aborts when the client is gone, which ends the measurement. */
export function untilClosed(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client is gone')));
  return gone.signal;
}

export function sendDebug(response: ServerResponse, { status, contentType, body, headers }: DebugAnswer): void {
  response.writeHead(status, { 'Content-Type': contentType, ...Object.fromEntries(headers) });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
