// A full disk needs a file system of its own: a small tmpfs, which only root may mount; one that fails is an ext4 in a file.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { type Log, silentLog } from '#base/log.ts';
import { LmdbStore } from './lmdb.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-full-'));
const failing = mkdtempSync(join(tmpdir(), 'coxswain-failing-'));
const image = `${failing}.img`;
const { signal } = new AbortController();

beforeAll(() => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]));
beforeAll(() => {
  execFileSync('truncate', ['-s', '32M', image]);
  execFileSync('mkfs.ext4', ['-q', image]);
  execFileSync('mount', ['-o', 'loop', image, failing]);
});
afterAll(() => {
  execFileSync('umount', [folder]);
  execFileSync('umount', [failing]);
  for (const path of [folder, failing, image]) rmSync(path, { recursive: true });
});

test('on a full disk writes fail and are undone, reads go on, and writes work again once there is room', async () => {
  await using store = await LmdbStore.open({ folder, clock: new FakeClock(), log: silentLog });
  const value = Buffer.alloc(8_000, 1);
  const put = (key: string): Promise<unknown> => store.put(key, value, { expectedRevision: 0 }, signal);
  let safe = 0;
  const fill = async (): Promise<void> => {
    for (;;) {
      await put(`/k/${safe}`);
      safe++;
    }
  };
  await expect(fill()).rejects.toMatchObject({ code: 'full', message: 'etcdserver: mvcc: database space exceeded' });
  expect(safe).toBeGreaterThan(20);
  expect(store.trouble).toBe('etcdserver: mvcc: database space exceeded');
  const revision = await store.currentRevision(signal);
  // Several at once, so that some wait behind the flush that fails.
  const more = await Promise.allSettled(Array.from({ length: 30 }, (_, at) => put(`/more/${at}`)));
  expect(more.every((result) => result.status === 'rejected' && result.reason.code === 'full')).toBe(true);
  expect(await store.currentRevision(signal)).toBe(revision);
  expect((await store.list('/', {}, signal)).items).toHaveLength(safe);
  expect(await store.get(`/k/${safe}`, signal)).toBeUndefined();

  execFileSync('mount', ['-o', 'remount,size=4m', folder]);
  await put(`/k/${safe}`);
  expect(await store.currentRevision(signal)).toBeGreaterThan(revision);
  expect((await store.list('/', {}, signal)).items).toHaveLength(safe + 1);
  expect(store.trouble).toBeUndefined();
});

test('on a disk that has become read-only writes fail, reads go on, and after a restart on a good one all is there', async () => {
  const said: unknown[] = [];
  const log: Log = { ...silentLog, error: (...words: readonly unknown[]) => void said.push(words.at(-1)) };
  const open = (): Promise<LmdbStore> => LmdbStore.open({ folder: failing, clock: new FakeClock(), log });
  const put = (store: LmdbStore, key: string): Promise<unknown> => store.put(key, Buffer.alloc(8_000, 1), { expectedRevision: 0 }, signal);
  {
    await using store = await open();
    await Promise.all(Array.from({ length: 20 }, (_, at) => put(store, `/k/${at}`)));
    // As the kernel does where such a file system finds itself broken.
    execFileSync('mount', ['-o', 'remount,abort', failing]);
    const message = 'the database could not be written: the file system is read-only';
    for (const key of ['/more/1', '/more/2']) await expect(put(store, key)).rejects.toMatchObject({ code: 'unavailable', message });
    expect(store.trouble).toBe(message);
    expect(said).toEqual(['writes are refused: they cannot be kept']);
    expect((await store.list('/', {}, signal)).items).toHaveLength(20);
    expect(await store.currentRevision(signal)).toBe(20);
  }
  execFileSync('umount', [failing]);
  execFileSync('mount', ['-o', 'loop', image, failing]);
  await using store = await open();
  expect((await store.list('/', {}, signal)).items).toHaveLength(20);
  await put(store, '/more/1');
  expect(await store.currentRevision(signal)).toBe(21);
});
