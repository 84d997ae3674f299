import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { testStore } from './conformance.ts';
import type { StoreEvent } from './contract.ts';
import { LmdbStore } from './lmdb.ts';

const base = mkdtempSync(join(tmpdir(), 'coxswain-store-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const { signal } = new AbortController();
let folders = 0;

function aFolder(): string {
  return join(base, String(++folders));
}

function openIn(folder: string, clock = new FakeClock()): Promise<LmdbStore> {
  return LmdbStore.open({ folder, clock, log: silentLog });
}

testStore('LmdbStore', (clock) => openIn(aFolder(), clock));

describe('LmdbStore on disk', () => {
  test('a store opened again has its values, its history and its revision', async () => {
    const folder = aFolder();
    const first = await openIn(folder);
    const a = await put(first, '/a', 'one');
    const b = await put(first, '/a', 'two', a);
    await put(first, '/b', 'x');
    await first[Symbol.asyncDispose]();

    await using again = await openIn(folder);
    expect(await again.currentRevision(signal)).toBe(b + 1);
    expect(text((await again.get('/a', signal))?.value)).toBe('two');
    const events = await history(again, 0, 3);
    expect(events.map((event) => [event.revision, text(event.value), text(event.previous?.value)])).toEqual([
      [a, 'one', ''],
      [b, 'two', 'one'],
      [b + 1, 'x', ''],
    ]);
    expect(await put(again, '/c', 'y')).toBe(b + 2);
  });

  test('revisions go on where they were, also when the last change was compacted away', async () => {
    const folder = aFolder();
    const first = await openIn(folder);
    const a = await put(first, '/a', 'one');
    await first.delete('/a', a, signal);
    const last = await first.currentRevision(signal);
    await first.compact(last, signal);
    await first[Symbol.asyncDispose]();

    await using again = await openIn(folder);
    expect(await again.currentRevision(signal)).toBe(last);
    expect(await put(again, '/b', 'x')).toBe(last + 1);
    await expect(history(again, 0, 1)).rejects.toMatchObject({ code: 'compacted' });
  });

  test('a TTL survives a restart', async () => {
    const folder = aFolder();
    const clock = new FakeClock();
    const first = await openIn(folder, clock);
    await first.put('/a', Buffer.from('x'), { expectedRevision: 0, ttlSeconds: 60 }, signal);
    await first[Symbol.asyncDispose]();
    await using again = await openIn(folder, clock);
    const gone = history(again, 1, 1);
    await clock.advance(61_000);
    expect((await gone)[0]).toMatchObject({ type: 'delete', key: '/a' });
  });

  test('letting go of memory disturbs nobody', async () => {
    const folder = aFolder();
    await using store = await openIn(folder);
    const before = await put(store, '/a', 'one');
    // It only bothers with large files; this one has a hole.
    truncateSync(join(folder, 'store.mdb'), 100 * 1_024 * 1_024);
    const events = history(store, 0, 22);
    const [, , ...written] = await Promise.all([
      store.releaseMemory(signal),
      put(store, '/a', 'two', before),
      ...Array.from({ length: 20 }, (_, at) => put(store, `/k/${at}`, 'x')),
    ]);
    expect(written).toHaveLength(20);
    expect((await store.list('/', {}, signal)).items).toHaveLength(21);
    expect((await events).map((event) => event.revision)).toEqual(Array.from({ length: 22 }, (_, at) => at + 1));
  });

  test('says how large its file is', async () => {
    const folder = aFolder();
    await using store = await openIn(folder);
    await put(store, '/a', 'x'.repeat(1_000_000));
    const bytes = await store.sizeBytes();
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBe(statSync(join(folder, 'store.mdb')).size);
  });

  test('a second server on the same folder is refused, until the first has gone', async () => {
    const folder = aFolder();
    const first = await openIn(folder);
    await expect(openIn(folder)).rejects.toMatchObject({
      code: 'unavailable',
      message: `another API server uses the data folder ${folder}`,
    });
    await first[Symbol.asyncDispose]();
    await (await openIn(folder))[Symbol.asyncDispose]();
  });

  test('a folder that cannot be made is one clear sentence', async () => {
    await expect(openIn('/dev/null/store')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the data folder /dev/null/store cannot be made',
    });
  });
});

describe('a damaged LmdbStore', () => {
  test.each<[string, (path: string) => void]>([
    ['a flipped byte in a value', (path) => flipByte(path, 'needle')],
    ['a cut tail', (path) => truncateSync(path, 4_096 * 12)],
    ['no header', (path) => truncateSync(path, 100)],
  ])('%s is noticed and named', async (_name, damage) => {
    const folder = aFolder();
    const path = join(folder, 'store.mdb');
    const first = await openIn(folder);
    for (let at = 0; at < 20; at++) await put(first, `/k/${at}`, `needle ${'x'.repeat(6_000)}`);
    await first[Symbol.asyncDispose]();
    damage(path);
    const reading = async (): Promise<unknown> => {
      await using again = await openIn(folder);
      return await again.list('/k/', {}, signal);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining(path) });
  });
});

