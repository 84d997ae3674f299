import { afterAll, beforeAll, expect, test } from 'vitest';
import { event } from '#api/core/event/event.ts';
import { node } from '#api/core/node/node.ts';
import type { V1NodeStatus } from '#api/generated/types.ts';
import { systemClock } from '#base/clock.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode, type TestCluster } from '../testing.ts';

const signal = new AbortController().signal;
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

test('registers its node and reports it ready', async () => {
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
  await using _ = await startTestKubelet(cluster, { runtime });
  const found = await eventually(async () => {
    const got = await cluster.client.get(node, { name: testNode }, signal).catch(() => undefined);
    return got?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ? got : undefined;
  }, 'a ready node');
  expect(found.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': testNode, 'kubernetes.io/arch': 'amd64' });
  expect(found.status?.capacity).toMatchObject({ cpu: '8', pods: '110', memory: '16Gi' });
  expect(found.spec?.podCIDR).toBe('10.244.0.0/24');
  expect(found.status?.declaredFeatures).toContain('RestartAllContainersOnContainerExits');
});

test('says that its machine was rebooted since it last told what it runs on', async () => {
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
  const nodeName = 'rebooted';
  const made = await cluster.client.create(node, { metadata: { name: nodeName } }, {}, signal);
  const others = ['architecture', 'containerRuntimeVersion', 'kernelVersion', 'kubeProxyVersion', 'kubeletVersion', 'machineID'];
  const nodeInfo = Object.fromEntries([...others, 'operatingSystem', 'osImage', 'systemUUID'].map((field) => [field, '']));
  const status = { nodeInfo: { ...nodeInfo, bootID: 'earlier' } as never };
  await cluster.client.update(node, { ...made, status }, { subresource: 'status' }, signal);
  await using _ = await startTestKubelet(cluster, { runtime, config: { nodeName } });
  const told = await eventually(async () => {
    const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${nodeName}` }, signal);
    return items.find(({ reason }) => reason === 'Rebooted');
  }, 'an event');
  const { nodeInfo: now } = (await cluster.client.get(node, { name: nodeName }, signal)).status ?? {};
  expect(told).toMatchObject({ type: 'Warning', message: `Node ${nodeName} has been rebooted, boot id: ${now?.bootID}` });
});

test('a capacity patched into the status by another client becomes allocatable, until it is removed', async () => {
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
  const nodeName = 'dongled';
  const heartbeat = { updateMs: 20, reportMs: 300_000, leaseSeconds: 40 };
  await using _ = await startTestKubelet(cluster, { runtime, config: { nodeName, heartbeat } });
  const statusWhen = async (isSo: (status: V1NodeStatus) => boolean, why: string): Promise<V1NodeStatus> =>
    await eventually(async () => {
      const { status } = (await cluster.client.get(node, { name: nodeName }, signal).catch(() => undefined)) ?? {};
      return status !== undefined && isSo(status) ? status : undefined;
    }, why);
  const setDongles = async (amount: string | null): Promise<void> => {
    const body = { status: { capacity: { 'example.com/dongle': amount } } };
    await cluster.client.patch(node, { name: nodeName }, body, { type: 'merge', subresource: 'status' }, signal);
  };
  await statusWhen(({ allocatable }) => allocatable?.['cpu'] !== undefined, 'a status');
  await setDongles('4');
  const patched = await statusWhen(({ allocatable }) => allocatable?.['example.com/dongle'] === '4', 'dongles for pods');
  expect(patched.capacity).toMatchObject({ 'example.com/dongle': '4', cpu: '8' });
  await setDongles(null);
  await statusWhen(({ allocatable }) => allocatable?.['example.com/dongle'] === undefined, 'no more dongles');
});

test('with an external cloud provider it waits to be initialised, and takes the addresses that the provider sets', async () => {
  const runtime = new SimulatedRuntime(systemClock, { anyImage: true });
  const cloud = { isExternal: true, hasGivenIps: true, providerId: 'plain://n2' };
  await using _ = await startTestKubelet(cluster, { runtime, config: { nodeName: 'cloudy', podCidr: '', cloud } });
  const find = () => cluster.client.get(node, { name: 'cloudy' }, signal).catch(() => undefined);
  const found = await eventually(find, 'a node');
  expect(found.metadata.annotations).toMatchObject({ 'alpha.kubernetes.io/provided-node-ip': '192.168.7.1' });
  expect(found.spec).toMatchObject({ providerID: 'plain://n2' });
  expect(found.spec?.taints).toContainEqual({
    key: 'node.cloudprovider.kubernetes.io/uninitialized',
    value: 'true',
    effect: 'NoSchedule',
  });
  const addresses = [{ type: 'ExternalIP', address: '203.0.113.5' }];
  const patched = { metadata: { annotations: { 'alpha.kubernetes.io/provided-node-ip': null } }, status: { addresses } };
  await cluster.client.patch(node, { name: 'cloudy' }, patched, { type: 'merge', subresource: 'status' }, signal);
  // A range for pods makes it look at once. It has when the annotation that was removed is back.
  const range = { spec: { podCIDR: '10.244.7.0/24', podCIDRs: ['10.244.7.0/24'] } };
  await cluster.client.patch(node, { name: 'cloudy' }, range, { type: 'merge' }, signal);
  const after = await eventually(async () => {
    const got = await find();
    return got?.metadata.annotations?.['alpha.kubernetes.io/provided-node-ip'] === undefined ? undefined : got;
  }, 'the annotation again');
  expect(after.status?.addresses).toEqual(addresses);
});
