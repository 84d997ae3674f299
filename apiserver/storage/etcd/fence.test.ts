import protobuf from 'protobufjs/minimal.js';
import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { Fence } from './fence.ts';
import { SharedCommits } from './shared-commits.ts';

const { signal } = new AbortController();

test('who comes while the fence is being raised waits for the next time, and shares that with others', async () => {
  const underWay: (() => void)[] = [];
  const fence = new Fence({
    call: () => new Promise((resolve) => underWay.push(() => resolve(answer({ revision: 6 + underWay.length, ok: true })))),
  });
  const first = fence.raise(1_000);
  await settled();
  const others = [fence.raise(1_000), fence.raise(1_000)];
  await settled();
  expect(underWay).toHaveLength(1);
  underWay[0]?.();
  await first;
  expect(fence.guard.equals).toBe(7);
  await settled();
  expect(underWay).toHaveLength(2);
  underWay[1]?.();
  await Promise.all(others);
  expect(fence.guard.equals).toBe(8);
});

test('a fence that could not be raised is raised by the next who asks', async () => {
  let calls = 0;
  const call = (): Promise<Uint8Array> =>
    calls++ === 0 ? Promise.reject(new Error('no answer')) : Promise.resolve(answer({ revision: 7, ok: true }));
  const fence = new Fence({ call });
  await expect(fence.raise(1_000)).rejects.toThrow('no answer');
  await fence.raise(1_000);
  expect(fence.guard.equals).toBe(7);
});

test('a commit that finds the fence elsewhere, raised by what came late, is made again from there', async () => {
  const requests: Uint8Array[] = [];
  const call = (_: string, request: Uint8Array): Promise<Uint8Array> => {
    requests.push(request);
    return Promise.resolve(
      requests.length === 1 ? answer({ revision: 10, ok: false, foundAt: 9 }) : answer({ revision: 11, ok: true, parts: 1 }),
    );
  };
  const fence = new Fence({ call });
  const commits = new SharedCommits({ connection: { call }, fence, clock: new FakeClock() });
  const write = { guards: [], changes: [{ do: 'put', key: 'a', value: Buffer.from('x') }] } as const;
  expect(await commits.make(write, { timeoutMs: 1_000, signal })).toMatchObject({ succeeded: true, revision: 11 });
  expect(requests).toHaveLength(2);
  expect(fence.guard.equals).toBe(9);
});

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** What etcd says to a transaction: of so many parts that all succeeded, or where its guard's key is. */
function answer({ revision, ok, parts = 0, foundAt }: { revision: number; ok: boolean; parts?: number; foundAt?: number }): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork().uint32(24).int64(revision).ldelim();
  if (ok) writer.uint32(16).bool(true);
  for (let at = 0; at < parts; at++) writer.uint32(26).fork().uint32(34).fork().uint32(16).bool(true).ldelim().ldelim();
  if (foundAt !== undefined)
    writer.uint32(26).fork().uint32(10).fork().uint32(18).fork().uint32(24).int64(foundAt).ldelim().ldelim().ldelim();
  return writer.finish();
}
