import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { RuntimePod } from '../runtime/contract.ts';
import { type PlanView, planPod, type Step } from './plan.ts';
import { aContainer, aPod, aSandbox, observed, seen } from './testing.ts';

const nowMs = 100_000;
function view(pod: Pod, runtime: RuntimePod | undefined, rest: Partial<PlanView> = {}): PlanView {
  return {
    pod,
    observed: runtime,
    unhealthy: new Map(),
    started: new Set(runtime?.containers.map(({ id }) => id)),
    unstartable: new Set(),
    histories: new Map(),
    isPrepared: true,
    notBefore: new Map(),
    nowMs,
    ...rest,
  };
}
/** `start c.1`, `stop c-0`, … */
function brief(step: Step): string {
  if (step.do === 'startContainer') return `start ${step.name}.${step.attempt}${step.madeId === undefined ? '' : ' (made)'}`;
  if (step.do === 'stopContainer') return `stop ${step.id}: ${step.why.message}`;
  if (step.do === 'createSandbox') return `sandbox ${step.attempt}`;
  if (step.do === 'resize') return `resize ${step.actuation.containers.map(({ id }) => id).join(' ')}`;
  return step.do === 'prepare' ? 'prepare' : `${step.do} ${step.id}`;
}
const plan = (pod: Pod, runtime: RuntimePod | undefined, rest: Partial<PlanView> = {}): string[] =>
  planPod(view(pod, runtime, rest)).steps.map(brief);

const never = aPod({ restartPolicy: 'Never' });
const onFailure = aPod({ restartPolicy: 'OnFailure' });
const withInit = aPod({ initContainers: [aContainer('i'), aContainer('j')] });
const sidecar = aContainer('s', { restartPolicy: 'Always' });
const withSidecar = aPod({ initContainers: [sidecar, aContainer('i')] });
const neverInit = aPod({ restartPolicy: 'Never', initContainers: [aContainer('i')] });
const neverTwo = aPod({ restartPolicy: 'Never', containers: [aContainer('c'), aContainer('d')] });
const neverButOne = aPod({ restartPolicy: 'Never', containers: [aContainer('c'), aContainer('d', { restartPolicy: 'Always' })] });
const dead = aSandbox(0, { state: 'notReady', ips: [] });

describe('sandbox', () => {
  test.each<[name: string, pod: Pod, runtime: RuntimePod | undefined, steps: string[]]>([
    ['first', aPod(), undefined, ['sandbox 0']],
    ['died', aPod(), observed([seen('c', 137)], [dead]), ['sandbox 1']],
    ['died under a running container', aPod(), observed([seen('c', 'running')], [dead]), ['stop c-0: Stopping container c', 'sandbox 1']],
    ['without an address', aPod(), observed([], [aSandbox(0, { ips: [] })]), ['stopSandbox s0', 'sandbox 1']],
    [
      'on the host network needs none',
      aPod({ hostNetwork: true }),
      observed([seen('c', 'running')], [aSandbox(0, { ips: [], hostNetwork: true })]),
      [],
    ],
    ['changed network', aPod({ hostNetwork: true }), observed([], [aSandbox()]), ['stopSandbox s0', 'sandbox 1']],
    ['died, never restarts', never, observed([seen('c', 137)], [dead]), []],
    ['died before anything ran, never restarts', never, observed([], [dead]), ['sandbox 1']],
    ['died after its init containers, never restarts', neverInit, observed([seen('i', 0)], [dead]), []],
    [
      'died under an init container, never restarts',
      neverInit,
      observed([seen('i', 'running')], [dead]),
      ['stop i-0: Stopping container i'],
    ],
    ['died before its init container began, never restarts', neverInit, observed([seen('i', 'created')], [dead]), ['sandbox 1']],
    ['died when some had run, never restarts', neverTwo, observed([seen('c', 0)], [dead]), []],
    ['died when some had run, never restarts but for one', neverButOne, observed([seen('c', 0)], [dead]), ['sandbox 1']],
    ['died, all done', onFailure, observed([seen('c', 0)], [dead]), []],
    ['died, still to do', onFailure, observed([seen('c', 1)], [dead]), ['sandbox 1']],
    ['two of them', aPod(), observed([seen('c', 'running', { sandboxId: 's1' })], [aSandbox(1), aSandbox(0)]), ['stopSandbox s0']],
  ])('%s', (_, pod, runtime, steps) => expect(plan(pod, runtime)).toEqual(steps));

  test('containers that went down with their sandbox start again without delay', () => {
    const histories = new Map([['c', { delayMs: 80_000, lastMs: nowMs - 1_000 }]]);
    const died = view(aPod(), observed([seen('c', 137)], [dead]), { histories });
    expect(planPod(died).histories).toEqual(new Map());
  });

  test('nothing before the volumes', () => expect(plan(aPod(), undefined, { isPrepared: false })).toEqual(['prepare']));
  test('a failed pod step waits', () => {
    const planned = planPod(view(aPod(), undefined, { notBefore: new Map([['', nowMs + 5]]) }));
    expect(planned).toMatchObject({ steps: [], retryAtMs: nowMs + 5 });
  });
});

