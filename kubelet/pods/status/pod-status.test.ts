import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1ContainerStatus, V1PodStatus } from '#api/generated/types.ts';
import type { RuntimePod } from '../../runtime/contract.ts';
import { aContainer, aPod, aSandbox, observed, seen } from '../testing.ts';
import { phaseOf } from './phase.ts';
import { podStatus, type StatusView } from './pod-status.ts';

const nowMs = Date.UTC(2026, 0, 1);
const now = '2026-01-01T00:00:00Z';

function view(pod: Pod, runtime: RuntimePod | undefined, rest: Partial<StatusView> = {}): StatusView {
  const running = (runtime?.containers ?? []).filter(({ state }) => state === 'running').map(({ id }) => id);
  return {
    pod,
    observed: runtime,
    reasons: new Map(),
    messages: new Map(),
    started: new Set(running),
    ready: new Set(running),
    isEnding: false,
    isTerminated: false,
    runtimeName: 'docker',
    previous: pod.status ?? {},
    hostIps: ['192.168.7.1'],
    verdict: undefined,
    nowMs,
    ...rest,
  };
}
const status = (pod: Pod, runtime: RuntimePod | undefined, rest: Partial<StatusView> = {}): V1PodStatus =>
  podStatus(view(pod, runtime, rest));
const first = (made: V1PodStatus): V1ContainerStatus | undefined => made.containerStatuses?.[0];
const conditions = (made: V1PodStatus): Record<string, string> =>
  Object.fromEntries(
    (made.conditions ?? []).map(({ type, status: value, reason }) => [type, reason === undefined ? value : `${value} ${reason}`]),
  );
const withInit = aPod({ initContainers: [aContainer('i')] });

describe('phases', () => {
  const never = aPod({ restartPolicy: 'Never' });
  const onFailure = aPod({ restartPolicy: 'OnFailure' });
  const rule = { action: 'Restart', exitCodes: { operator: 'In', values: [42] } };
  const own = (rest: Parameters<typeof aContainer>[1], restartPolicy = 'Never'): Pod =>
    aPod({ restartPolicy, containers: [aContainer('c', rest)] });
  test.each<[phase: string, name: string, pod: Pod, runtime: RuntimePod | undefined, rest?: Partial<StatusView>]>([
    ['Pending', 'nothing yet', aPod(), undefined],
    ['Running', 'running', aPod(), observed([seen('c', 'running')])],
    ['Running', 'ended, will restart', aPod(), observed([seen('c', 0)])],
    ['Running', 'crash loop', aPod(), observed([seen('c', 1)]), { reasons: new Map([['c', { reason: 'CrashLoopBackOff', message: '' }]]) }],
    ['Succeeded', 'Never, 0', never, observed([seen('c', 0)])],
    ['Failed', 'Never, 1', never, observed([seen('c', 1)])],
    ['Succeeded', 'OnFailure, 0', onFailure, observed([seen('c', 0)])],
    ['Running', 'OnFailure, 1', onFailure, observed([seen('c', 1)])],
    ['Pending', 'init runs', withInit, observed([seen('i', 'running')])],
    ['Pending', 'init failed, will restart', withInit, observed([seen('i', 1)])],
    ['Failed', 'init failed, Never', { ...withInit, spec: { ...withInit.spec, restartPolicy: 'Never' } }, observed([seen('i', 1)])],
    ['Failed', 'terminated by a signal', aPod(), observed([seen('c', 143)]), { isTerminated: true, isEnding: true }],
    ['Succeeded', 'terminated well', aPod(), observed([seen('c', 0)]), { isTerminated: true, isEnding: true }],
    ['Failed', 'terminated before it ran', aPod(), undefined, { isTerminated: true, isEnding: true }],
    ['Failed', 'rejected', aPod(), undefined, { verdict: { reason: 'OutOfcpu', message: 'm' } }],
    ['Running', 'Never, but its own policy is Always', own({ restartPolicy: 'Always' }), observed([seen('c', 1)])],
    ['Running', 'Never, but its own policy is OnFailure', own({ restartPolicy: 'OnFailure' }), observed([seen('c', 1)])],
    ['Succeeded', 'Never, its own policy is OnFailure, 0', own({ restartPolicy: 'OnFailure' }), observed([seen('c', 0)])],
    ['Running', 'Never, but a rule of its own', own({ restartPolicy: 'Never', restartPolicyRules: [rule] }), observed([seen('c', 42)])],
    [
      'Failed',
      'Never, a rule of its own for another end',
      own({ restartPolicy: 'Never', restartPolicyRules: [rule] }),
      observed([seen('c', 1)]),
    ],
    ['Failed', 'Always, but its own policy is Never', own({ restartPolicy: 'Never' }, 'Always'), observed([seen('c', 1)])],
    [
      'Pending',
      'init failed, Never, but a rule of its own',
      aPod({ restartPolicy: 'Never', initContainers: [aContainer('i', { restartPolicy: 'Never', restartPolicyRules: [rule] })] }),
      observed([seen('i', 42)]),
    ],
    [
      'Failed',
      'init failed, Always, but its own policy is Never',
      aPod({ initContainers: [aContainer('i', { restartPolicy: 'Never' })] }),
      observed([seen('i', 1)]),
    ],
    ['Succeeded', 'over stays over', aPod({}, { status: { phase: 'Succeeded' } }), observed([seen('c', 'running')])],
  ])('%s: %s', (phase, _, pod, runtime, rest = {}) => expect(status(pod, runtime, rest).phase).toBe(phase));

  test('a sidecar that runs keeps a pod from Pending only once its containers have run', () => {
    const pod = aPod({ initContainers: [aContainer('s', { restartPolicy: 'Always' })] });
    const running = { running: {} };
    const base = { image: '', imageID: '', ready: true, restartCount: 0 };
    const sidecar: V1ContainerStatus = { ...base, name: 's', started: false, state: running };
    expect(phaseOf(pod, [sidecar, { ...base, name: 'c', state: { waiting: {} } }], false)).toBe('Pending');
    expect(phaseOf(pod, [sidecar, { ...base, name: 'c', state: running }], false)).toBe('Running');
  });
});

