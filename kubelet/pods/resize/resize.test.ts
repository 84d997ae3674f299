import { describe, expect, test } from 'vitest';
import type { Node } from '#api/core/node/node.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1ResourceRequirements } from '#api/generated/types.ts';
import type { ContainerStatus } from '../../runtime/contract.ts';
import { planPod, type PlanView } from '../plan.ts';
import { aContainer, aPod, aSandbox, observed, seen } from '../testing.ts';
import { actualResources, memoryRefusal, planActuation, podKey } from './actuation.ts';
import { allocationOf, compareWaiting, isResized, judgeResize, resizeMessage, withAllocation } from './allocation.ts';

const amounts = (cpu: string, memory: string): V1ResourceRequirements => ({ requests: { cpu, memory }, limits: { cpu, memory } });
const sized = (cpu: string, memory: string, rest: Partial<V1Container> = {}): V1Container =>
  aContainer('c', { resources: amounts(cpu, memory), ...rest });
const podOf = (container: V1Container, generation = 1): Pod =>
  aPod({ containers: [container] }, { metadata: { name: 'p', namespace: 'ns', uid: 'u', generation } });
const runs = (resources: NonNullable<ContainerStatus['resources']>): ContainerStatus => seen('c', 'running', { resources });
const small = { cpuShares: 102, cpuQuotaMicros: 10_000, cpuPeriodMicros: 100_000, memoryBytes: 64 * 2 ** 20 };
const node: Node = { metadata: { name: 'n' }, status: { allocatable: { cpu: '4', memory: '4Gi', pods: '10' } } };
const nothingTold = new Map<string, string>();

describe('what a node sets aside', () => {
  test('stands in for what is asked for, until that is granted', () => {
    const before = podOf(sized('100m', '64Mi'));
    const asked = podOf(sized('200m', '64Mi'), 2);
    const allocation = allocationOf(before);
    expect(isResized(before, allocation)).toBe(false);
    expect(withAllocation(before, allocation)).toBe(before);
    expect(isResized(asked, allocation)).toBe(true);
    expect(withAllocation(asked, allocation)).toMatchObject({ metadata: { generation: 2 }, spec: before.spec });
    expect(withAllocation(asked, allocationOf(asked))).toBe(asked);
  });

  test('of the pod as a whole counts too', () => {
    const whole = (cpu: string): Pod => aPod({ resources: amounts(cpu, '1Gi') });
    expect(withAllocation(whole('2'), allocationOf(whole('1'))).spec.resources).toEqual(amounts('1', '1Gi'));
  });

  test.each<[string, Pod, Pod[], object | undefined]>([
    ['what fits', podOf(sized('2', '1Gi')), [podOf(sized('1', '1Gi'))], undefined],
    [
      'what must wait for others',
      podOf(sized('2', '1Gi')),
      [podOf(sized('3', '1Gi'))],
      { reason: 'Deferred', message: "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000" },
    ],
    [
      'more CPU than there is',
      podOf(sized('1000', '1Gi')),
      [],
      { reason: 'Infeasible', message: "Node didn't have enough capacity: cpu, requested: 1000000, capacity: 4000" },
    ],
    [
      'more of both: memory is named',
      podOf(sized('1000', '4500Mi')),
      [],
      { reason: 'Infeasible', message: "Node didn't have enough capacity: memory, requested: 4718592000, capacity: 4294967296" },
    ],
  ])('%s', (_, pod, others, expected) => {
    expect(judgeResize(pod, node, others)).toEqual(expected);
  });

  test('goes first to the more important, then to the better served, then to who waits longer', () => {
    const waiter = (name: string, sinceMs: number, priority: number, container: V1Container): Parameters<typeof compareWaiting>[0] => ({
      pod: aPod({ priority, containers: [container] }, { metadata: { name } }),
      sinceMs,
    });
    const burstable = aContainer('c', { resources: { requests: { cpu: '1' } } });
    const all = [
      waiter('late', 9, 0, burstable),
      waiter('early', 1, 0, burstable),
      waiter('guaranteed', 5, 0, sized('1', '1Gi')),
      waiter('important', 9, 10, burstable),
    ];
    expect(all.toSorted(compareWaiting).map(({ pod }) => pod.metadata.name)).toEqual(['important', 'guaranteed', 'early', 'late']);
  });

  test('is said in events', () => {
    const pod = podOf(aContainer('c', { resources: { limits: { cpu: '1' } } }), 3);
    expect(resizeMessage('Pod resize Deferred', pod, 'no room')).toBe(
      'Pod resize Deferred: {"containers":[{"name":"c","resources":{"limits":{"cpu":"1"}}}],"generation":3,"error":"no room"}',
    );
  });
});

