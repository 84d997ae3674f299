import { expect, test } from 'vitest';
import { decoded, row } from '../../testing.ts';
import { pod } from './pod.ts';
import { podGraceSeconds } from './strategy.ts';

const nowMs = Date.parse('2026-01-01T01:00:00Z');
const head = 'metadata: {name: web, namespace: a, creationTimestamp: "2026-01-01T00:00:00Z"%}';

function shown(yaml: string): string {
  const cells = row(pod, decoded(pod, yaml), nowMs);
  return `${cells['Ready']} ${cells['Status']} ${cells['Restarts']} ${cells['Age']}`;
}

/** A pod with these statuses; `meta` goes into its metadata. */
function aPod(status: string, { spec = 'containers: [{name: c, image: i}]', meta = '' } = {}): string {
  return `${head.replace('%', meta)}\nspec: {${spec}}\nstatus: {${status}}`;
}

const running = '{name: c, ready: true, restartCount: 0, image: "", imageID: "", state: {running: {}}}';
const withInit = { spec: 'initContainers: [{name: a, image: i}, {name: b, image: i}], containers: [{name: c, image: i}]' };
const withSidecar = { spec: 'initContainers: [{name: s, image: i, restartPolicy: Always}], containers: [{name: c, image: i}]' };

test.each([
  ['pending', aPod('phase: Pending'), '0/1 Pending 0 60m'],
  ['running', aPod(`phase: Running, containerStatuses: [${running}]`), '1/1 Running 0 60m'],
  [
    'crash loop',
    aPod(
      'phase: Running, containerStatuses: [{name: c, ready: false, restartCount: 3, image: "", imageID: "", state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, finishedAt: "2026-01-01T00:55:00Z"}}}]',
    ),
    '0/1 CrashLoopBackOff 3 (5m ago) 60m',
  ],
  [
    'exit code',
    aPod(
      'phase: Failed, containerStatuses: [{name: c, ready: false, restartCount: 0, image: "", imageID: "", state: {terminated: {exitCode: 3}}}]',
    ),
    '0/1 ExitCode:3 0 60m',
  ],
  [
    'signal',
    aPod(
      'phase: Failed, containerStatuses: [{name: c, ready: false, restartCount: 0, image: "", imageID: "", state: {terminated: {exitCode: 137, signal: 9}}}]',
    ),
    '0/1 Signal:9 0 60m',
  ],
  [
    'gated',
    aPod('phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: SchedulingGated}]'),
    '0/1 SchedulingGated 0 60m',
  ],
  ['evicted', aPod('phase: Failed, reason: Evicted'), '0/1 Evicted 0 60m'],
  [
    'init',
    aPod(
      'phase: Pending, initContainerStatuses: [{name: a, ready: true, restartCount: 0, image: "", imageID: "", state: {terminated: {exitCode: 0}}}, {name: b, ready: false, restartCount: 0, image: "", imageID: "", state: {waiting: {reason: PodInitializing}}}]',
      withInit,
    ),
    '0/1 Init:1/2 0 60m',
  ],
  [
    'init fails',
    aPod(
      'phase: Pending, initContainerStatuses: [{name: a, ready: false, restartCount: 2, image: "", imageID: "", state: {terminated: {exitCode: 1, reason: Error}}}]',
      withInit,
    ),
    '0/1 Init:Error 2 60m',
  ],
  [
    'sidecar',
    aPod(
      `phase: Running, initContainerStatuses: [{name: s, ready: true, started: true, restartCount: 1, image: "", imageID: "", state: {running: {}}}], containerStatuses: [${running}]`,
      withSidecar,
    ),
    '2/2 Running 1 60m',
  ],
  [
    'restarts of a sidecar that waits for one that is restarted',
    aPod(
      `phase: Running, conditions: [{type: Initialized, status: "True"}], initContainerStatuses: [{name: a, ready: false, restartCount: 4, image: "", imageID: "", state: {waiting: {reason: CrashLoopBackOff}}}, {name: s, ready: true, started: true, restartCount: 2, image: "", imageID: "", state: {running: {}}}], containerStatuses: [${running}]`,
      { spec: `initContainers: [{name: a, image: i}, {name: s, image: i, restartPolicy: Always}], containers: [{name: c, image: i}]` },
    ),
    '1/2 Init:CrashLoopBackOff 0 60m',
  ],
  [
    'terminating',
    aPod(`phase: Running, containerStatuses: [${running}]`, { meta: ', deletionTimestamp: "2026-01-01T00:59:00Z"' }),
    '1/1 Terminating 0 60m',
  ],
  ['done while going', aPod('phase: Succeeded', { meta: ', deletionTimestamp: "2026-01-01T00:59:00Z"' }), '0/1 Succeeded 0 60m'],
])('%s', (_name, yaml, expected) => {
  expect(shown(yaml)).toBe(expected);
});

test('wide columns', () => {
  const object = decoded(
    pod,
    aPod('podIP: 10.1.0.2, podIPs: [{ip: 10.1.0.2}], conditions: [{type: a/b, status: "True"}]', {
      spec: 'nodeName: n1, readinessGates: [{conditionType: a/b}, {conditionType: c/d}], containers: [{name: c, image: i}]',
    }),
  );
  expect(row(pod, object)).toMatchObject({ IP: '10.1.0.2', Node: 'n1', 'Nominated Node': '<none>', 'Readiness Gates': '1/2' });
  expect(pod.columns?.map(({ name, priority = 0 }) => `${name}${priority === 1 ? '*' : ''}`)).toEqual([
    'Name',
    'Ready',
    'Status',
    'Restarts',
    'Age',
    'IP*',
    'Node*',
    'Nominated Node*',
    'Readiness Gates*',
  ]);
});

test.each([
  ['asked', 'nodeName: n', 'phase: Running', 5, 5],
  ['own', 'nodeName: n, terminationGracePeriodSeconds: 7', 'phase: Running', undefined, 7],
  ['default', 'nodeName: n', 'phase: Running', undefined, 30],
  ['not scheduled', 'terminationGracePeriodSeconds: 7', 'phase: Pending', 5, 0],
  ['ended', 'nodeName: n', 'phase: Failed', 5, 0],
  ['negative', 'nodeName: n', 'phase: Running', -5, 1],
])('grace: %s', (_name, spec, status, asked, expected) => {
  const object = decoded(pod, aPod(status, { spec: `${spec}, containers: [{name: c, image: i}]` }));
  expect(podGraceSeconds(object, asked)).toBe(expected);
});
