// A full disk needs a file system of its own: a small tmpfs, which only root may mount.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { LmdbStore } from './lmdb.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-full-'));
const { signal } = new AbortController();

beforeAll(() => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]));
afterAll(() => {
  execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
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
});