describe('container statuses', () => {
  test('running', () => {
    const made = status(aPod(), observed([seen('c', 'running')]));
    expect(first(made)).toEqual({
      name: 'c',
      image: 'app',
      imageID: 'sha256:1',
      containerID: 'docker://c-0',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: '1970-01-01T00:00:01Z' } },
      lastState: {},
      resources: {},
    });
    expect(made).toMatchObject({
      podIP: '10.244.0.9',
      podIPs: [{ ip: '10.244.0.9' }],
      hostIP: '192.168.7.1',
      startTime: now,
      observedGeneration: 1,
    });
    expect(conditions(made)).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    });
  });

  test('not made yet', () => {
    const made = status(aPod(), undefined);
    expect(first(made)).toMatchObject({
      state: { waiting: { reason: 'ContainerCreating' } },
      ready: false,
      started: false,
      restartCount: 0,
    });
    expect(conditions(made)).toMatchObject({ PodReadyToStartContainers: 'False', Ready: 'False ContainersNotReady' });
    expect(made.conditions?.find(({ type }) => type === 'Ready')?.message).toBe('containers with unready status: [c]');
    const behind = status(withInit, observed([seen('i', 'running')]));
    expect(first(behind)?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
    expect(conditions(behind)['Initialized']).toBe('False ContainersNotInitialized');
  });

  test('crash loop: waits, and shows how it ended', () => {
    const reasons = new Map([['c', { reason: 'CrashLoopBackOff', message: 'back-off' }]]);
    const made = first(status(aPod(), observed([seen('c', 1, { attempt: 2 })]), { reasons, messages: new Map([['c-2', 'last words']]) }));
    expect(made?.state).toEqual({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } });
    expect(made?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: 'Error', message: 'last words', containerID: 'docker://c-2' });
    expect(made?.restartCount).toBe(2);
  });

  test('the one before is the last state', () => {
    const made = first(status(aPod(), observed([seen('c', 'running', { attempt: 1 }), seen('c', 137)])));
    expect(made).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137 } }, state: { running: {} } });
  });

  test('one that ran and cannot be found', () => {
    const known = {
      name: 'c',
      image: 'app',
      imageID: 'x',
      ready: true,
      restartCount: 3,
      state: { running: {} },
      containerID: 'docker://y',
    };
    const made = first(status(aPod({}, { status: { phase: 'Running', containerStatuses: [known] } }), observed([])));
    expect(made?.restartCount).toBe(4);
    expect(made?.lastState?.terminated).toMatchObject({ reason: 'ContainerStatusUnknown', exitCode: 137 });
  });

  test('one that ended and was removed shows its end until its successor is on its way', () => {
    const base = { image: 'app', imageID: 'x', ready: false, restartCount: 1 };
    const [gone, done] = [1, 0].map((exitCode) => ({ ...base, name: exitCode === 1 ? 'c' : 'd', state: { terminated: { exitCode } } }));
    const spec = { restartPolicy: 'Never', containers: [aContainer('c'), aContainer('d')] };
    const pod = aPod(spec, { status: { phase: 'Running', containerStatuses: [gone, done] as V1ContainerStatus[] } });
    const made = status(pod, observed([seen('d', 0)]));
    expect(first(made)).toMatchObject({ state: { terminated: { exitCode: 1 } }, restartCount: 1 });
    expect(made.phase).toBe('Failed');
    const reasons = new Map([['c', { reason: 'ErrImagePull', message: 'no' }]]);
    const state = { waiting: { reason: 'ErrImagePull', message: 'no' } };
    expect(first(status(pod, observed([seen('d', 0)]), { reasons }))).toMatchObject({ state, lastState: { terminated: { exitCode: 1 } } });
  });

  test.each<[name: string, known: Partial<V1ContainerStatus>, lastState: V1ContainerStatus['lastState']]>([
    [
      'it had ended',
      { restartCount: 1, containerID: 'docker://c-1', state: { terminated: { exitCode: 3 } } },
      { terminated: { exitCode: 3 } },
    ],
    ['it waited', { restartCount: 1, state: { waiting: {} }, lastState: { terminated: { exitCode: 4 } } }, { terminated: { exitCode: 4 } }],
    ['it is itself', { restartCount: 2, containerID: 'docker://c-2', state: { terminated: { exitCode: 5 } } }, {}],
    ['it ran', { restartCount: 1, containerID: 'docker://c-1', state: { running: {} } }, {}],
  ])('the one before was removed, when %s', (_, known, lastState) => {
    const containerStatuses = [{ name: 'c', image: 'app', imageID: 'x', ready: true, restartCount: 0, ...known }];
    const pod = aPod({}, { status: { phase: 'Running', containerStatuses } });
    expect(first(status(pod, observed([seen('c', 'running', { attempt: 2 })])))?.lastState).toEqual(lastState);
  });

  test.each(['running', 1, 'created'] as const)(
    'an init container that cannot be found was done, once a container is there (%s)',
    (state) => {
      const known = {
        name: 'i',
        image: 'app',
        imageID: 'x',
        ready: false,
        restartCount: 0,
        state: { running: {} },
        containerID: 'docker://y',
      };
      const spec = { initContainers: [aContainer('i'), aContainer('s', { restartPolicy: 'Always' })], restartPolicy: 'Never' };
      const pod = aPod(spec, { status: { phase: 'Pending', initContainerStatuses: [known] } });
      const [init, sidecar] = status(pod, observed([seen('c', state)])).initContainerStatuses ?? [];
      const message =
        'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally';
      expect(init).toMatchObject({ ready: true, state: { terminated: { reason: 'Completed', message, exitCode: 0 } } });
      expect(sidecar?.state?.waiting?.reason).toBe('PodInitializing');
      expect(status(pod, observed([])).initContainerStatuses?.[0]?.state?.waiting?.reason).toBe('PodInitializing');
    },
  );

  test('readiness and startup', () => {
    const runtime = observed([seen('c', 'running')]);
    expect(first(status(aPod(), runtime, { ready: new Set() }))).toMatchObject({ started: true, ready: false });
    expect(first(status(aPod(), runtime, { started: new Set() }))).toMatchObject({ started: false, ready: false });
  });

  test('init containers are ready once they succeeded', () => {
    const made = status(withInit, observed([seen('c', 'running'), seen('i', 0)]));
    expect(made.initContainerStatuses?.[0]).toMatchObject({ ready: true, started: false, state: { terminated: { reason: 'Completed' } } });
  });
});

