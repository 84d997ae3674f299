import { pipeline } from 'node:stream/promises';
import { fileAnswer } from '#base/file-pages.ts';
import type { DebugPages } from '#base/profiling/debug-pages.ts';
import { readBody } from './body.ts';
import { sendBytes, start } from './respond.ts';
import type { Pages } from './router.ts';

/** /debug/pprof/ and /debug/flags/v. */
export function debugPages(debug: DebugPages): Pages {
  return {
    owns: (path) => debug.owns(path),
    paths: () => debug.paths(),
    serve: async (exchange) => {
      const { info, query, request, signal } = exchange;
      const asked = {
        method: request.method ?? 'GET',
        path: info.path,
        query: new URLSearchParams(query.raw),
        body: () => readBody(exchange),
      };
      const { status, contentType, body, headers } = await debug.answer(asked, signal);
      sendBytes(exchange, status, contentType, Buffer.from(body), headers.flat());
    },
  };
}

/** /logs/: the files of a folder. */
export function logPages(folder: string): Pages {
  return {
    owns: (path) => path === '/logs' || path.startsWith('/logs/'),
    paths: () => ['/logs'],
    takesGetOnly: true,
    serve: async (exchange) => {
      const { info, request, response } = exchange;
      const path = info.path.slice('/logs'.length);
      const range = exchange.header('range');
      const answer = await fileAnswer(folder, { method: request.method ?? 'GET', path, rootName: 'logs', range });
      const more = answer.headers.filter(([name]) => name !== 'Content-Type').flat();
      const type = answer.headers.find(([name]) => name === 'Content-Type')?.[1] ?? 'text/plain; charset=utf-8';
      const { status, body } = answer;
      if (typeof body === 'string') return sendBytes(exchange, status, type, Buffer.from(body), more);
      start(exchange, status, type, ['X-Content-Type-Options', 'nosniff', ...more]);
      if (body === undefined) return void response.end();
      await pipeline(body, response as unknown as NodeJS.WritableStream).catch(() => void response.destroy());
    },
  };
}
