import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lease, lease } from '#api/coordination/lease.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import type { V1Toleration } from '#api/generated/types.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { microTimeText, timeText } from '#client/timestamps.ts';
import { ControlPlane } from '../testing.ts';
import { upstreamRates } from './disruption.ts';

const never = new AbortController().signal;
const unreachable = 'node.kubernetes.io/unreachable';

describe('nodes', () => {
  // Virtual time: however slowly this machine works, a node that renews its lease with each look is never taken for silent.
  const clock = new FakeClock(Date.now());
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await ControlPlane.start({
      time: { clock, stepMs: 20 },
      clusterCidr: '10.244.0.0/16',
      nodeTimings: { graceMs: 1_200, startupGraceMs: 300, periodMs: 50, rates: { ...upstreamRates, perSecond: 50 } },
      podCollection: { maxFinished: 0, periodMs: 50, quarantineMs: 100 },
    });
    await plane.inNamespace('a');
    await plane.inNamespace('kube-node-lease').catch(() => undefined);
  });
  afterAll(() => plane[Symbol.asyncDispose]());

  const find = async (name: string): Promise<Node> => await plane.client.get<Node>(node, { name }, never);
  const report = async (name: string, status: string): Promise<void> => {
    const now = timeText(clock.nowMs());
    const ready = { type: 'Ready', status, reason: 'KubeletReady', message: '', lastHeartbeatTime: now, lastTransitionTime: now };
    const body = { status: { conditions: [ready] } };
    await plane.client.patch<Node>(node, { name }, body, { type: 'strategic', subresource: 'status' }, never);
  };
  const join = async (name: string): Promise<void> => {
    await plane.client.create<Node>(node, { metadata: { name } }, {}, never);
    const spec = { holderIdentity: name, renewTime: microTimeText(clock.nowMs()) };
    await plane.client.create<Lease>(lease, { metadata: { name, namespace: 'kube-node-lease' }, spec }, {}, never);
    await report(name, 'True');
  };
  const renew = async (name: string): Promise<void> => {
    const body = { spec: { renewTime: microTimeText(clock.nowMs()) } };
    await plane.client.patch<Lease>(lease, { namespace: 'kube-node-lease', name }, body, { type: 'merge' }, never);
  };
  const makePod = async (name: string, nodeName: string, tolerations: V1Toleration[]): Promise<void> => {
    const spec = { nodeName, tolerations, containers: [{ name: 'a', image: 'a' }] };
    await plane.client.create<Pod>(pod, { metadata: { name, namespace: 'a' }, spec }, {}, never);
  };
  const taintsOf = ({ spec }: Node): string[] => (spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
  const readyOf = (object: Node | Pod | undefined) =>
    findCondition<{ type: string; status: string }>(object?.status?.conditions, 'Ready')?.status;

  test('say how long what they read of Secrets may be kept, also when somebody takes that away', async () => {
    const ttl = 'node.alpha.kubernetes.io/ttl';
    await plane.client.create<Node>(node, { metadata: { name: 'keeper' } }, {}, never);
    const says = (wanted: string) => async (): Promise<boolean> => (await find('keeper')).metadata.annotations?.[ttl] === wanted;
    await plane.until('it says so', says('0'));
    await plane.client.patch<Node>(node, { name: 'keeper' }, { metadata: { annotations: { [ttl]: null } } }, { type: 'merge' }, never);
    await plane.until('it says so again', says('0'));
    await plane.client.delete(node, { name: 'keeper' }, {}, never);
  });

  test('get networks of their own', async () => {
    await Promise.all(['a', 'b', 'c'].map((name) => plane.client.create<Node>(node, { metadata: { name } }, {}, never)));
    const networks = await plane.until('three networks', async () => {
      const found = (await plane.list<Node>(node)).flatMap(({ spec }) => spec?.podCIDR ?? []);
      return found.length === 3 && found;
    });
    expect(networks.toSorted()).toEqual(['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24']);
    const never1 = await plane.until('nobody was ever heard of', async () => {
      const found = await find('a');
      // Conditions and taints are two writes.
      return readyOf(found) === 'Unknown' && taintsOf(found).length > 0 && found;
    });
    expect(findCondition<{ type: string; status: string; reason?: string }>(never1.status?.conditions, 'Ready')?.reason).toBe(
      'NodeStatusNeverUpdated',
    );
    // No node is ready: nothing is driven off.
    expect(taintsOf(never1)).toEqual([`${unreachable}:NoSchedule`]);
    await Promise.all(['a', 'b', 'c'].map((name) => plane.client.delete(node, { name }, {}, never)));
  });

  test('that fall silent lose their pods, and get over it', async () => {
    await join('alive');
    await join('silent');
    const bears = (tolerationSeconds?: number): V1Toleration[] => [
      { key: unreachable, operator: 'Exists', effect: 'NoExecute', ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }) },
    ];
    await makePod('patient', 'silent', bears(60));
    await makePod('stoic', 'silent', bears());
    await makePod('hasty', 'silent', bears(1));
    await makePod('elsewhere', 'alive', bears(1));
    await plane.runPods('a');

    const lost = await plane.until('the silent node is given up', async () => {
      await renew('alive');
      const found = await find('silent');
      return taintsOf(found).length === 2 && found;
    });
    expect(findCondition(lost.status?.conditions, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown' });
    expect(taintsOf(lost)).toEqual([`${unreachable}:NoSchedule`, `${unreachable}:NoExecute`]);
    expect(taintsOf(await find('alive'))).toEqual([]);
    const figures = await plane.metrics.text();
    expect(figures).toMatch(/^node_collector_evictions_total\{zone=""\} 1$/m);
    expect(figures).toMatch(/^node_collector_unhealthy_nodes_in_zone\{zone=""\} [1-9]/m);
    await plane.until('its pods serve nobody', async () => {
      await renew('alive');
      const pods = await plane.podsOf('a');
      return pods.every((one) => readyOf(one) === (one.spec.nodeName === 'alive' ? 'True' : 'False'));
    });

    const evicted = await plane.until('the hasty pod is driven off', async () => {
      await renew('alive');
      const found = await plane.find<Pod>(pod, 'hasty', 'a');
      return found?.metadata.deletionTimestamp !== undefined && found;
    });
    expect(findCondition(evicted.status?.conditions, 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      observedGeneration: 1,
    });

    await report('silent', 'True');
    await plane.until('no taints', async () => {
      await Promise.all([renew('alive'), renew('silent')]);
      return taintsOf(await find('silent')).length === 0;
    });
    await plane.until('the patient pod may stay', async () => {
      await Promise.all([renew('alive'), renew('silent')]);
      return plane.events.some(({ about, message }) => about === 'Pod/patient' && message === 'Cancelling deletion of Pod a/patient');
    });
    expect((await plane.podsOf('a')).map(({ metadata }) => metadata.name)).toEqual(['elsewhere', 'patient', 'stoic']);
    const told = plane.events.filter(({ about }) => about === 'Node/silent').map(({ source, message }) => [source, message]);
    expect(told).toContainEqual(['node-controller', 'Node silent event: Registered Node silent in Controller']);
    expect(told).toContainEqual(['node-controller', 'Node silent status is now: NodeNotReady']);
  });

  test('that are tainted without a time lose the pods that bear it for a while, when that is over', async () => {
    await join('tainted');
    const bears = (tolerationSeconds: number): V1Toleration[] => [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds }];
    await makePod('brief', 'tainted', bears(1));
    await makePod('long', 'tainted', bears(60));
    await plane.runPods('a');
    const body = { spec: { taints: [{ key: 'example.com/by-hand', effect: 'NoExecute' }] } };
    await plane.client.patch<Node>(node, { name: 'tainted' }, body, { type: 'merge' }, never);
    await plane.until('the time is over', async () => {
      await renew('tainted');
      return (await plane.find<Pod>(pod, 'brief', 'a'))?.metadata.deletionTimestamp !== undefined;
    });
    expect((await plane.find<Pod>(pod, 'long', 'a'))?.metadata.deletionTimestamp).toBeUndefined();
    await plane.client.delete(node, { name: 'tainted' }, {}, never);
    await plane.until('its pods are gone', async () => (await plane.find(pod, 'long', 'a')) === undefined);
  });

  test('that are gone leave no pods behind', async () => {
    await join('brief');
    await makePod('left', 'brief', [{ operator: 'Exists' }]);
    await plane.runPods('a');
    await plane.client.delete(node, { name: 'brief' }, {}, never);
    await plane.until('the pod is gone', async () => (await plane.find(pod, 'left', 'a')) === undefined);
  });
});
