// The suite that every engine passes. An engine's test file calls `testStore` with a way to open fresh stores.
import { describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { type PutResult, type Store, type StoreEvent, valueLimitBytes } from './contract.ts';

/** Opens an empty store whose time is `clock`, unless its time is its own. */
type OpenStore = (clock: FakeClock) => Promise<Store>;

/** How a test of keys with a TTL waits. */
interface StoreTime {
  readonly ttlSeconds: number;
  readonly pass: (clock: FakeClock, seconds: number) => Promise<void>;
}

const fakeTime: StoreTime = { ttlSeconds: 10, pass: (clock, seconds) => clock.advance(seconds * 1_000) };
const { signal } = new AbortController();

/** Declares the suite for one engine, which adds `overheadBytes` to each value. */
export function testStore(name: string, open: OpenStore, time: StoreTime = fakeTime, overheadBytes = 0): void {
  describe(`${name} as a store`, () => {
    testWrites(open, valueLimitBytes - overheadBytes);
    testLists(open);
    testWatches(open);
    testHistory(open);
    testExpiry(open, time);
  });
}

function testWrites(open: OpenStore, largestBytes: number): void {
  test('a value is read as it was written, with its revisions', async () => {
    await using store = await open(new FakeClock());
    const first = await put(store, '/a', 'one');
    expect(await store.get('/a', signal)).toMatchObject({ key: '/a', modRevision: first, createRevision: first });
    const second = await put(store, '/a', 'two', first);
    const found = await store.get('/a', signal);
    expect(found).toMatchObject({ modRevision: second, createRevision: first });
    expect(text(found?.value)).toBe('two');
    expect(second).toBeGreaterThan(first);
    expect(await store.currentRevision(signal)).toBe(second);
    expect(await store.get('/b', signal)).toBeUndefined();
  });

  test('a guard that does not hold changes nothing and tells what is there', async () => {
    await using store = await open(new FakeClock());
    const first = await put(store, '/a', 'one');
    const again = await store.put('/a', bytes('two'), { expectedRevision: 0 }, signal);
    expect(again).toMatchObject({ ok: false, current: { modRevision: first } });
    expect(again.ok ? '' : text(again.current?.value)).toBe('one');
    expect(await store.put('/a', bytes('two'), { expectedRevision: first + 7 }, signal)).toMatchObject({ ok: false });
    expect(await store.put('/b', bytes('two'), { expectedRevision: first }, signal)).toEqual({ ok: false, current: undefined });
    expect(await store.delete('/a', first + 7, signal)).toMatchObject({ ok: false, current: { modRevision: first } });
    expect(await store.delete('/b', first, signal)).toEqual({ ok: false, current: undefined });
    expect(await store.currentRevision(signal)).toBe(first);
  });

  test('a deleted key is gone and can be made anew', async () => {
    await using store = await open(new FakeClock());
    const first = await put(store, '/a', 'one');
    const removed = await store.delete('/a', first, signal);
    expect(removed.ok && removed.revision > first).toBe(true);
    expect(await store.get('/a', signal)).toBeUndefined();
    const anew = await put(store, '/a', 'two');
    expect(await store.get('/a', signal)).toMatchObject({ createRevision: anew, modRevision: anew });
  });

  test('of racing writes with one guard exactly one wins', async () => {
    await using store = await open(new FakeClock());
    const first = await put(store, '/a', '0');
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, at) => store.put('/a', bytes(`${at}`), { expectedRevision: first }, signal)),
    );
    const won = results.filter((result) => result.ok);
    expect(won).toHaveLength(1);
    const found = await store.get('/a', signal);
    expect(found?.modRevision).toBe(won[0]?.ok === true ? won[0].revision : 0);
    for (const result of results) if (!result.ok) expect(result.current?.modRevision).toBe(found?.modRevision);
  });

  test('what is written along is there with it, or neither is', async () => {
    await using store = await open(new FakeClock());
    const taken = await put(store, '/along/taken', 'before');
    const along = (key: string, expectedRevision: number) => ({ key, value: bytes('along'), expectedRevision });
    const both = await store.put('/a', bytes('one'), { expectedRevision: 0, along: [along('/along/new', 0)] }, signal);
    const first = both.ok ? both.revision : 0;
    expect([text((await store.get('/a', signal))?.value), text((await store.get('/along/new', signal))?.value)]).toEqual(['one', 'along']);
    expect((await store.get('/along/new', signal))?.modRevision).toBeLessThanOrEqual(first);
    expect(await store.currentRevision(signal)).toBe(first);
    const blocked = await store.put(
      '/b',
      bytes('two'),
      { expectedRevision: 0, along: [along('/along/x', 0), along('/along/taken', 0)] },
      signal,
    );
    expect(blocked).toMatchObject({ ok: false, current: undefined, isBlocked: true });
    const late = await store.put('/a', bytes('two'), { expectedRevision: 0, along: [along('/along/y', 0)] }, signal);
    expect(late).toMatchObject({ ok: false, current: { modRevision: first } });
    expect(late).not.toHaveProperty('isBlocked', true);
    for (const key of ['/b', '/along/x', '/along/y']) expect(await store.get(key, signal)).toBeUndefined();
    expect(text((await store.get('/along/taken', signal))?.value)).toBe('before');
    const replacing = await store.put('/a', bytes('two'), { expectedRevision: first, along: [along('/along/taken', taken)] }, signal);
    expect(replacing.ok).toBe(true);
    expect(text((await store.get('/along/taken', signal))?.value)).toBe('along');
  });

  test('of racing writes that want the same along exactly one wins', async () => {
    await using store = await open(new FakeClock());
    const wanted = [{ key: '/along', value: bytes('x'), expectedRevision: 0 }];
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, at) => store.put(`/k/${at}`, bytes(`${at}`), { expectedRevision: 0, along: wanted }, signal)),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect((await store.list('/k/', {}, signal)).items).toHaveLength(1);
  });

  test('many writes at once get revisions of their own', async () => {
    await using store = await open(new FakeClock());
    const revisions = await Promise.all(Array.from({ length: 500 }, (_, at) => put(store, `/k/${at}`, `${at}`)));
    expect(new Set(revisions).size).toBe(500);
    expect((await store.list('/k/', {}, signal)).items).toHaveLength(500);
  });

  test('binary and empty values survive, oversized ones are refused as etcd does', async () => {
    await using store = await open(new FakeClock());
    await store.put('/bin', new Uint8Array([0, 255, 10, 0]), { expectedRevision: 0 }, signal);
    expect([...((await store.get('/bin', signal))?.value ?? [])]).toEqual([0, 255, 10, 0]);
    await store.put('/empty', new Uint8Array(), { expectedRevision: 0 }, signal);
    expect((await store.get('/empty', signal))?.value.length).toBe(0);
    const large = new Uint8Array(largestBytes);
    await store.put('/large', large, { expectedRevision: 0 }, signal);
    await expect(store.put('/larger', new Uint8Array(large.length + 1), { expectedRevision: 0 }, signal)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'too-large',
      message: 'etcdserver: request is too large',
    });
  });

  test('a closed store says so', async () => {
    const store = await open(new FakeClock());
    await store[Symbol.asyncDispose]();
    await expect(store.get('/a', signal)).rejects.toMatchObject({ code: 'closed' });
    await expect(put(store, '/a', 'x')).rejects.toMatchObject({ code: 'closed' });
  });
}

