// What a reflector does with answers that a good server gives rarely: these cannot be provoked at will, so the client is a script.
import { describe, expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { ApiError } from '#api/meta/status.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { type Client, type ListOptions, TransportError, type WatchEvent } from './client.ts';
import { Reflector } from './reflector.ts';

type Step =
  | { readonly list: readonly string[]; readonly revision: string; readonly next?: string }
  | { readonly watch: readonly WatchEvent<KubeObject>[]; readonly ends?: Error | 'hang' }
  | { readonly fail: Error };

const object = (name: string, resourceVersion: string): KubeObject => ({ metadata: { name, resourceVersion } });
const expired = new ApiError({ reason: 'Expired', message: 'too old resource version' });
const refused = new TransportError('connect ECONNREFUSED');

/** Plays the steps to a reflector; answers what was asked and what the sink was given. */
async function play(steps: readonly Step[], waitMs = 0): Promise<{ asked: string[]; given: string[] }> {
  const clock = new FakeClock();
  const asked: string[] = [];
  const given: string[] = [];
  const left = [...steps];
  const stop = new AbortController();
  const next = (what: string): Step => {
    asked.push(`${what} @${clock.monotonicMs()}`);
    const step = left.shift();
    if (step === undefined) throw new Error('nothing more was expected');
    if ('fail' in step) throw step.fail;
    return step;
  };
  const client = {
    list: async (_kind: unknown, options: ListOptions) => {
      const step = next(`list ${options.limit ?? 'all'}${options.continue === undefined ? '' : ` ${options.continue}`}`);
      if (!('list' in step)) throw new Error(`listed, but ${JSON.stringify(step)} was expected`);
      const metadata = { resourceVersion: step.revision, ...(step.next === undefined ? {} : { continue: step.next }) };
      return { metadata, items: step.list.map((name) => object(name, step.revision)) };
    },
    watch: async function* (_kind: unknown, options: ListOptions, signal: AbortSignal) {
      const step = next(`watch ${options.resourceVersion}`);
      if (!('watch' in step)) throw new Error(`watched, but ${JSON.stringify(step)} was expected`);
      yield* step.watch;
      if (step.ends instanceof Error) throw step.ends;
      if (step.ends === 'hang') await clock.sleep(1e9, signal);
    },
  } as unknown as Client;
  const reflector = new Reflector(
    { kind: configMap as never },
    {
      replace: (objects) => given.push(`= ${objects.map(({ metadata }) => metadata.name).join(' ')}`),
      change: (type, { metadata }) => given.push(`${type} ${metadata.name}`),
    },
    { client, clock, log: silentLog, random: () => 0 },
  );
  const running = reflector.run(stop.signal).catch(() => undefined);
  await clock.advance(waitMs);
  stop.abort();
  await running;
  return { asked, given };
}

const bookmark = (resourceVersion: string): WatchEvent<KubeObject> => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion } } });
const added = (name: string, revision: string): WatchEvent<KubeObject> => ({ type: 'ADDED', object: object(name, revision) });

describe('Reflector', () => {
  test('lists, watches from there, and resumes from the last revision, bookmarks included', async () => {
    const { asked, given } = await play([
      { list: ['a'], revision: '5' },
      { watch: [added('b', '7')] },
      { watch: [bookmark('9')], ends: new TransportError('reset') },
      { watch: [], ends: 'hang' },
    ]);
    expect(asked).toEqual(['list 500 @0', 'watch 5 @0', 'watch 7 @0', 'watch 9 @0']);
    expect(given).toEqual(['= a', 'ADDED b']);
  });

  test('too old: lists again at once; too old again: only after a pause', async () => {
    const { asked } = await play(
      [
        { list: ['a'], revision: '5' },
        { fail: expired },
        { list: ['a'], revision: '6' },
        { watch: [], ends: expired },
        { list: ['a'], revision: '7' },
        { watch: [], ends: 'hang' },
      ],
      10_000,
    );
    expect(asked).toEqual(['list 500 @0', 'watch 5 @0', 'list 500 @0', 'watch 6 @0', 'list 500 @800', 'watch 7 @800']);
  });

  test('a server that is away is asked at 0.8, 1.6, 3.2 … 30 s', async () => {
    const { asked } = await play([{ list: [], revision: '5' }, ...Array.from({ length: 9 }, () => ({ fail: refused }))], 90_000);
    const times = asked.map((text) => Number(text.split('@')[1]));
    expect(times.map((ms, at) => ms - (times[at - 1] ?? 0)).slice(2)).toEqual([800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
    expect(asked.every((text) => !text.startsWith('list') || text.endsWith('@0'))).toBe(true);
  });

  test('a server that was never there yet is asked more often', async () => {
    const { asked } = await play(
      [{ fail: refused }, { fail: refused }, { fail: refused }, { list: [], revision: '1' }, { watch: [], ends: 'hang' }],
      1_000,
    );
    expect(asked).toEqual(['list 500 @0', 'list 500 @100', 'list 500 @300', 'list 500 @700', 'watch 1 @700']);
  });

  test('a server whose revisions lie behind ours (restored): a new list', async () => {
    const ahead = new ApiError({
      reason: 'Timeout',
      message: 'Too large resource version',
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });
    const { asked } = await play(
      [{ list: [], revision: '500' }, { fail: ahead }, { list: [], revision: '3' }, { watch: [], ends: 'hang' }],
      1_000,
    );
    expect(asked).toEqual(['list 500 @0', 'watch 500 @0', 'list 500 @800', 'watch 3 @800']);
  });

  test('watches that end at once with nothing do not make it spin', async () => {
    const { asked } = await play([{ list: [], revision: '5' }, { watch: [] }, { watch: [] }, { watch: [], ends: 'hang' }], 3_000);
    expect(asked).toEqual(['list 500 @0', 'watch 5 @0', 'watch 5 @800', 'watch 5 @2400']);
  });

  test('pages whose snapshot expired: the whole list in one piece', async () => {
    const { asked, given } = await play([
      { list: ['a', 'b'], revision: '5', next: 'token' },
      { fail: expired },
      { list: ['a', 'b', 'c'], revision: '8' },
      { watch: [], ends: 'hang' },
    ]);
    expect(asked).toEqual(['list 500 @0', 'list 500 token @0', 'list all @0', 'watch 8 @0']);
    expect(given).toEqual(['= a b c']);
  });

  test('overloaded servers are asked again without a new list', async () => {
    const busy = new ApiError({ reason: 'TooManyRequests', message: 'too many requests' });
    const { asked } = await play([{ list: [], revision: '5' }, { fail: busy }, { watch: [], ends: 'hang' }], 1_000);
    expect(asked).toEqual(['list 500 @0', 'watch 5 @0', 'watch 5 @800']);
  });
});