describe('keeping', () => {
  test('transition times and the conditions of others', () => {
    const previous = status(aPod(), observed([seen('c', 'running')]), { nowMs: 0 });
    const own = { type: 'example.com/gate', status: 'True' };
    const pod = aPod({}, { status: { ...previous, conditions: [...(previous.conditions ?? []), own] } });
    const made = status(pod, observed([seen('c', 'running')]), { ready: new Set() });
    const at = (type: string): string | undefined => made.conditions?.find((one) => one.type === type)?.lastTransitionTime;
    expect(at('Initialized')).toBe('1970-01-01T00:00:00Z');
    expect(at('Ready')).toBe(now);
    expect(made.conditions).toContainEqual(own);
    expect(made.startTime).toBe('1970-01-01T00:00:00Z');
  });

  test('the address of a pod that has ended', () => {
    const pod = aPod({ restartPolicy: 'Never' }, { status: { podIPs: [{ ip: '10.244.0.9' }] } });
    const made = status(pod, observed([seen('c', 0)], [aSandbox(0, { state: 'notReady', ips: [] })]), { isTerminated: true });
    expect(made.podIP).toBe('10.244.0.9');
    expect(conditions(made)).toMatchObject({
      Ready: 'False PodCompleted',
      Initialized: 'True PodCompleted',
      PodReadyToStartContainers: 'False',
    });
  });
});