function testLists(open: OpenStore): void {
  test('lists are in key order, bounded by prefix', async () => {
    await using store = await open(new FakeClock());
    for (const key of ['/p/b', '/p/a/x', '/p/a-b', '/q/a', '/p/ü', '/p']) await put(store, key, key);
    const all = await store.list('/p/', {}, signal);
    expect(all.items.map((item) => item.key)).toEqual(['/p/a-b', '/p/a/x', '/p/b', '/p/ü']);
    expect(all.items.map((item) => text(item.value))).toEqual(['/p/a-b', '/p/a/x', '/p/b', '/p/ü']);
    expect(all).toMatchObject({ more: false, revision: await store.currentRevision(signal) });
    expect((await store.list('/none/', {}, signal)).items).toEqual([]);
  });

  test('a list goes on behind a key', async () => {
    await using store = await open(new FakeClock());
    for (const key of ['a', 'b', 'c', 'd']) await put(store, `/p/${key}`, key);
    const first = await store.list('/p/', { limit: 2 }, signal);
    expect([first.items.map((item) => item.key), first.more]).toEqual([['/p/a', '/p/b'], true]);
    const second = await store.list('/p/', { limit: 2, after: '/p/b' }, signal);
    expect([second.items.map((item) => item.key), second.more]).toEqual([['/p/c', '/p/d'], false]);
    expect((await store.list('/p/', { after: '/p/bb' }, signal)).items.map((item) => item.key)).toEqual(['/p/c', '/p/d']);
  });
}

