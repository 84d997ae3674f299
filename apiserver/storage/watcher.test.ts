import { expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { WatchFrame } from '../registry/contract.ts';
import { CacheEvent } from './cache-event.ts';
import { CachedObject } from './cached-object.ts';
import { DecodedObjects } from './decoded-objects.ts';
import { objectSelector } from './object-selector.ts';
import { encodeStored, servedForm } from './served-form.ts';
import { Watcher } from './watcher.ts';

const form = servedForm(configMap as unknown as KindDefinition);
const decoded = new DecodedObjects();

function anEvent(revision: number): CacheEvent {
  const bytes = encodeStored(form, { metadata: { name: 'a', namespace: 'b' } });
  const current = new CachedObject({ form, key: 'b/a', bytes, revision, createRevision: revision, decoded });
  return new CacheEvent({ revision, current, previous: undefined, atMs: 0 });
}

function aWatcher(ended: Watcher[]): Watcher {
  const selector = objectSelector(form, { namespace: '', labelSelector: '', fieldSelector: '' });
  const { signal } = new AbortController();
  const onEnd = (watcher: Watcher): void => void ended.push(watcher);
  return new Watcher({
    selector,
    initial: [],
    afterRevision: 5,
    wantsBookmarks: false,
    endMs: undefined,
    nowMs: 0,
    signal,
    onEnd,
    onTooSlow: () => undefined,
  });
}

test('a watcher skips what it has told already', async () => {
  const watcher = aWatcher([]);
  for (const revision of [4, 5, 6, 6, 7]) watcher.offer(anEvent(revision));
  const { value } = await watcher[Symbol.asyncIterator]().next();
  expect((value as WatchFrame[]).map((frame) => frame.encoded.resourceVersion)).toEqual(['6', '7']);
});

test('a watcher that nobody reads is cut off, without what it held', async () => {
  const ended: Watcher[] = [];
  const watcher = aWatcher(ended);
  let offered = 5;
  while (ended.length === 0 && offered < 20_000) watcher.offer(anEvent(++offered));
  expect([ended, offered]).toEqual([[watcher], 10_006]);
  const frames: WatchFrame[] = [];
  for await (const batch of watcher) frames.push(...batch);
  expect(frames).toEqual([]);
});