describe('app containers', () => {
  test.each<[name: string, pod: Pod, runtime: RuntimePod, steps: string[]]>([
    ['none yet', aPod(), observed([]), ['start c.0']],
    ['made, not started', aPod(), observed([seen('c', 'created')]), ['start c.0 (made)']],
    ['running', aPod(), observed([seen('c', 'running')]), []],
    ['ended, Always', aPod(), observed([seen('c', 0)]), ['start c.1']],
    ['failed, OnFailure', onFailure, observed([seen('c', 2, { attempt: 3 })]), ['start c.4']],
    ['succeeded, OnFailure', onFailure, observed([seen('c', 0)]), []],
    ['failed, Never', never, observed([seen('c', 2)]), []],
    ['in the new sandbox', aPod(), observed([seen('c', 137)], [aSandbox(1), dead]), ['start c.1']],
    [
      'still running in the old one',
      aPod(),
      observed([seen('c', 'running')], [aSandbox(1), dead]),
      ['stop c-0: Stopping container c', 'start c.1'],
    ],
    [
      'another image',
      aPod({ containers: [aContainer('c', { image: 'app:2' })] }),
      observed([seen('c', 'running')]),
      ['stop c-0: Container c definition changed, will be restarted', 'start c.1'],
    ],
    ['own policy', aPod({ containers: [aContainer('c', { restartPolicy: 'Never' })] }), observed([seen('c', 1)]), []],
    [
      'own rule',
      aPod({
        restartPolicy: 'Never',
        containers: [aContainer('c', { restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] })],
      }),
      observed([seen('c', 42)]),
      ['start c.1'],
    ],
  ])('%s', (_, pod, runtime, steps) => expect(plan(pod, runtime)).toEqual(steps));

  test('a failed liveness probe', () => {
    const runtime = observed([seen('c', 'running')]);
    const unhealthy = new Map([['c-0', 'liveness' as const]]);
    expect(plan(aPod(), runtime, { unhealthy })).toEqual(['stop c-0: Container c failed liveness probe, will be restarted', 'start c.1']);
    expect(plan(never, runtime, { unhealthy })).toEqual(['stop c-0: Container c failed liveness probe, will be restarted']);
  });

  test('numbers go on where the API remembers them', () => {
    const status = { containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: 4, containerID: 'docker://x' }] };
    expect(plan({ ...aPod(), status }, observed([]))).toEqual(['start c.5']);
  });

  test('one that somebody removed starts again only where it may', () => {
    const status = { containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: 0, containerID: 'docker://x' }] };
    expect(plan({ ...never, status }, observed([]))).toEqual([]);
    expect(plan({ ...onFailure, status }, observed([]))).toEqual(['start c.1']);
  });

  test('one that cannot be started counts as ended', () => {
    expect(plan(aPod(), observed([seen('c', 'created')]), { unstartable: new Set(['c-0']) })).toEqual(['start c.1']);
  });

  test('crashing often', () => {
    const histories = new Map([['c', { delayMs: 20_000, lastMs: 0 }]]);
    const runtime = observed([seen('c', 1, { finishedAtMs: nowMs - 5_000 })]);
    const planned = planPod(view(aPod(), runtime, { histories }));
    expect(planned.steps).toEqual([]);
    expect(planned.waiting).toEqual([{ name: 'c', untilMs: nowMs + 15_000, delayMs: 20_000 }]);
    const later = planPod(view(aPod(), runtime, { histories, nowMs: nowMs + 15_000 }));
    expect(later.steps.map(brief)).toEqual(['start c.1']);
    expect(later.histories.get('c')).toEqual({ delayMs: 40_000, lastMs: nowMs + 15_000 });
  });

  test('another image does not wait for what the last one did', () => {
    const histories = new Map([['c', { delayMs: 300_000, lastMs: 0 }]]);
    const pod = aPod({ containers: [aContainer('c', { image: 'app:2' })] });
    for (const state of [1, 'running'] as const) {
      const planned = planPod(view(pod, observed([seen('c', state, state === 1 ? { finishedAtMs: nowMs - 5_000 } : {})]), { histories }));
      expect(planned.steps.map(brief)).toContain('start c.1');
      expect(planned.histories.get('c')).toEqual({ delayMs: 10_000, lastMs: nowMs });
    }
  });

  test('a start that failed waits and does not stop the others', () => {
    const pod = aPod({ containers: [aContainer('c'), aContainer('d')] });
    const planned = planPod(view(pod, observed([]), { notBefore: new Map([['c', nowMs + 700]]) }));
    expect(planned.steps.map(brief)).toEqual(['start d.0']);
    expect(planned.retryAtMs).toBe(nowMs + 700);
  });
});