describe('kill -9', () => {
  test('loses nothing that was acknowledged', async () => {
    const folder = aFolder();
    const acknowledged: string[] = [];
    const child = startWriter(folder);
    try {
      for await (const line of createInterface({ input: child.stdout ?? ([] as never) })) {
        acknowledged.push(line);
        if (acknowledged.length === 500) child.kill('SIGKILL');
      }
    } finally {
      child.kill('SIGKILL');
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(500);
    await using store = await openIn(folder);
    const stored = new Map((await store.list('/', {}, signal)).items.map((item) => [item.key, text(item.value)]));
    for (const line of acknowledged) {
      const [key = '', value] = line.split(' ');
      expect(stored.get(key)).toBe(value);
    }
    expect(await put(store, '/after', 'x')).toBeGreaterThan(acknowledged.length);
  });
});

/** A process that writes as fast as it can and says what is safe: `key value` a line. */
function startWriter(folder: string): ChildProcess {
  const code = `
    const { LmdbStore } = await import(${JSON.stringify(join(import.meta.dirname, 'lmdb.ts'))});
    const { systemClock } = await import(${JSON.stringify(join(import.meta.dirname, '../../base/clock.ts'))});
    const { silentLog } = await import(${JSON.stringify(join(import.meta.dirname, '../../base/log.ts'))});
    const { writeSync } = await import('node:fs');
    const store = await LmdbStore.open({ folder: ${JSON.stringify(folder)}, clock: systemClock, log: silentLog });
    const { signal } = new AbortController();
    const work = async (lane) => {
      for (let at = 0; ; at++) {
        const key = '/k/' + lane + '/' + at;
        const value = 'v' + at + 'x'.repeat(1000);
        const result = await store.put(key, Buffer.from(value), { expectedRevision: 0 }, signal);
        if (result.ok) writeSync(1, key + ' ' + value + '\\n');
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, lane) => work(lane)));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  void once(child, 'exit');
  return child;
}

function flipByte(path: string, near: string): void {
  const at = readFileSync(path).lastIndexOf(near);
  const file = openSync(path, 'r+');
  writeSync(file, '#', at + 10);
  closeSync(file);
}

async function put(store: LmdbStore, key: string, value: string, expectedRevision = 0): Promise<number> {
  const result = await store.put(key, Buffer.from(value), { expectedRevision }, signal);
  if (!result.ok) throw new Error('the guard did not hold');
  return result.revision;
}

async function history(store: LmdbStore, after: number, count: number): Promise<StoreEvent[]> {
  const stop = new AbortController();
  const events: StoreEvent[] = [];
  for await (const batch of store.watch('/', after, stop.signal)) {
    events.push(...batch);
    if (events.length >= count) stop.abort();
  }
  return events;
}

function text(value: Uint8Array | undefined): string {
  return value === undefined ? '' : Buffer.from(value).toString();
}
