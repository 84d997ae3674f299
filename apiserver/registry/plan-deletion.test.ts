// Cases of upstream's tests of its generic store (TestMarkAsDeleting, TestStoreDeleteWithOrphanDependents, TestStoreDeletionPropagation).
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
