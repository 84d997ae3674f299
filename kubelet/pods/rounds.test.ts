import { expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1ContainerRestartRule } from '#api/generated/types.ts';
import type { ContainerStatus, RuntimePod } from '../runtime/contract.ts';
import { roundAnnotation } from '../runtime/labels.ts';
import { planPod, type PlanView, type Step } from './plan.ts';
import { isTurning, roundOf } from './rounds.ts';
import { podStatus, type StatusView } from './status/pod-status.ts';
import { aContainer, aPod, aSandbox, observed, seen } from './testing.ts';

const nowMs = 100_000;
const rule: V1ContainerRestartRule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } };
const trigger = aContainer('t', { restartPolicy: 'Never', restartPolicyRules: [rule] });
const pod = aPod({ restartPolicy: 'Never', initContainers: [aContainer('i')], containers: [aContainer('c'), trigger] });
const dead = aSandbox(0, { state: 'notReady', ips: [] });

/** As seen, but made in this round. */
const made = (round: number, one: ContainerStatus): ContainerStatus => ({ ...one, annotations: { [roundAnnotation]: String(round) } });

function plan(runtime: RuntimePod, rest: Partial<PlanView> = {}, of: Pod = pod): string[] {
  const started = new Set(runtime.containers.map(({ id }) => id));
  const given = { pod: of, observed: runtime, unhealthy: new Map(), started, unstartable: new Set<string>(), histories: new Map() };
  const planned = planPod({ ...given, isPrepared: true, notBefore: new Map(), nowMs, ...rest });
  return [...planned.steps.map(brief), ...planned.waiting.map(({ name, delayMs }) => `${name} waits ${delayMs}`)];
}
function brief(step: Step): string {
  if (step.do === 'startContainer') return `start ${step.name}.${step.attempt} in round ${step.round}`;
  if (step.do === 'stopContainer') return `stop ${step.id} in ${step.why.graceMs} ms`;
  return step.do;
}

const initDone = seen('i', 0);
const ended = seen('t', 42, { finishedAtMs: nowMs });
test.each<[name: string, runtime: RuntimePod, steps: string[]]>([
  ['an end that no rule knows', observed([seen('t', 1), seen('c', 'running'), initDone]), []],
  ['an end that asks for all: what runs goes at once', observed([ended, seen('c', 'running'), initDone]), ['stop c-0 in 0 ms']],
  ['all have ended: the first init container', observed([ended, seen('c', 137), initDone]), ['start i.1 in round 1']],
  [
    'what was made for the last round after that end goes, too',
    observed([seen('c', 'running', { attempt: 1 }), ended, initDone]),
    ['stop c-1 in 0 ms'],
  ],
  ['the init container runs', observed([made(1, seen('i', 'running', { attempt: 1 })), ended, seen('c', 137), initDone]), []],
  [
    'then all others, whatever their policies',
    observed([made(1, seen('i', 0, { attempt: 1 })), ended, seen('c', 0), initDone]),
    ['start c.1 in round 1', 'start t.1 in round 1'],
  ],
  [
    'the new round runs',
    observed([made(1, seen('t', 'running', { attempt: 1 })), made(1, seen('c', 'running', { attempt: 1 })), ended, seen('c', 0)]),
    [],
  ],
  [
    'an end of the new round that no rule knows is the last',
    observed([made(1, seen('t', 1, { attempt: 1 })), made(1, seen('c', 0, { attempt: 1 })), made(1, seen('i', 0, { attempt: 1 })), ended]),
    [],
  ],
  [
    'the next round',
    observed([made(1, seen('t', 42, { attempt: 1 })), made(1, seen('c', 0, { attempt: 1 })), ended, seen('c', 0)]),
    ['start i.0 in round 2'],
  ],
  ['the sandbox died meanwhile', observed([ended, seen('c', 137), initDone], [dead]), ['createSandbox']],
  ['in a new sandbox', observed([ended, seen('c', 137), initDone], [aSandbox(1), dead]), ['start i.1 in round 1']],
])('%s', (_, runtime, steps) => expect(plan(runtime)).toEqual(steps));

test('an ephemeral container goes and does not come back', () => {
  const debugged = { ...pod, spec: { ...pod.spec, ephemeralContainers: [{ name: 'e', image: 'app' }] } };
  expect(plan(observed([seen('e', 'running'), ended, seen('c', 137), initDone]), {}, debugged)).toEqual(['stop e-0 in 0 ms']);
  expect(plan(observed([seen('e', 137), ended, seen('c', 137), initDone]), {}, debugged)).toEqual(['start i.1 in round 1']);
});

test('the second round waits as a container does that ends too often', () => {
  const histories = new Map([['t', { delayMs: 10_000, lastMs: nowMs - 1_000 }]]);
  const runtime = observed([made(1, seen('t', 42, { attempt: 1, finishedAtMs: nowMs - 500 })), made(1, seen('c', 137, { attempt: 1 }))]);
  expect(plan(runtime, { histories })).toEqual(['t waits 10000']);
  expect(plan(runtime, { histories, nowMs: nowMs + 10_000 })).toEqual(['start i.0 in round 2']);
});

test('rules of other actions make no rounds', () => {
  const restart = aContainer('t', { restartPolicy: 'Never', restartPolicyRules: [{ ...rule, action: 'Restart' }, rule] });
  const first = aPod({ containers: [restart] });
  expect(roundOf(first, observed([ended]))).toBe(0);
  expect(plan(observed([ended]), {}, first)).toEqual(['start t.1 in round 0']);
});

function status(runtime: RuntimePod, isEnding = false): ReturnType<typeof podStatus> {
  const view: StatusView = {
    pod,
    observed: runtime,
    reasons: new Map(),
    messages: new Map(),
    started: new Set(),
    ready: new Set(),
    isEnding,
    isTerminated: isEnding,
    runtimeName: 'docker',
    previous: {},
    hostIps: [],
    verdict: undefined,
    nowMs,
  };
  return podStatus(view);
}
const turning = (of: ReturnType<typeof podStatus>) => of.conditions?.find(({ type }) => type === 'AllContainersRestarting');

test('the status tells of the turn, and of nothing that has ended for good', () => {
  const before = status(observed([seen('t', 'running'), seen('c', 'running'), initDone]));
  expect(turning(before)).toMatchObject({ status: 'False' });
  const during = status(observed([ended, seen('c', 'running'), initDone]));
  expect(during.phase).toBe('Pending');
  const words = { reason: 'RestartAllContainersStarted', message: 'container exited with restart policy rule' };
  expect(turning(during)).toMatchObject({ status: 'True', ...words });
  expect(during.containerStatuses?.[1]).toMatchObject({
    restartCount: 0,
    state: { waiting: { reason: 'PodInitializing' } },
    lastState: { terminated: { exitCode: 42 } },
  });
  // Stopped by us before it had done its work: that is no failure.
  expect(status(observed([ended, seen('i', 137)])).phase).toBe('Pending');
  const after = status(observed([made(1, seen('i', 'running', { attempt: 1 })), ended, seen('c', 137), initDone]));
  expect(turning(after)).toMatchObject({ status: 'False' });
  expect(after.initContainerStatuses?.[0]).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 0 } } });
  expect(turning(status(observed([ended, seen('c', 137), initDone]), true))).toMatchObject({ status: 'False', reason: 'PodFailed' });
});

test('pods without such rules have no such condition', () => {
  const plain = aPod();
  expect(isTurning(plain, observed([seen('c', 42)]), roundOf(plain, observed([seen('c', 42)])))).toBe(false);
});