test('readiness gates', () => {
  const pod = aPod({ readinessGates: [{ conditionType: 'example.com/gate' }] });
  const made = status(pod, observed([seen('c', 'running')]));
  expect(made.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: 'corresponding condition of pod readiness gate "example.com/gate" does not exist.',
  });
});

test('a rejected pod says nothing about containers', () => {
  const made = status(aPod(), undefined, { verdict: { reason: 'OutOfcpu', message: 'Pod was rejected: …' } });
  expect(made).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu', message: 'Pod was rejected: …' });
  expect(made.containerStatuses).toBeUndefined();
});

test('a pod that ends before its containers began says so of them, once nothing held them up any more', () => {
  const verdict = { reason: 'Evicted', message: 'The node was low on resource: ephemeral-storage.' };
  const ended = { isTerminated: true, verdict };
  const reasons = new Map([['c', { reason: 'CreateContainerError', message: 'no space left on device' }]]);
  const lost = { terminated: { reason: 'ContainerStatusUnknown', exitCode: 137 } };
  expect(first(status(aPod(), observed([]), { ...ended, reasons }))).toMatchObject({ state: lost });
  expect(first(status(withInit, observed([seen('i', 0)]), ended))).toMatchObject({ state: lost });
  expect(first(status(withInit, observed([seen('i', 1)]), ended))?.state?.waiting).toBeDefined();
  expect(first(status(aPod(), observed([seen('c', 3)]), ended))?.state?.terminated?.exitCode).toBe(3);
});

test.each<[name: string, runtime: RuntimePod, known: string[]]>([
  ['the first, where none had begun', observed([]), ['i lost', 'j PodInitializing', 's PodInitializing']],
  ['up to the last that had begun', observed([seen('j', 1)]), ['i lost', 'j 1', 's PodInitializing']],
  ['a sidecar that was made only', observed([seen('s', 'created'), seen('j', 0), seen('i', 0)]), ['i 0', 'j 0', 's ']],
])('a pod that ends before it was initialised says of its init containers that they failed: %s', (_, runtime, known) => {
  const initContainers = [aContainer('i'), aContainer('j'), aContainer('s', { restartPolicy: 'Always' })];
  const made = status(aPod({ initContainers }), runtime, { isTerminated: true, isEnding: true });
  const brief = ({ name, state }: V1ContainerStatus): string => {
    const { terminated, waiting } = state ?? {};
    if (terminated === undefined) return `${name} ${waiting?.reason ?? ''}`;
    return terminated.reason === 'ContainerStatusUnknown' ? `${name} lost` : `${name} ${terminated.exitCode}`;
  };
  expect(made.initContainerStatuses?.map(brief)).toEqual(known);
  expect(first(made)?.state?.waiting?.reason).toBe('PodInitializing');
});

test('a pod that asks for amounts as a whole shows what was set aside for it, and what it has', () => {
  const [small, large] = [{ cpu: '1' }, { cpu: '2' }];
  const pod = aPod({ resources: { requests: large, limits: large } });
  const running = observed([seen('c', 'running')]);
  expect(status(pod, running)).toMatchObject({ allocatedResources: large, resources: { requests: large, limits: large } });
  const progress = { generation: 2, error: undefined };
  const before = { resources: { requests: small, limits: small } };
  expect(status(pod, running, { previous: before, resize: { pending: undefined, progress } })).toMatchObject({
    allocatedResources: large,
    ...before,
  });
  expect(status(aPod(), running)).not.toHaveProperty('resources');
});
