import { afterAll, beforeAll, expect, test } from 'vitest';
import { event } from '#api/core/event/event.ts';
import { node as nodeKind } from '#api/core/node/node.ts';
import { pod as podKind } from '#api/core/pod/pod.ts';
import { runtimeClass } from '#api/node/runtime-class.ts';
import { systemClock } from '#base/clock.ts';
import type { SandboxSpec, SandboxStatus } from '../runtime/contract.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode, type TestCluster } from '../testing.ts';

const signal = new AbortController().signal;
const key = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name });
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

/** Remembers what it was asked for. */
class WatchedRuntime extends SimulatedRuntime {
  readonly handlers = new Map<string, string | undefined>();

  override async createSandbox(spec: SandboxSpec): Promise<SandboxStatus> {
    this.handlers.set(spec.pod.name, spec.runtimeHandler);
    return await super.createSandbox(spec);
  }
}

async function makePod(name: string, runtimeClassName?: string): Promise<void> {
  const spec = {
    nodeName: testNode,
    containers: [{ name: 'c', image: 'app' }],
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
  };
  await cluster.client.create(podKind, { metadata: key(name), spec }, {}, signal);
}
async function whyNot(name: string): Promise<string | undefined> {
  const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }, signal);
  return items.find(({ reason }) => reason === 'FailedCreatePodSandBox')?.message;
}

test('a pod is run by the handler of its class; where that is not there, its event says so', async () => {
  const runtime = new WatchedRuntime(systemClock, { anyImage: true, info: { handlers: ['runc', 'kata'] } });
  await using _ = await startTestKubelet(cluster, { runtime });
  await cluster.client.create(runtimeClass, { metadata: { name: 'boxed' }, handler: 'kata' }, {}, signal);
  await cluster.client.create(runtimeClass, { metadata: { name: 'odd' }, handler: 'gvisor' }, {}, signal);
  for (const [name, className] of [['plain'], ['boxed', 'boxed'], ['unknown', 'missing'], ['unhandled', 'odd']] as const) {
    await makePod(name, className);
  }
  await eventually(() => runtime.handlers.size === 2, 'the sandboxes of the first two');
  expect(Object.fromEntries(runtime.handlers)).toEqual({ plain: undefined, boxed: 'kata' });
  expect(await eventually(() => whyNot('unknown'), 'an event')).toBe(
    'Failed to create pod sandbox: runtimeclass.node.k8s.io "missing" not found',
  );
  expect(await eventually(() => whyNot('unhandled'), 'an event')).toBe(
    'Failed to create pod sandbox: failed to get sandbox runtime: no runtime for "gvisor" is configured',
  );
  // It is tried again: the class may come later.
  await cluster.client.create(runtimeClass, { metadata: { name: 'missing' }, handler: 'runc' }, {}, signal);
  await eventually(() => runtime.handlers.get('unknown') === 'runc', 'the sandbox of the third');
  const found = await eventually(async () => {
    const { status } = await cluster.client.get(nodeKind, { name: testNode }, signal);
    return status?.runtimeHandlers;
  }, 'what the node can do');
  expect(found.map(({ name = '' }) => name)).toEqual(['', 'runc', 'kata']);
});
