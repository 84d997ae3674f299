import { expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { V1Taint } from '#api/generated/types.ts';
import type { Machine } from '../cloud/contract.ts';
import { type LifecyclePlan, planLifecycle, planUnready, shutdownTaint } from './lifecycle-plan.ts';
import { uninitializedTaint } from './plan.ts';

const nowMs = Date.UTC(2026, 0, 1);
const shutdown: V1Taint = { key: shutdownTaint, effect: 'NoSchedule' };
const fresh: V1Taint = { key: uninitializedTaint, value: 'true', effect: 'NoSchedule' };
const other: V1Taint = { key: 'a', effect: 'NoExecute' };

function aNode(ready: string | undefined, taints: V1Taint[] = [], providerID = 'plain://n1', ageSeconds = 600): Node {
  const conditions = ready === undefined ? [] : [{ type: 'Ready', status: ready }];
  return {
    metadata: { name: 'n1', creationTimestamp: new Date(nowMs - ageSeconds * 1_000).toISOString() },
    spec: { taints, ...(providerID === '' ? {} : { providerID }) },
    status: { conditions: conditions as NonNullable<Node['status']>['conditions'] & object },
  };
}

test.each<[what: string, node: Node, expected: LifecyclePlan]>([
  ['one that is ready is let be', aNode('True', [other]), { kind: 'keep' }],
  ['and is shut down no more', aNode('True', [shutdown, other]), { kind: 'taint', taints: [other] }],
  ['for one that is not, its machine is asked for', aNode('False'), { kind: 'ask' }],
  ['also for one that is silent', aNode('Unknown'), { kind: 'ask' }],
  ['or never said a word', aNode(undefined), { kind: 'ask' }],
  ['one that is not initialised has a minute', aNode('False', [fresh], '', 20), { kind: 'wait', ms: 40_000 }],
  ['and no more', aNode('False', [fresh], '', 60), { kind: 'ask' }],
  ['unless its machine is known', aNode('False', [fresh], 'plain://n1', 20), { kind: 'ask' }],
])('%s', (_what, node, expected) => {
  expect(planLifecycle(node, nowMs)).toEqual(expected);
});

const machine: Machine = { providerId: 'plain://n1', state: 'running', addresses: [], instanceType: '', zone: '', region: '', labels: {} };
const off: Machine = { ...machine, state: 'shut-down' };

test.each<[what: string, node: Node, machine: Machine | undefined, expected: LifecyclePlan]>([
  ['a node without a machine goes', aNode('Unknown'), undefined, { kind: 'delete' }],
  ['once', { ...aNode('Unknown'), metadata: { deletionTimestamp: 'x' } }, undefined, { kind: 'keep' }],
  ['one that runs is asked for again', aNode('Unknown'), machine, { kind: 'wait', ms: 5_000 }],
  ['one that is shut down gets no pods', aNode('Unknown', [other]), off, { kind: 'taint', taints: [other, shutdown] }],
  ['which is said once', aNode('Unknown', [shutdown]), off, { kind: 'wait', ms: 5_000 }],
])('%s', (_what, node, found, expected) => {
  expect(planUnready(node, found, 5_000)).toEqual(expected);
});
