// A folder's files for people to look at, as Go's file server shows them: lists of folders, files in full or in part.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

interface FileAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Undefined where there is none. The reader destroys what it does not read to its end. */
  readonly body: Readable | string | undefined;
}

interface FileRequest {
  readonly method: string;
  /** Below the folder, decoded; starts with a slash or is ''. */
  readonly path: string;
  /** What the folder itself is called in links. */
  readonly rootName: string;
  /** The `Range` header. */
  readonly range: string | undefined;
}

const plain = 'text/plain; charset=utf-8';
const types: Readonly<Record<string, string>> = {
  '.gz': 'application/gzip',
  '.json': 'application/json',
  '.log': plain,
  '.txt': plain,
};
const maxNameLength = 255;

/** What a path below `folder` shows. What leaves the folder by its path is not there. */
export async function fileAnswer(folder: string, { method, path, rootName, range }: FileRequest): Promise<FileAnswer> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const isSafe = !parts.some((part) => part === '..' || part.includes('\0') || Buffer.byteLength(part) > maxNameLength);
  const place = join(folder, ...parts);
  const found = isSafe ? await stat(place).catch(() => undefined) : undefined;
  if (found === undefined) return missing;
  if (found.isDirectory()) {
    if (!path.endsWith('/'))
      return { status: 301, headers: [['Location', `${parts.map(encodeURIComponent).at(-1) ?? rootName}/`]], body: undefined };
    return {
      status: 200,
      headers: [['Content-Type', 'text/html; charset=utf-8']],
      body: method === 'HEAD' ? undefined : await listText(place),
    };
  }
  // Reading a pipe or a device may never end.
  if (!found.isFile()) return missing;
  const modified = [
    ['Last-Modified', found.mtime.toUTCString()],
    ['Accept-Ranges', 'bytes'],
  ] as const;
  const type = ['Content-Type', types[extname(place)] ?? plain] as const;
  const part = partOf(range, found.size);
  if (part === 'none') return { status: 416, headers: [['Content-Range', `bytes */${found.size}`]], body: undefined };
  const { start, end } = part ?? { start: 0, end: found.size - 1 };
  const headers: (readonly [string, string])[] = [type, ...modified, ['Content-Length', String(end - start + 1)]];
  if (part !== undefined) headers.push(['Content-Range', `bytes ${start}-${end}/${found.size}`]);
  const body = method === 'HEAD' || end < start ? undefined : createReadStream(place, { start, end });
  return { status: part === undefined ? 200 : 206, headers, body };
}

/** Over HTTP of any version; resolves when all is written or the client is gone. */
export async function sendFile(response: FileResponse, { status, headers, body }: FileAnswer): Promise<void> {
  response.writeHead(status, Object.fromEntries(headers));
  if (body === undefined || typeof body === 'string') return void response.end(body);
  await pipeline(body, response as unknown as NodeJS.WritableStream).catch(() => void response.destroy());
}

interface FileResponse {
  writeHead(code: number, headers: Record<string, string>): unknown;
  end(text?: string): unknown;
  destroy(): unknown;
}

const missing: FileAnswer = { status: 404, headers: [['Content-Type', plain]], body: '404 page not found\n' };

/** One range of a file; undefined for all of it, `none` where the file has no such part. */
function partOf(range: string | undefined, size: number): { readonly start: number; readonly end: number } | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? 'none' : { start, end };
}

async function listText(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`).toSorted();
  const lines = names.map((name) => `<a href="${name.split('/').map(encodeURIComponent).join('/')}">${escaped(name)}</a>\n`);
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join('')}</pre>\n`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;');
}
