import { describe, expect, test } from 'vitest';
import type { KubeObject } from '#api/meta/object.ts';
import { byOwner, ObjectStore } from './object-store.ts';

interface Thing extends KubeObject {
  color?: string;
}

function thing(namespace: string, name: string, color = '', owners: string[] = []): Thing {
  const ownerReferences = owners.map((uid) => ({ apiVersion: 'v1', kind: 'Boat', name: uid, uid }));
  return { metadata: { namespace, name, ...(owners.length === 0 ? {} : { ownerReferences }) }, color };
}

const names = (things: readonly Thing[]): string[] => things.map((one) => one.metadata.name ?? '').sort();

describe('ObjectStore', () => {
  test('finds by key, namespace, owner and own index, and follows changes', () => {
    const store = new ObjectStore<Thing>({ color: (one) => (one.color === '' ? [] : [one.color ?? '']) });
    store.put(thing('a', 'one', 'red', ['u1']));
    store.put(thing('a', 'two', 'red', ['u1', 'u2']));
    store.put(thing('b', 'one', 'blue'));
    expect(store.get({ namespace: 'b', name: 'one' })?.color).toBe('blue');
    expect(names(store.list('a'))).toEqual(['one', 'two']);
    expect(names(store.list())).toEqual(['one', 'one', 'two']);
    expect(names(store.byIndex(byOwner, 'u1'))).toEqual(['one', 'two']);
    expect(names(store.byIndex('color', 'red'))).toEqual(['one', 'two']);

    const previous = store.put(thing('a', 'two', 'blue', ['u2']));
    expect(previous?.color).toBe('red');
    expect(names(store.byIndex('color', 'red'))).toEqual(['one']);
    expect(names(store.byIndex('color', 'blue'))).toEqual(['one', 'two']);
    expect(names(store.byIndex(byOwner, 'u1'))).toEqual(['one']);

    expect(store.remove('a/two')?.color).toBe('blue');
    expect(names(store.byIndex(byOwner, 'u2'))).toEqual([]);
    expect(store.remove('a/two')).toBeUndefined();
    expect(store.size).toBe(2);
  });

  test('an index answers the newest object', () => {
    const store = new ObjectStore<Thing>();
    store.put(thing('a', 'one', 'red', ['u1']));
    store.put(thing('a', 'one', 'green', ['u1']));
    expect(store.byIndex(byOwner, 'u1').map((one) => one.color)).toEqual(['green']);
  });

  test('an unknown index is refused', () => {
    expect(() => new ObjectStore<Thing>().byIndex('size', 'big')).toThrow('no index "size"');
  });
});
