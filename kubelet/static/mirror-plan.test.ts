import { expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import { type MirrorView, planMirrors } from './mirror-plan.ts';

const node = { metadata: { name: 'n', uid: 'node-uid' } };
const aStatic = (name: string, hash = 'h1'): Pod => ({
  metadata: { name, namespace: 'ns', uid: hash, annotations: { 'kubernetes.io/config.hash': hash } },
  spec: { containers: [] },
});
const aMirror = (name: string, hash = 'h1', rest: object = {}): Pod => ({
  metadata: { name, namespace: 'ns', uid: `mirror-${name}`, annotations: { 'kubernetes.io/config.mirror': hash }, ...rest },
  spec: { containers: [] },
});

const a = aStatic('a');
test.each<[string, Partial<MirrorView>, string[]]>([
  ['none of anything', {}, []],
  ['one is missing', { statics: [a] }, ['create a']],
  ['one is there', { statics: [a], mirrors: [aMirror('a')] }, []],
  ['one shows what was', { statics: [a], mirrors: [aMirror('a', 'h0')] }, ['delete a']],
  ['one is being deleted', { statics: [a], mirrors: [aMirror('a', 'h1', { deletionTimestamp: 'now' })] }, ['delete a']],
  ['our node is not known', { statics: [a], node: undefined }, []],
  ['our node is not registered', { statics: [a], node: { metadata: { name: 'n' } } }, []],
  ['our node is being deleted', { statics: [a], node: { metadata: { ...node.metadata, deletionTimestamp: 'now' } } }, []],
  ['one shows nothing', { mirrors: [aMirror('a')] }, ['delete a']],
  ['one shows nothing that is known yet', { mirrors: [aMirror('a')], hasSynced: false }, []],
  ['one shows a pod that is on its way out', { mirrors: [aMirror('a')], kept: new Set(['a_ns']) }, []],
  ['one belongs to another namespace', { statics: [a], mirrors: [aMirror('a', 'h1', { namespace: 'other' })] }, ['delete a', 'create a']],
])('%s', (_, given, expected) => {
  const statics = given.statics ?? [];
  const kept = new Set(statics.map(({ metadata }) => `${metadata.name}_${metadata.namespace}`));
  const steps = planMirrors({ statics, kept, mirrors: [], node, hasSynced: true, ...given });
  expect(steps.map((step) => `${step.do} ${step.mirror.metadata.name}`)).toEqual(expected);
});
