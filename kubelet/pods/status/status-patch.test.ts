import { expect, test } from 'vitest';
import type { V1PodStatus } from '#api/generated/types.ts';
import { statusPatch } from './status-patch.ts';

const present: V1PodStatus = {
  phase: 'Pending',
  reason: 'Old',
  nominatedNodeName: 'of the scheduler',
  podIPs: [{ ip: '10.0.0.1' }],
  conditions: [
    { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm' },
    { type: 'Initialized', status: 'True' },
    { type: 'PodScheduled', status: 'True' },
    { type: 'example.com/gate', status: 'True' },
  ],
};

test('nothing to say', () => expect(statusPatch('u', present, structuredClone(present))).toBeUndefined());

test('only what differs, conditions by type, lists as a whole', () => {
  const wanted: V1PodStatus = {
    phase: 'Running',
    podIPs: [{ ip: '10.0.0.2' }],
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Initialized', status: 'True' },
    ],
  };
  expect(statusPatch('u', present, wanted)).toEqual({
    metadata: { uid: 'u' },
    status: {
      phase: 'Running',
      reason: null,
      podIPs: [{ ip: '10.0.0.2' }, { $patch: 'delete', ip: '10.0.0.1' }],
      conditions: [
        { reason: null, message: null, type: 'Ready', status: 'True' },
        { $patch: 'delete', type: 'PodScheduled' },
      ],
    },
  });
});