function testWatches(open: OpenStore): void {
  test('a watch tells every change once, in order, with the value before', async () => {
    await using store = await open(new FakeClock());
    const before = await put(store, '/w/old', 'x');
    const events = collect(store, '/w/', before, 4);
    const first = await put(store, '/w/a', 'one');
    await put(store, '/other', 'no');
    const second = await put(store, '/w/a', 'two', first);
    await store.delete('/w/a', second, signal);
    await put(store, '/w/b', 'three');
    const found = await events;
    expect(found.map(({ type, key, value }) => [type, key, text(value)])).toEqual([
      ['put', '/w/a', 'one'],
      ['put', '/w/a', 'two'],
      ['delete', '/w/a', ''],
      ['put', '/w/b', 'three'],
    ]);
    expect(found.map(({ previous }) => text(previous?.value))).toEqual(['', 'one', 'two', '']);
    expect(found[1]).toMatchObject({ createRevision: first, revision: second, previous: { modRevision: first } });
    const revisions = found.map((event) => event.revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
  });

  test('a watch tells what was written along, too', async () => {
    await using store = await open(new FakeClock());
    const start = await put(store, '/w/old', 'x');
    const events = collect(store, '/w/', start, 3);
    const along = ['/w/b', '/w/c'].map((key) => ({ key, value: bytes(key), expectedRevision: 0 }));
    const written = await store.put('/w/a', bytes('/w/a'), { expectedRevision: 0, along }, signal);
    const found = await events;
    expect(found.map(({ key }) => key).toSorted((a, b) => a.localeCompare(b))).toEqual(['/w/a', '/w/b', '/w/c']);
    for (const event of found) expect(text(event.value)).toBe(event.key);
    expect(Math.max(...found.map(({ revision }) => revision))).toBe(written.ok ? written.revision : 0);
  });

  test('writes of all kinds at once: answers, events and reads tell the same revisions, and a watch goes on from any of them', async () => {
    await using store = await open(new FakeClock());
    const old = await Promise.all(Array.from({ length: 12 }, (_, at) => put(store, `/w/old-${at}`, 'old')));
    const start = await store.currentRevision(signal);
    const answers = new Map<string, Promise<PutResult>>();
    const refused: Promise<PutResult>[] = [];
    for (const [at, expectedRevision] of old.entries()) {
      const along = at % 4 === 0 ? [{ key: `/w/along-${at}`, value: bytes('along'), expectedRevision: 0 }] : undefined;
      answers.set(`/w/new-${at}`, store.put(`/w/new-${at}`, bytes('new'), { expectedRevision: 0, along }, signal));
      const key = `/w/old-${at}`;
      if (at % 3 === 0) answers.set(key, store.put(key, bytes('renewed'), { expectedRevision }, signal));
      if (at % 3 === 1) answers.set(key, store.delete(key, expectedRevision, signal));
      if (at % 3 === 2) refused.push(store.put(key, bytes('refused'), { expectedRevision: 0 }, signal));
    }
    for (const result of await Promise.all(refused)) expect(result).toMatchObject({ ok: false });
    const events = await collect(store, '/w/', start, 12 + 8 + 3);
    for (const [key, answer] of answers) {
      expect(await answer).toEqual({ ok: true, revision: events.find((event) => event.key === key)?.revision });
    }
    for (const { key, modRevision } of (await store.list('/w/', {}, signal)).items) {
      expect(modRevision).toBe(events.find((event) => event.key === key)?.revision ?? old[Number(key.slice('/w/old-'.length))]);
    }
    for (const [at, { revision }] of events.entries()) {
      expect(revision).toBeGreaterThan(at === 0 ? start : (events[at - 1]?.revision ?? 0));
      const rest = at === events.length - 1 ? [] : await collect(store, '/w/', revision, events.length - 1 - at);
      expect(rest.map((event) => [event.key, event.revision])).toEqual(events.slice(at + 1).map((event) => [event.key, event.revision]));
    }
  });

  test('a watch from the past replays what happened since, then goes on', async () => {
    await using store = await open(new FakeClock());
    const start = await put(store, '/w/a', '0');
    const revisions = [start];
    const write = async (at: number): Promise<void> => void (revisions[at] = await put(store, '/w/a', `${at}`, revisions[at - 1]));
    for (let at = 1; at <= 30; at++) await write(at);
    const events = collect(store, '/w/', revisions[10] ?? 0, 25);
    for (let at = 31; at <= 35; at++) await write(at);
    const found = await events;
    expect(found.map((event) => text(event.value))).toEqual(Array.from({ length: 25 }, (_, at) => `${at + 11}`));
    expect(text(found[0]?.previous?.value)).toBe('10');
  });

  test('a reader that lags far behind loses nothing', async () => {
    await using store = await open(new FakeClock());
    const stop = new AbortController();
    const watch = store.watch('/w/', 0, stop.signal)[Symbol.asyncIterator]();
    for (let round = 0; round < 12; round++) {
      await Promise.all(Array.from({ length: 500 }, (_, at) => put(store, `/w/${round}-${at}`, 'x')));
    }
    let seen = 0;
    let last = 0;
    while (seen < 6_000) {
      const { value } = await watch.next();
      for (const event of (value ?? []) as StoreEvent[]) {
        expect(event.revision).toBeGreaterThan(last);
        last = event.revision;
        seen++;
      }
    }
    stop.abort();
    expect((await watch.next()).done).toBe(true);
    expect(seen).toBe(6_000);
  });

  test('a watch ends when its signal aborts', async () => {
    await using store = await open(new FakeClock());
    const stop = new AbortController();
    const watch = store.watch('/w/', 0, stop.signal)[Symbol.asyncIterator]();
    const next = watch.next();
    stop.abort();
    expect((await next).done).toBe(true);
  });
}

function testHistory(open: OpenStore): void {
  test('compaction forgets history and keeps the newest values', async () => {
    await using store = await open(new FakeClock());
    const first = await put(store, '/a', 'one');
    const second = await put(store, '/a', 'two', first);
    const other = await put(store, '/b', 'b');
    await store.delete('/b', other, signal);
    await store.compact(other, signal);
    expect(text((await store.get('/a', signal))?.value)).toBe('two');
    await expect(collect(store, '/', first, 1)).rejects.toMatchObject({ name: 'StoreError', code: 'compacted' });
    const [removed] = await collect(store, '/', other, 1);
    expect(removed).toMatchObject({ type: 'delete', key: '/b', previous: { modRevision: other } });
    const third = await put(store, '/a', 'three', second);
    expect(text((await collect(store, '/a', other, 1))[0]?.previous?.value)).toBe('two');
    await store.compact(third, signal);
    expect(await store.currentRevision(signal)).toBe(third);
    expect((await store.list('/', {}, signal)).items.map((item) => text(item.value))).toEqual(['three']);
  });
}

function testExpiry(open: OpenStore, { ttlSeconds, pass }: StoreTime): void {
  test('a key with a TTL goes away by an ordinary event, unless it is written again', async () => {
    const clock = new FakeClock();
    await using store = await open(clock);
    const short = await store.put('/short', bytes('x'), { expectedRevision: 0, ttlSeconds }, signal);
    const kept = await store.put('/kept', bytes('x'), { expectedRevision: 0, ttlSeconds }, signal);
    const start = await store.currentRevision(signal);
    await pass(clock, 0.6 * ttlSeconds);
    const renewed = await store.put('/kept', bytes('y'), { expectedRevision: kept.ok ? kept.revision : 0, ttlSeconds }, signal);
    expect(await store.get('/short', signal)).toBeDefined();
    const events = collect(store, '/short', start, 1);
    await pass(clock, 0.6 * ttlSeconds);
    expect((await events)[0]).toMatchObject({
      type: 'delete',
      key: '/short',
      previous: { modRevision: short.ok ? short.revision : 0 },
    });
    expect(await store.get('/short', signal)).toBeUndefined();
    expect(await store.get('/kept', signal)).toBeDefined();
    const gone = collect(store, '/kept', renewed.ok ? renewed.revision : 0, 1);
    await pass(clock, 0.6 * ttlSeconds);
    expect((await gone)[0]).toMatchObject({ type: 'delete' });
  });
}

async function put(store: Store, key: string, value: string, expectedRevision = 0): Promise<number> {
  const result = await store.put(key, bytes(value), { expectedRevision }, signal);
  if (!result.ok) throw new Error(`the guard of ${key} did not hold`);
  return result.revision;
}

/** The next `count` events. */
async function collect(store: Store, prefix: string, after: number, count: number): Promise<StoreEvent[]> {
  const stop = new AbortController();
  const events: StoreEvent[] = [];
  for await (const batch of store.watch(prefix, after, stop.signal)) {
    events.push(...batch);
    if (events.length >= count) stop.abort();
  }
  return events;
}

function bytes(value: string): Uint8Array {
  return Buffer.from(value);
}

function text(value: Uint8Array | undefined): string {
  return value === undefined ? '' : Buffer.from(value).toString();
}
