import { expect, test } from 'vitest';
import type { StoreEvent } from './contract.ts';
import { EventFeed } from './event-feed.ts';

const event = (revision: number): StoreEvent => ({
  type: 'put',
  key: `/registry/pods/default/p${revision}`,
  revision,
  value: Buffer.from('{}'),
  createRevision: revision,
  previous: undefined,
});

/** A feed, the log behind it, and the revisions above which the log was read. */
function aFeed(): { feed: EventFeed; commit: (...revisions: number[]) => void; readAbove: number[] } {
  const log: StoreEvent[] = [];
  const readAbove: number[] = [];
  const replay = (after: number, limit: number): readonly StoreEvent[] => {
    if (limit > 0) readAbove.push(after);
    return log.filter(({ revision }) => revision > after).slice(0, limit);
  };
  const feed = new EventFeed({ revision: 0, replay });
  const commit = (...revisions: number[]): void => {
    const events = revisions.map(event);
    log.push(...events);
    feed.append(events);
  };
  return { feed, commit, readAbove };
}

async function next(watch: AsyncGenerator<readonly StoreEvent[], void, undefined>): Promise<number[]> {
  const { value } = await watch.next();
  return (value ?? []).map(({ revision }) => revision);
}

test('keeps events for whoever has not taken them yet', async () => {
  const { feed, commit, readAbove } = aFeed();
  const stop = new AbortController();
  const [quick, slow] = [feed.watch('', 0, stop.signal), feed.watch('', 0, stop.signal)];
  const first = [next(quick), next(slow)];
  commit(1, 2);
  expect(await Promise.all(first)).toEqual([
    [1, 2],
    [1, 2],
  ]);
  commit(3);
  expect(await next(quick)).toEqual([3]);
  commit(4);
  expect(await next(quick)).toEqual([4]);
  expect(await next(slow)).toEqual([3, 4]);
  expect(readAbove).toEqual([]);
  stop.abort();
});

test('keeps nothing that everybody has taken: a watch from the past reads the log', async () => {
  const { feed, commit, readAbove } = aFeed();
  const stop = new AbortController();
  const [one, other] = [feed.watch('', 0, stop.signal), feed.watch('', 0, stop.signal)];
  const first = [next(one), next(other)];
  commit(1, 2, 3);
  await Promise.all(first);
  expect(await next(feed.watch('', 1, stop.signal))).toEqual([2, 3]);
  expect(readAbove).toEqual([1]);
  stop.abort();
});

test('does not wait for watches that have ended', async () => {
  const { feed, commit, readAbove } = aFeed();
  const [stop, gone] = [new AbortController(), new AbortController()];
  const [one, ended] = [feed.watch('', 0, stop.signal), feed.watch('', 0, gone.signal)];
  const first = [next(one), next(ended)];
  commit(1);
  await Promise.all(first);
  gone.abort();
  await next(ended);
  commit(2);
  expect(await next(one)).toEqual([2]);
  expect(await next(feed.watch('', 1, stop.signal))).toEqual([2]);
  expect(readAbove).toEqual([1]);
  stop.abort();
});
