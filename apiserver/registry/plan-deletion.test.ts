// Cases of upstream's tests of its generic store (TestMarkAsDeleting, TestStoreDeleteWithOrphanDependents, TestStoreDeletionPropagation) and of
// its rules for graceful deletion (TestBeforeDelete).
import { describe, expect, test } from 'vitest';
import type { KubeObject, ObjectMeta } from '#api/meta/object.ts';
import type { DeleteRequest } from './contract.ts';
import { planDeletion } from './plan-deletion.ts';
import { aDelete, aKind } from './testing.ts';

const kind = aKind('configmaps');
const nowMs = Date.UTC(2026, 0, 1, 12);
const at = (seconds: number): string => `${new Date(nowMs + seconds * 1_000).toISOString().slice(0, 19)}Z`;
const plan = (metadata: ObjectMeta, request: Partial<DeleteRequest> = {}, of = kind) =>
  planDeletion(of, { metadata } as KubeObject, aDelete(request), nowMs);

describe('the mark', () => {
  const held = { name: 'a', finalizers: ['x.io/y'] };

  test.each<[string, ObjectMeta, Partial<ObjectMeta>]>([
    ['is set', held, { deletionTimestamp: at(0) }],
    ['comes from the future to now', { ...held, deletionTimestamp: at(60) }, { deletionTimestamp: at(0) }],
    ['stays in the past', { ...held, deletionTimestamp: at(-60) }, { deletionTimestamp: at(-60) }],
    ['raises the generation', { ...held, generation: 3 }, { deletionTimestamp: at(0), generation: 4 }],
    ['raises it once', { ...held, generation: 3, deletionTimestamp: at(-60) }, { deletionTimestamp: at(-60), generation: 3 }],
  ])('%s', (_name, before, after) => {
    expect(plan(before)).toMatchObject({ do: 'mark', thenRemove: false, metadata: { ...after, deletionGracePeriodSeconds: 0 } });
  });
});

describe('finalizers of the garbage collector', () => {
  const [orphan, foreground, own] = ['orphan', 'foregroundDeletion', 'test.com/x'];
  const orphaning = { ...kind, defaultPropagation: 'Orphan' } as const;

  test.each<[string, string[], Partial<DeleteRequest>, typeof kind, string[] | 'removed']>([
    ['orphanDependents on nothing', [], { orphanDependents: true }, kind, [orphan]],
    ['orphanDependents on its own finalizer', [orphan], { orphanDependents: true }, kind, [orphan]],
    ['orphanDependents on another', [own], { orphanDependents: true }, kind, [own, orphan]],
    ['orphanDependents on the opposite', [own, foreground], { orphanDependents: true }, kind, [own, orphan]],
    ['no orphanDependents on nothing', [], { orphanDependents: false }, kind, 'removed'],
    ['no orphanDependents on orphan', [orphan], { orphanDependents: false }, kind, 'removed'],
    ['no orphanDependents on another', [own], { orphanDependents: false }, kind, [own]],
    ['no orphanDependents on orphan and another', [own, orphan], { orphanDependents: false }, kind, [own]],
    ['nothing on nothing', [], {}, kind, 'removed'],
    ['nothing on another', [own], {}, kind, [own]],
    ['nothing on orphan', [own, orphan], {}, kind, [own, orphan]],
    ['nothing on nothing, where orphans are usual', [], {}, orphaning, [orphan]],
    ['nothing on another, where orphans are usual', [own], {}, orphaning, [own, orphan]],
    ['nothing on foreground, where orphans are usual', [foreground], {}, orphaning, [foreground]],
    ['no orphanDependents, where orphans are usual', [], { orphanDependents: false }, orphaning, 'removed'],
    ['Background, where orphans are usual', [orphan], { propagationPolicy: 'Background' }, orphaning, 'removed'],
    ['Foreground on nothing', [], { propagationPolicy: 'Foreground' }, kind, [foreground]],
    ['Foreground on foreground', [foreground], { propagationPolicy: 'Foreground' }, kind, [foreground]],
    ['Foreground on orphan', [own, orphan], { propagationPolicy: 'Foreground' }, kind, [own, foreground]],
    ['Orphan on foreground', [foreground], { propagationPolicy: 'Orphan' }, kind, [orphan]],
    ['Background on foreground', [foreground, own], { propagationPolicy: 'Background' }, kind, [own]],
  ])('%s', (_name, finalizers, request, of, expected) => {
    const { do: what, metadata } = {
      metadata: undefined,
      ...plan({ name: 'a', ...(finalizers.length === 0 ? {} : { finalizers }) }, request, of),
    };
    expect(what === 'remove' ? 'removed' : metadata?.finalizers).toEqual(expected);
  });
});

describe('the grace of what is going already', () => {
  const pods = aKind('pods');
  /** What a period of so many seconds becomes when asked for one of `wanted`; a mark that is as it was is none. */
  test.each<[was: number, wanted: number, becomes: number | 'as it was' | 'removed']>([
    [-1, -1, 'as it was'],
    [-1, 0, 0],
    [-1, 1, 'as it was'],
    [-1, 2, 'as it was'],
    [0, -1, 'removed'],
    [0, 0, 'removed'],
    [0, 2, 'removed'],
    [1, -1, 'as it was'],
    [1, 0, 0],
    [1, 1, 'as it was'],
    [1, 2, 'as it was'],
    [2, -1, 1],
    [2, 0, 0],
    [2, 1, 1],
    [2, 2, 'as it was'],
  ])('of %d s, asked for %d', (was, gracePeriodSeconds, becomes) => {
    const before = { name: 'a', deletionTimestamp: at(was), deletionGracePeriodSeconds: was };
    const planned = plan(before, { gracePeriodSeconds }, pods);
    if (becomes === 'removed') return expect(planned).toEqual({ do: 'remove' });
    if (becomes === 'as it was') return expect(planned).toEqual({ do: 'nothing' });
    expect(planned).toMatchObject({ do: 'mark', thenRemove: becomes === 0, metadata: { deletionGracePeriodSeconds: becomes } });
  });

  test.each([
    [50, 1],
    [0, 0],
  ])('is not moved into the past: %d s', (gracePeriodSeconds, deletionGracePeriodSeconds) => {
    const before = { name: 'a', deletionTimestamp: at(-60), deletionGracePeriodSeconds: 60 };
    expect(plan(before, { gracePeriodSeconds }, pods)).toMatchObject({
      metadata: { deletionTimestamp: at(0), deletionGracePeriodSeconds },
    });
  });
});