describe('what is left to actuate', () => {
  const steps = (pod: Pod, status: ContainerStatus, rest: Partial<PlanView> = {}): string[] =>
    planPod({
      pod,
      observed: observed([status], [aSandbox()]),
      unhealthy: new Map(),
      started: new Set([status.id]),
      unstartable: new Set(),
      histories: new Map(),
      isPrepared: true,
      notBefore: new Map(),
      nowMs: 100_000,
      ...rest,
    }).steps.map((step) => (step.do === 'stopContainer' ? `stop: ${step.why.message}` : step.do));
  const restarts = (resourceName: string): Partial<V1Container> => ({
    resizePolicy: [{ resourceName, restartPolicy: 'RestartContainer' }],
  });

  test.each<[string, Pod, string[]]>([
    ['nothing, where all is as it should be', podOf(sized('100m', '64Mi')), []],
    ['more CPU', podOf(sized('200m', '64Mi')), ['resize']],
    ['less memory', podOf(sized('100m', '32Mi')), ['resize']],
    ['CPU, where only memory needs a restart', podOf(sized('200m', '64Mi', restarts('memory'))), ['resize']],
    [
      'memory, where it needs a restart',
      podOf(sized('100m', '128Mi', restarts('memory'))),
      ['stop: Container c resize requires restart', 'startContainer'],
    ],
  ])('%s', (_, pod, expected) => {
    expect(steps(pod, runs(small))).toEqual(expected);
  });

  test('may be an init container’s that runs', () => {
    const pod = aPod({ initContainers: [{ ...sized('200m', '64Mi'), name: 'i' }] });
    expect(steps(pod, seen('i', 'running', { resources: small }))).toEqual(['resize']);
    expect(steps(pod, seen('i', 0, { resources: small }))).toEqual(['startContainer']);
  });

  test('is not repeated to an engine that does not heed it', () => {
    const pod = podOf(sized('200m', '64Mi'));
    const wanted = planActuation(pod, observed([runs(small)]), nothingTold)?.containers[0]?.wanted;
    expect(steps(pod, runs(small), { actuated: new Map([['c-0', JSON.stringify(wanted)]]) })).toEqual([]);
  });

  test('waits after a failure', () => {
    expect(steps(podOf(sized('200m', '64Mi')), runs(small), { notBefore: new Map([['/resize', 100_001]]) })).toEqual([]);
  });

  test('is the pod as a whole where only that changed', () => {
    const actuated = new Map([[podKey, 'something else']]);
    expect(planActuation(podOf(sized('100m', '64Mi')), observed([runs(small)]), actuated)).toEqual({ containers: [], changesPod: true });
  });

  test('never lowers memory below what is in use', () => {
    const pod = podOf(sized('100m', '32Mi'));
    const changes = planActuation(pod, observed([runs(small)]), nothingTold)?.containers ?? [];
    const usage = (bytes: number): Parameters<typeof memoryRefusal>[2] => [
      { name: 'c', id: 'c-0', cpuNanos: 0n, memoryUsageBytes: bytes, memoryWorkingSetBytes: bytes },
    ];
    expect(memoryRefusal(pod, changes, usage(2 ** 25))).toBeUndefined();
    expect(memoryRefusal(pod, changes, usage(2 ** 25 + 1))).toBe(
      'cannot decrease memory limits: [attempting to set pod memory limit (33554432) below current usage (33554433), ' +
        'attempting to set container "c" memory limit (33554432) below current usage (33554433)]',
    );
  });
});

test.each<[string, V1Container, ContainerStatus['resources'], V1ResourceRequirements]>([
  ['what is as allocated', sized('100m', '64Mi'), small, amounts('100m', '64Mi')],
  ['what is known of nothing', sized('100m', '64Mi'), undefined, amounts('100m', '64Mi')],
  [
    'what is not given yet',
    sized('2', '128Mi'),
    small,
    { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '100m', memory: '64Mi' } },
  ],
  [
    'a limit that is not there yet',
    sized('100m', '64Mi'),
    { cpuShares: 102 },
    { requests: amounts('100m', '64Mi').requests ?? {}, limits: {} },
  ],
  ['the least quota there is', sized('1m', '64Mi'), { ...small, cpuShares: 2, cpuQuotaMicros: 1_000 }, amounts('1m', '64Mi')],
])('a status shows %s', (_, container, resources, expected) => {
  expect(actualResources(container, seen('c', 'running', resources === undefined ? {} : { resources }))).toEqual(expected);
});
