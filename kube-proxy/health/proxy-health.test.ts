import { expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { ProxyHealth, type ProxyHealthDeps } from './proxy-health.ts';

const clock = new FakeClock(Date.UTC(2026, 0, 2, 3, 4, 5));
const now = '2026-01-02 03:04:05.000 +0000 UTC';
const aHealth = (change: Partial<ProxyHealthDeps> = {}): ProxyHealth =>
  new ProxyHealth({
    behindSinceMs: () => undefined,
    lastAppliedMs: () => clock.nowMs() - 3_600_000,
    node: () => undefined,
    clock,
    ...change,
  });
const going = { metadata: { name: 'n1' }, spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] } } as Node;
const deleted = { metadata: { name: 'n1', deletionTimestamp: '2026-01-02T03:00:00Z' }, spec: {} } as Node;

test.each<[string, Partial<ProxyHealthDeps>, number, string]>([
  ['all is well', {}, 200, `{"lastUpdated": "${now}", "currentTime": "${now}", "nodeEligible": true}`],
  [
    'before the first rules',
    { lastAppliedMs: () => undefined },
    503,
    `{"lastUpdated": "0001-01-01 00:00:00 +0000 UTC", "currentTime": "${now}", "nodeEligible": true}`,
  ],
  ['a moment behind', { behindSinceMs: () => clock.monotonicMs() - 59_999 }, 200, `"lastUpdated": "${now}"`],
  ['stuck', { behindSinceMs: () => clock.monotonicMs() - 60_000 }, 503, '"lastUpdated": "2026-01-02 02:04:05.000 +0000 UTC"'],
  ['the node is about to go', { node: () => going }, 503, '"nodeEligible": false'],
  ['the node is being deleted', { node: () => deleted }, 503, '"nodeEligible": false'],
])('healthz: %s', (_name, change, status, text) => {
  expect(aHealth(change).healthz()).toEqual({ status, text: expect.stringContaining(text), contentType: 'application/json' });
});

test('livez does not ask about the node', () => {
  expect(aHealth({ node: () => going }).livez()).toMatchObject({ status: 200, text: expect.not.stringContaining('nodeEligible') });
});

test('a proxy that is about to end says so, and works on', () => {
  const health = aHealth();
  health.leave();
  expect(health.healthz()).toMatchObject({ status: 503, text: expect.stringContaining('"nodeEligible": false') });
  expect(health.livez()).toMatchObject({ status: 200 });
  expect([health.isHealthy, health.takesTraffic, health.isLeaving]).toEqual([true, false, true]);
});