describe('init containers', () => {
  test.each<[name: string, pod: Pod, runtime: RuntimePod, steps: string[]]>([
    ['the first', withInit, observed([]), ['start i.0']],
    ['runs', withInit, observed([seen('i', 'running')]), []],
    ['the second', withInit, observed([seen('i', 0)]), ['start j.0']],
    ['the second failed', withInit, observed([seen('j', 1), seen('i', 0)]), ['start j.1']],
    ['failed, Never', { ...withInit, spec: { ...withInit.spec, restartPolicy: 'Never' } }, observed([seen('i', 1)]), []],
    ['all done', withInit, observed([seen('j', 0), seen('i', 0)]), ['start c.0']],
    ['are over once a container runs', withInit, observed([seen('c', 'running')]), []],
    ['run again in a new sandbox', withInit, observed([seen('c', 137), seen('j', 0), seen('i', 0)], [aSandbox(1), dead]), ['start i.1']],
    ['sidecar first', withSidecar, observed([]), ['start s.0']],
    ['sidecar runs', withSidecar, observed([seen('s', 'running')]), ['start i.0']],
    ['sidecar and init', withSidecar, observed([seen('i', 0), seen('s', 'running')]), ['start c.0']],
    ['sidecar ended', withSidecar, observed([seen('c', 'running'), seen('i', 0), seen('s', 0)]), ['start s.1']],
    [
      'all ended: sidecars may go',
      { ...withSidecar, spec: { ...withSidecar.spec, restartPolicy: 'Never' } },
      observed([seen('c', 0), seen('i', 0), seen('s', 'running')]),
      ['stop s-0: Stopping container s'],
    ],
  ])('%s', (_, pod, runtime, steps) => expect(plan(pod, runtime)).toEqual(steps));

  // Upstream walks back from the last one: what came before one that was made has been done, whether or not it can still be seen.
  const sidecarLast = aPod({ initContainers: [sidecar] });
  const neverSidecar = aPod({ initContainers: [sidecar], restartPolicy: 'Never' });
  const sidecarsAround = aPod({ initContainers: [sidecar, aContainer('i'), aContainer('j')] });
  test.each<[name: string, pod: Pod, runtime: RuntimePod, steps: string[]]>([
    ['those before the one that runs were removed', withInit, observed([seen('j', 'running')]), []],
    ['those before the one that is done were removed', withInit, observed([seen('j', 0)]), ['start c.0']],
    ['those before the one that failed were removed', withInit, observed([seen('j', 1)]), ['start j.1']],
    ['those before the one that was made were removed', withInit, observed([seen('j', 'created')]), ['start j.0 (made)']],
    ['a sidecar before the one that runs was removed', sidecarsAround, observed([seen('i', 'running')]), ['start s.0']],
    ['a sidecar that ended meanwhile holds up nothing', sidecarsAround, observed([seen('i', 0), seen('s', 1)]), ['start s.1', 'start j.0']],
    [
      'nor does one that ended before all was done',
      sidecarsAround,
      observed([seen('j', 0), seen('i', 0), seen('s', 1)]),
      ['start s.1', 'start c.0'],
    ],
    ['all ended: sidecars first', withSidecar, observed([seen('c', 0), seen('i', 0), seen('s', 0)]), ['start s.1', 'start c.1']],
    ['all ended: the last one is waited for if it is a sidecar', sidecarLast, observed([seen('c', 1), seen('s', 1)]), ['start s.1']],
    [
      'all ended, the last sidecar is back',
      sidecarLast,
      observed([seen('s', 'running', { attempt: 1 }), seen('c', 1), seen('s', 1)]),
      ['start c.1'],
    ],
    ['all ended: what had to be done is not done again', withInit, observed([seen('c', 1), seen('i', 0)]), ['start c.1']],
    ['all ended for good', neverSidecar, observed([seen('c', 1), seen('s', 'running')]), ['stop s-0: Stopping container s']],
    [
      'sidecars come before app containers',
      aPod({ initContainers: [sidecar], containers: [aContainer('c'), aContainer('d')] }),
      observed([seen('d', 'running'), seen('c', 1), seen('s', 1)]),
      ['start s.1', 'start c.1'],
    ],
    ['nor one that was replaced', sidecarsAround, observed([seen('j', 0), seen('s', 'running', { attempt: 1 })]), ['start c.0']],
  ])('%s', (_, pod, runtime, steps) => expect(plan(pod, runtime)).toEqual(steps));

  test('a sidecar that crashes often does not keep those after it from their turn', () => {
    const histories = new Map([['s', { delayMs: 20_000, lastMs: 0 }]]);
    const ended = seen('s', 1, { finishedAtMs: nowMs - 5_000 });
    const planned = planPod(view(sidecarsAround, observed([seen('i', 0), ended]), { histories }));
    expect(planned.steps.map(brief)).toEqual(['start j.0']);
    expect(planned.waiting).toMatchObject([{ name: 's' }]);
    expect(planPod(view(sidecarsAround, observed([ended]), { histories })).steps).toEqual([]);
  });

  test('a sidecar whose startup probe has not passed holds up what follows', () => {
    expect(plan(withSidecar, observed([seen('s', 'running')]), { started: new Set() })).toEqual([]);
  });
});
