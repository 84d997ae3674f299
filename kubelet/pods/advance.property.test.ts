// Random lives of pods: containers and sandboxes die, steps fail half-way, the kubelet is killed, the pod is deleted. Whatever the
// order, some things must never happen, and when the world calms down the pod must settle.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { ContainerStatus, RuntimePod, SandboxStatus } from '../runtime/contract.ts';
import { advance, type PodState, type PodStep, type DesiredState } from './advance.ts';
import { isStranded } from './plan.ts';
import { phaseOf } from './status/phase.ts';
import { containerStatuses } from './status/container-statuses.ts';
import { aContainer, aPod, aSandbox, seen } from './testing.ts';

const sidecar = aContainer('s', { restartPolicy: 'Always' });
const pods: Record<string, Pod> = {
  plain: aPod(),
  two: aPod({ containers: [aContainer('c'), aContainer('d')] }),
  init: aPod({ initContainers: [aContainer('i'), aContainer('j')] }),
  sidecar: aPod({ initContainers: [sidecar, aContainer('i')] }),
  never: aPod({ restartPolicy: 'Never', initContainers: [aContainer('i')] }),
  neverTwo: aPod({ restartPolicy: 'Never', containers: [aContainer('c'), aContainer('d')] }),
  onFailure: aPod({ restartPolicy: 'OnFailure', initContainers: [sidecar] }),
};

/** What the runtime and the kubelet of one pod are at one moment. */
class World {
  readonly pod: Pod;
  sandboxes: SandboxStatus[] = [];
  containers: ContainerStatus[] = [];
  state: PodState = { at: 'waiting' };
  desired: DesiredState = { want: 'run' };
  isPrepared = false;
  isReleased = false;
  nowMs = 10_000;
  wasFinal = false;

  constructor(pod: Pod) {
    this.pod = pod;
  }

  get observed(): RuntimePod | undefined {
    const empty = this.sandboxes.length + this.containers.length === 0;
    return empty ? undefined : { pod: { name: 'p', namespace: 'ns', uid: 'u' }, sandboxes: this.sandboxes, containers: this.containers };
  }

  decide(): readonly PodStep[] {
    const running = this.containers.filter(({ state }) => state === 'running').map(({ id }) => id);
    const before = this.state;
    const decision = advance(this.state, {
      pod: this.pod,
      observed: this.observed,
      desired: this.desired,
      isComplete: this.#isComplete(),
      isReleased: this.isReleased,
      isPrepared: this.isPrepared,
      unhealthy: new Map(),
      started: new Set(running),
      unstartable: new Set(),
      histories: new Map(),
      notBefore: new Map(),
      nowMs: this.nowMs,
    });
    const order = ['waiting', 'running', 'terminating', 'terminated', 'gone'];
    expect(order.indexOf(decision.state.at)).toBeGreaterThanOrEqual(order.indexOf(before.at));
    if (before.at === 'terminating' && decision.state.at === 'terminating')
      expect(decision.state.deadlineMs).toBeLessThanOrEqual(before.deadlineMs);
    this.state = decision.state;
    if (!['waiting', 'running'].includes(this.state.at)) {
      expect(decision.steps.filter(({ do: what }) => ['createSandbox', 'startContainer', 'prepare'].includes(what))).toEqual([]);
    }
    this.nowMs += decision.steps.length > 0 ? 100 : 300_000;
    return decision.steps;
  }

  /** Carries out a step, as a runtime does that may be asked twice. */
  perform(step: PodStep): void {
    const change = (id: string, next: (one: ContainerStatus) => ContainerStatus): void => {
      this.containers = this.containers.map((one) => (one.id === id ? next(one) : one));
    };
    switch (step.do) {
      case 'prepare':
        [this.isPrepared, this.isReleased] = [true, false];
        break;
      case 'release':
        [this.isPrepared, this.isReleased] = [false, true];
        break;
      case 'createSandbox':
        expect(this.sandboxes.map(({ attempt }) => attempt)).not.toContain(step.attempt);
        this.sandboxes = [aSandbox(step.attempt), ...this.sandboxes];
        break;
      case 'stopSandbox':
        this.killSandbox(step.id);
        break;
      case 'removeSandbox':
        this.sandboxes = this.sandboxes.filter(({ id }) => id !== step.id);
        this.containers = this.containers.filter(({ sandboxId }) => sandboxId !== step.id);
        break;
      case 'removeContainer':
        expect(this.containers.find(({ id }) => id === step.id)?.state).not.toBe('running');
        this.containers = this.containers.filter(({ id }) => id !== step.id);
        break;
      case 'resize':
        expect.fail('nothing was resized');
        break;
      case 'stopContainer':
        change(step.id, (one) => ({ ...one, state: 'exited', exitCode: 143, finishedAtMs: this.nowMs }));
        break;
      case 'startContainer': {
        const same = this.containers.filter(({ name }) => name === step.name);
        expect(same.filter(({ state }) => state === 'running')).toEqual([]);
        expect(this.sandboxes[0]).toMatchObject({ id: step.sandbox.id, state: 'ready' });
        if (step.madeId !== undefined) {
          change(step.madeId, (one) => ({ ...one, state: 'running' }));
          break;
        }
        for (const { attempt } of same) expect(step.attempt).toBeGreaterThan(attempt);
        this.containers = [
          seen(step.name, 'running', { attempt: step.attempt, sandboxId: step.sandbox.id, createdAtMs: this.nowMs }),
          ...this.containers,
        ];
        break;
      }
    }
  }

