import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileAnswer } from './file-pages.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
  mkdirSync(join(folder, 'logs', 'pods'), { recursive: true });
  writeFileSync(join(folder, 'logs', 'a<b.log'), '0123456789');
  writeFileSync(join(folder, 'secret'), 'not for you');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function get(path: string, range?: string): Promise<{ status: number; body: string; headers: Record<string, string> }> {
  const answer = await fileAnswer(join(folder, 'logs'), { method: 'GET', path, rootName: 'logs', range });
  const { status, body, headers } = answer;
  return { status, body: typeof body === 'object' ? await text(body) : (body ?? ''), headers: Object.fromEntries(headers) };
}

describe('files of a folder', () => {
  test('are listed', async () => {
    const { status, body } = await get('/');
    expect([status, body]).toEqual([200, expect.stringContaining('<a href="a%3Cb.log">a&lt;b.log</a>\n<a href="pods/">pods/</a>\n')]);
    expect(await get('')).toMatchObject({ status: 301, headers: { Location: 'logs/' } });
    expect(await get('/pods')).toMatchObject({ status: 301, headers: { Location: 'pods/' } });
  });

  test('are given whole or in part', async () => {
    expect(await get('/a<b.log')).toMatchObject({ status: 200, body: '0123456789', headers: { 'Content-Length': '10' } });
    expect(await get('/a<b.log', 'bytes=2-4')).toMatchObject({ status: 206, body: '234', headers: { 'Content-Range': 'bytes 2-4/10' } });
    expect(await get('/a<b.log', 'bytes=-3')).toMatchObject({ status: 206, body: '789' });
    expect(await get('/a<b.log', 'bytes=20-')).toMatchObject({ status: 416 });
  });

  test.each(['/none', '/../secret', '/pods/../../secret', `/${'x'.repeat(300)}`, '/a\0'])('%j is not there', async (path) => {
    expect((await get(path)).status).toBe(404);
  });
});
