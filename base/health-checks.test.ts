import { expect, test } from 'vitest';
import { type HealthCheck, HealthChecks } from './health-checks.ts';
import { readMetrics } from './metric-text.ts';

const plain = { excluded: [], isVerbose: false };

function checksWith(state: { isSynced: true | string }): HealthChecks {
  return new HealthChecks([
    { name: 'ping', on: ['livez', 'readyz'], check: () => true },
    { name: 'poststarthook/x', on: ['readyz'], check: () => Promise.resolve(state.isSynced) },
  ]);
}

test.each<[HealthCheck['on'], Record<string, number>]>([
  [['livez'], { '/healthz': 500, '/livez': 500, '/readyz': 200 }],
  [['readyz'], { '/healthz': 200, '/livez': 200, '/readyz': 500 }],
  [['healthz', 'readyz'], { '/healthz': 500, '/livez': 200, '/readyz': 500 }],
])('a check on %s counts there, and on /healthz where it does on /livez', async (on, wanted) => {
  const checks = new HealthChecks([{ name: 'x', on, check: () => 'broken' }]);
  for (const [path, status] of Object.entries(wanted)) expect((await checks.answer(path, plain)).status, path).toBe(status);
});

test('a failure names the check, and keeps its reason for the page of the check', async () => {
  const checks = checksWith({ isSynced: 'not finished' });
  expect(await checks.answer('/readyz', plain)).toEqual({
    status: 500,
    text: '[+]ping ok\n[-]poststarthook/x failed: reason withheld\nreadyz check failed\n',
  });
  expect(await checks.answer('/readyz/poststarthook/x', plain)).toEqual({ status: 500, text: 'internal server error: not finished\n' });
  expect(await checks.answer('/livez', plain)).toEqual({ status: 200, text: 'ok' });
  expect(await checks.answer('/readyz', { excluded: ['poststarthook/x'], isVerbose: true })).toEqual({
    status: 200,
    text: '[+]ping ok\n[+]poststarthook/x excluded: ok\nreadyz check passed\n',
  });
});

test('pages are those of the checks and nothing else', async () => {
  const checks = checksWith({ isSynced: true });
  expect(checks.paths()).toEqual([
    '/healthz',
    '/healthz/ping',
    '/livez',
    '/livez/ping',
    '/readyz',
    '/readyz/ping',
    '/readyz/poststarthook/x',
  ]);
  expect((await checks.answer('/livez/poststarthook/x', plain)).status).toBe(404);
  expect(checks.owns('/livezz')).toBe(false);
});

test('indicators hold the last result and count all', async () => {
  const state: { isSynced: true | string } = { isSynced: 'no' };
  const checks = checksWith(state);
  expect(checks.text()).toBe('');
  await checks.answer('/readyz', plain);
  state.isSynced = true;
  await checks.answer('/readyz', plain);
  await checks.answer('/readyz/ping', plain);
  const found = readMetrics(checks.text());
  const labels = { name: 'poststarthook/x', type: 'readyz' };
  expect(found.get('kubernetes_healthcheck')).toMatchObject({ type: 'gauge' });
  expect(found.get('kubernetes_healthcheck')?.samples).toContainEqual({ name: 'kubernetes_healthcheck', labels, value: 1 });
  const total = found.get('kubernetes_healthchecks_total')?.samples.map(({ labels: { name, status }, value }) => [name, status, value]);
  expect(total).toEqual([
    ['ping', 'success', 2],
    ['poststarthook/x', 'error', 1],
    ['poststarthook/x', 'success', 1],
  ]);
});
