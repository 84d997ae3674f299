import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Payload, writePayload } from './atomic-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'volume-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const files = (entries: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));
const nothing = (): Promise<void> => Promise.resolve();
const write = (payload: Payload, finish = nothing): Promise<boolean> =>
  writePayload(folder, payload, Date.UTC(2026, 0, 2, 3, 4, 5), finish);
const visible = async (): Promise<string[]> => (await readdir(folder)).filter((name) => !name.startsWith('..')).toSorted();
const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');

test('the layout is upstream’s', async () => {
  expect(await write(files({ a: '1', 'deep/er/b': '2' }))).toBe(true);
  expect(await visible()).toEqual(['a', 'deep']);
  expect(await readlink(join(folder, 'a'))).toBe('..data/a');
  expect(await readlink(join(folder, 'deep'))).toBe('..data/deep');
  expect(await readlink(join(folder, '..data'))).toMatch(/^\.\.2026_01_02_03_04_05\.\d+$/);
  expect(await read('deep/er/b')).toBe('2');
});

test('writing the same again changes nothing', async () => {
  await write(files({ a: '1' }));
  const before = await readlink(join(folder, '..data'));
  expect(await write(files({ a: '1' }))).toBe(false);
  expect(await readlink(join(folder, '..data'))).toBe(before);
});

test.each<[why: string, payload: Payload, left: string[]]>([
  ['other content', files({ a: 'new', b: '2' }), ['a', 'b']],
  ['a file less', files({ a: '1' }), ['a']],
  ['a file more', files({ a: '1', b: '2', c: '3' }), ['a', 'b', 'c']],
  ['another mode', files({ a: '1', b: '2' }, 0o400), ['a', 'b']],
  ['nothing at all', new Map(), []],
])('%s', async (_, payload, left) => {
  await write(files({ a: '1', b: '2' }));
  expect(await write(payload)).toBe(true);
  expect(await visible()).toEqual(left);
  for (const [path, { data, mode }] of payload) {
    expect(await read(path)).toBe(Buffer.from(data).toString());
    expect((await stat(join(folder, path))).mode & 0o777).toBe(mode);
  }
  // One folder of files, and the link to it.
  expect((await readdir(folder)).filter((name) => name.startsWith('..'))).toHaveLength(2);
});

test('what a crash left is cleared away, and the old files stay until the new ones are whole', async () => {
  await write(files({ a: 'old' }));
  const failing = write(files({ a: 'new' }), () => Promise.reject(new Error('killed')));
  await expect(failing).rejects.toThrow('killed');
  expect(await read('a')).toBe('old');
  expect(await write(files({ a: 'newer' }))).toBe(true);
  expect(await read('a')).toBe('newer');
  expect((await readdir(folder)).filter((name) => name.startsWith('..'))).toHaveLength(2);
});

describe('paths that are refused', () => {
  test.each(['/etc/passwd', '../x', 'a/../../x', '..data', '..x/y', ''])('%s', async (path) => {
    await expect(write(files({ [path]: '1' }))).rejects.toThrow(/invalid path/);
    expect(await readdir(folder)).toEqual([]);
  });
});