  killSandbox(id: string): void {
    this.sandboxes = this.sandboxes.map((one) => (one.id === id ? { ...one, state: 'notReady', ips: [] } : one));
    this.containers = this.containers.map((one) => (one.sandboxId === id && one.state === 'running' ? this.ended(one, 137) : one));
  }

  ended(one: ContainerStatus, exitCode: number): ContainerStatus {
    return { ...one, state: 'exited', exitCode, finishedAtMs: this.nowMs };
  }

  #isComplete(): boolean {
    const view = {
      pod: this.pod,
      observed: this.observed,
      reasons: new Map(),
      messages: new Map(),
      started: new Set(this.containers.map(({ id }) => id)),
      ready: new Set<string>(),
      isEnding: false,
      runtimeName: 'x',
    };
    const init = containerStatuses(view, this.pod.spec.initContainers ?? [], [], 'init');
    const apps = containerStatuses(view, this.pod.spec.containers, [], 'app');
    // As in the API: a pod that was over stays over.
    this.wasFinal ||= ['Succeeded', 'Failed'].includes(phaseOf(this.pod, [...init, ...apps], false));
    return this.wasFinal;
  }
}

const fate = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('look' as const), done: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('exit' as const), which: fc.nat(4), code: fc.constantFrom(0, 1, 137) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'sandbox dies' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'half a start' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kubelet killed' as const }) },
);
type Fate = (typeof fate)['generate'] extends (...args: never[]) => { value: infer V } ? V : never;

function suffer(world: World, what: Fate): void {
  if (what.kind === 'look') for (const step of world.decide().slice(0, what.done)) world.perform(step);
  if (what.kind === 'sandbox dies' && world.sandboxes[0] !== undefined) world.killSandbox(world.sandboxes[0].id);
  if (what.kind === 'kubelet killed') [world.state, world.isPrepared, world.isReleased] = [{ at: 'waiting' }, false, false];
  if (what.kind === 'exit') {
    const running = world.containers.filter(({ state }) => state === 'running');
    const victim = running[what.which % Math.max(1, running.length)];
    if (victim !== undefined) world.containers = world.containers.map((one) => (one === victim ? world.ended(one, what.code) : one));
  }
  if (what.kind === 'half a start') {
    // Made, and then the kubelet is gone before it is started.
    const steps = world.decide();
    const [step] = steps;
    if (step?.do === 'startContainer' && step.madeId === undefined) {
      const made = seen(step.name, 'created', { attempt: step.attempt, sandboxId: step.sandbox.id });
      for (const { attempt } of world.containers.filter(({ name }) => name === step.name)) expect(step.attempt).toBeGreaterThan(attempt);
      world.containers = [made, ...world.containers];
      [world.state, world.isPrepared] = [{ at: 'waiting' }, false];
    }
  }
}

/** Lets init containers succeed and nothing else happen until there is nothing to do. */
function settle(world: World): void {
  let idle = 0;
  for (let turn = 0; turn < 200 && idle < 3; turn++) {
    const steps = world.decide();
    for (const step of steps) world.perform(step);
    const inits = (world.pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy !== 'Always').map(({ name }) => name);
    const working = world.containers.filter(({ name, state }) => state === 'running' && inits.includes(name));
    world.containers = world.containers.map((one) => (working.includes(one) ? world.ended(one, 0) : one));
    idle = steps.length === 0 && working.length === 0 ? idle + 1 : 0;
  }
  expect(idle).toBe(3);
}

/** App containers that have not ended for good. */
function due({ pod, containers }: World): string[] {
  const { restartPolicy = 'Always' } = pod.spec;
  return pod.spec.containers
    .map(({ name }) => name)
    .filter((name) => {
      const last = containers.find((one) => one.name === name);
      if (last?.state !== 'exited') return true;
      return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && last.exitCode !== 0);
    });
}

test.each(Object.entries(pods))('%s', (_, pod) => {
  fc.assert(
    fc.property(fc.array(fate, { maxLength: 40 }), fc.boolean(), (fates, isDeleted) => {
      const world = new World(pod);
      for (const one of fates) suffer(world, one);
      settle(world);
      const running = world.containers.filter(({ state }) => state === 'running').map(({ name }) => name);
      if (!world.wasFinal && !isStranded(world)) expect(running).toEqual(expect.arrayContaining(due(world)));
      else expect([running, world.state.at]).toEqual([[], 'terminated']);
      if (!isDeleted) return;
      world.desired = { want: 'end', graceMs: 1_000, forget: true };
      settle(world);
      expect(world.state.at).toBe('gone');
      expect(world.observed).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});
