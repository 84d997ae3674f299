// Long work of the registry: how much of it is done between two turns of the event loop.
import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { longestSlice } from '../longest-slice.ts';
import type { CachedObject } from '../storage/cached-object.ts';
import type { ObjectSelector } from '../storage/object-selector.ts';
import { compareKeys, SortedMap } from '../storage/sorted-map.ts';
import { Watcher } from '../storage/watcher.ts';
import { MemoryStore } from '../storage/memory.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { collect, conversionCost, keyRange, objectsPerTurn } from './list-page.ts';
import { aContext, aDelete, aKind, aList, aWatch, startRegistry } from './testing.ts';

const { signal } = new AbortController();

/** A selector that counts the objects it is shown and takes none; `isOther`: they are stored in another form than it wants. */
function counting(isOther: boolean): { selector: ObjectSelector; object: CachedObject; looked: () => number } {
  let looked = 0;
  const form = { kind: aKind('pods'), fields: [] };
  const matches = (): boolean => {
    looked++;
    return false;
  };
  const selector = { form, namespace: '', name: undefined, field: undefined, isEverything: false, matches } as unknown as ObjectSelector;
  const object = { form: isOther ? {} : form, as: () => object, key: 'x' } as unknown as CachedObject;
  return { selector, object, looked: () => looked };
}

test.each([
  ['a list with a selector', false, 60_000, objectsPerTurn],
  ['a list of a kind that is stored as another', true, 2_000, objectsPerTurn / conversionCost],
])('%s', async (_name, isOther, count, most) => {
  const { selector, object, looked } = counting(isOther);
  const snapshot = new SortedMap<string, CachedObject>(undefined, compareKeys);
  for (let at = 0; at < count; at++) snapshot.set(`ns/${String(at).padStart(6, '0')}`, object);
  const longest = await longestSlice(looked, () =>
    collect(snapshot, { selector, range: keyRange(''), start: '', limit: undefined }, signal),
  );
  expect(looked()).toBe(count);
  expect(longest).toBeLessThanOrEqual(most);
});

async function filled(count: number): Promise<MemoryStore> {
  const store = new MemoryStore({ clock: new FakeClock() });
  for (let at = 0; at < count; at++) {
    const name = `c-${String(at).padStart(5, '0')}`;
    const object = {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name, namespace: 'default', uid: name },
      data: { x: 'y'.repeat(2_000) },
    };
    await store.put(`/registry/configmaps/default/${name}`, Buffer.from(JSON.stringify(object)), { expectedRevision: 0 }, signal);
  }
  return store;
}

test('deleting a collection, from a store that makes nobody wait', async () => {
  await using store = await filled(1_500);
  let asked = 0;
  const admission = [{ name: 'Counting', validate: () => void asked++ }];
  await using t = await startRegistry({ kinds: builtinKinds, store, admission });
  const kind = aKind('configmaps');
  const longest = await longestSlice(
    () => asked,
    () => t.registry.deleteCollection(kind, aList(), aDelete(), aContext()),
  );
  expect(asked).toBe(1_500);
  expect((await t.registry.list(kind, aList(), aContext())).count).toBe(0);
  expect(longest).toBeLessThanOrEqual(100);
});

test('the beginning of a watch that wants next to nothing, and of one that wants everything', async () => {
  await using store = await filled(2_000);
  await using t = await startRegistry({ kinds: builtinKinds, store });
  const stop = new AbortController();
  let told = 0;
  const frames = await t.registry.watch(aKind('configmaps'), aWatch({ resourceVersion: '0' }), aContext({ signal: stop.signal }));
  const longest = await longestSlice(
    () => told,
    async () => {
      for await (const batch of frames) {
        told += batch.length;
        if (told === 2_000) stop.abort(new Error('the test is over'));
      }
    },
  );
  expect(longest).toBeLessThanOrEqual(500);

  const { selector } = counting(false);
  let looked = 0;
  const initial = (function* (): Generator<'rest'> {
    for (; looked < 10; looked++) yield 'rest';
  })();
  const over = new AbortController();
  const options = { selector, initial, afterRevision: 0, wantsBookmarks: false, endMs: undefined, nowMs: 0, signal: over.signal };
  const watcher = new Watcher({ ...options, onEnd: () => undefined, onTooSlow: () => undefined });
  const slices = await longestSlice(
    () => looked,
    async () => {
      const reading = watcher[Symbol.asyncIterator]().next();
      while (looked < 10) await new Promise((resolve) => setImmediate(resolve));
      over.abort(new Error('the test is over'));
      await reading;
    },
  );
  expect(slices).toBeLessThanOrEqual(2);
});
