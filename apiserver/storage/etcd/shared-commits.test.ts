import protobuf from 'protobufjs/minimal.js';
import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import type { CallOptions, EtcdConnection } from './connection.ts';
import { EtcdFailure } from './failures.ts';
import { Fence } from './fence.ts';
import { type GuardedWriteDeps, writeGuarded } from './guarded-write.ts';
import { Leases } from './leases.ts';
import { methods } from './messages.ts';
import { OwnWrites } from './own-writes.ts';
import { EtcdReads } from './reads.ts';
import { SharedCommits, type SharedAnswer } from './shared-commits.ts';

const { signal } = new AbortController();
const tookMs = 4;

test('writers who come back one by one share a transaction again', async () => {
  const { clock, sizes, write } = commits();
  // Three come while the first one's transaction is under way, and all four come back at different times.
  await clock.advance(0);
  const first = write('a');
  await clock.advance(1);
  const others = ['b', 'c', 'd'].map(write);
  await clock.advance(tookMs - 1);
  await first;
  const back = write('a');
  await clock.advance(tookMs);
  await Promise.all([back, ...others]);
  for (const name of ['a', 'b', 'c', 'd']) {
    const again = write(name);
    await clock.advance(name === 'd' ? tookMs : 1);
    if (name === 'd') await again;
  }
  expect(sizes).toEqual([1, 4, 4]);
});

test('who writes alone never waits, and who does not come is waited for once, no longer than a transaction takes', async () => {
  const { clock, sizes, write } = commits();
  for (const name of ['a', 'b']) {
    const alone = write(name);
    await clock.advance(tookMs);
    await alone;
  }
  const two = ['a', 'b'].map(write);
  await clock.advance(tookMs);
  await Promise.all(two);
  expect(sizes).toEqual([1, 1, 2]);

  const late = write('a');
  await clock.advance(tookMs - 1);
  expect(sizes).toHaveLength(3);
  await clock.advance(1);
  expect(sizes).toEqual([1, 1, 2, 1]);
  await clock.advance(tookMs);
  await late;
  void write('a');
  await clock.advance(0);
  expect(sizes).toEqual([1, 1, 2, 1, 1]);
});

test('writers of the same key do not wait for one another', async () => {
  const { clock, sizes, write } = commits();
  const all = ['a', 'a', 'a'].map(write);
  await clock.advance(3 * tookMs);
  await Promise.all(all);
  expect(sizes).toEqual([1, 1, 1]);
});

test('however many come, a full transaction goes at once', async () => {
  const { clock, sizes, write } = commits();
  const all = Array.from({ length: 250 }, (_, at) => write(`key-${at}`));
  await clock.advance(3 * tookMs);
  await Promise.all(all);
  expect(sizes).toEqual([100, 100, 50]);
});

test('a write that nobody answers is made again after a second, then after two; no other waits behind it for longer', async () => {
  const clock = new FakeClock();
  const begunMs: number[] = [];
  const call = async (_method: string, request: Uint8Array, { timeoutMs }: CallOptions): Promise<Uint8Array> => {
    begunMs.push(clock.monotonicMs());
    if (begunMs.length > 2) return success(partsOf(request));
    await clock.sleep(timeoutMs, signal);
    throw new EtcdFailure('again', 'timeout', 'context deadline exceeded');
  };
  const made = writeGuarded(writing(call, clock), { key: 'a', expected: 5, value: Buffer.from('{}') }, signal);
  // Its first attempts, each after a pause of 20 to 150 ms.
  await clock.advance(1_000);
  await clock.advance(50);
  await clock.advance(2_000);
  await clock.advance(100);
  expect(await made).toMatchObject({ ok: true });
  const [first = 0, second = 0, third = 0] = begunMs;
  expect(second - first).toBeGreaterThanOrEqual(1_000);
  expect(second - first).toBeLessThan(1_100);
  expect(third - second).toBeGreaterThanOrEqual(2_000);
});

test.each([
  ['a creation', { key: 'a', expected: 0, value: Buffer.from('{}') }],
  ['an update', { key: 'a', expected: 5, value: Buffer.from('{}') }],
  ['a deletion', { key: 'a', expected: 5, value: undefined }],
])('%s whose answer is lost, and which is then refused for good, is unknown: the first attempt may come late', async (_, write) => {
  const clock = new FakeClock();
  let transactions = 0;
  const call = (method: string): Promise<Uint8Array> => {
    if (method === methods.range) return Promise.resolve(write.expected === 0 ? nothingThere() : thereSince(write.expected));
    const lost = new EtcdFailure('again', 'unavailable', 'etcd gave no answer');
    return Promise.reject(transactions++ === 0 ? lost : new EtcdFailure('final', 'full', 'etcdserver: mvcc: database space exceeded'));
  };
  const made = writeGuarded(writing(call, clock), write, signal).catch((error: unknown) => error);
  await clock.advance(100);
  expect(await made).toMatchObject({ code: 'timeout' });
  expect(transactions).toBe(2);
});

function writing(call: EtcdConnection['call'], clock: FakeClock): GuardedWriteDeps {
  const connection = { call };
  const fence = new Fence(connection);
  return {
    commits: new SharedCommits({ connection, fence, clock }),
    reads: new EtcdReads({ connection, clock }),
    leases: new Leases({ connection, clock }),
    own: new OwnWrites(clock),
    fence,
    clock,
  };
}

/** Commits of an etcd whose transactions take 4 ms and succeed; tells how many writes each held. */
function commits(): { clock: FakeClock; sizes: number[]; write: (key: string) => Promise<SharedAnswer> } {
  const clock = new FakeClock();
  const sizes: number[] = [];
  const call = async (_method: string, request: Uint8Array): Promise<Uint8Array> => {
    const size = partsOf(request);
    sizes.push(size);
    await clock.sleep(tookMs, signal);
    return success(size);
  };
  const shared = new SharedCommits({ connection: { call }, fence: new Fence({ call }), clock });
  const write = (key: string): Promise<SharedAnswer> =>
    shared.make(
      { guards: [{ key, compare: 'modRevision', equals: 0 }], changes: [{ do: 'put', key, value: Buffer.from('{}') }] },
      { timeoutMs: 1_000, signal },
    );
  return { clock, sizes, write };
}

function partsOf(request: Uint8Array): number {
  const reader = protobuf.Reader.create(request);
  let parts = 0;
  while (reader.pos < reader.len) {
    const head = reader.uint32();
    if (head >>> 3 === 2) parts++;
    reader.skipType(head & 7);
  }
  return parts;
}

function success(size: number): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork().uint32(24).int64(7).ldelim();
  writer.uint32(16).bool(true);
  for (let at = 0; at < size; at++) writer.uint32(26).fork().uint32(34).fork().uint32(16).bool(true).ldelim().ldelim();
  return writer.finish();
}

function nothingThere(): Uint8Array {
  return protobuf.Writer.create().uint32(10).fork().uint32(24).int64(7).ldelim().finish();
}

function thereSince(revision: number): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork().uint32(24).int64(7).ldelim();
  return writer.uint32(18).fork().uint32(10).string('a').uint32(16).int64(revision).uint32(24).int64(revision).ldelim().finish();
}
