import { setTimeout as sleep } from 'node:timers/promises';
import { node } from '#api/core/node/node.ts';
import { pod } from '#api/core/pod/pod.ts';
import type { Bench, BenchContext } from '../bench.ts';
import { perSecond } from '../figure.ts';
import { cpuMicros } from '../process-usage.ts';
import { adminClient, ServerProcess, startBundle } from '../servers.ts';

const nodes = 1_000;
const warmUpPods = 100;

/** Pods that wait when the scheduler starts, bound to 1,000 nodes; timed from the hundredth to the last binding. */
export const schedule: Bench = {
  name: 'schedule',
  about: 'scheduling on 1,000 nodes, through the API',
  async *run(context) {
    const pods = context.quick ? 1_000 : 5_000;
    await using server = await context.emptyServer('schedule');
    await makeNodes(context, server.port);
    await context.createPods(server, pods);
    await using client = adminClient(context.workshop, server.port);
    const stop = new AbortController();
    const { items, metadata } = await client.list(pod, { limit: 1 }, stop.signal);
    if (items[0]?.spec?.nodeName !== undefined) throw new Error('pods are bound already');
    const events = client.watch(pod, { resourceVersion: metadata.resourceVersion }, stop.signal);
    const kubeconfig = await context.workshop.kubeconfig(server.port, 'system:kube-scheduler');
    const flags = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
    const child = startBundle(context.workshop, context.bundles, 'kube-scheduler', flags);
    await using scheduler = new ServerProcess(child, server.peer, Number.NaN);
    const used = (): number => cpuMicros(scheduler.pid);
    let bound = 0;
    let startMs = 0;
    let usedBefore = 0;
    const usedByServerBefore = cpuMicros(server.pid);
    for await (const { type, object } of events) {
      if (type !== 'MODIFIED' || object.spec?.nodeName === undefined) continue;
      bound++;
      if (bound === warmUpPods) [startMs, usedBefore] = [performance.now(), used()];
      if (bound === pods) break;
    }
    const seconds = (performance.now() - startMs) / 1_000;
    const timed = pods - warmUpPods;
    const note = `API server: ${((cpuMicros(server.pid) - usedByServerBefore) / pods).toFixed(0)} µs a pod`;
    yield {
      what: `scheduling on ${nodes} nodes`,
      ours: perSecond(timed / seconds),
      target: perSecond(1_000),
      cpu: { oursMicros: (used() - usedBefore) / timed },
      note,
    };
    stop.abort();
    await sleep(0);
  },
};

async function makeNodes({ workshop }: BenchContext, port: number): Promise<void> {
  await using client = adminClient(workshop, port);
  const never = new AbortController().signal;
  const resources = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '100Gi' };
  const make = async (number: number): Promise<void> => {
    const name = `node-${String(number).padStart(4, '0')}`;
    const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${number % 3}` };
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }];
    const created = await client.create(node, { metadata: { name, labels }, spec: {} }, {}, never);
    await client.update(
      node,
      { ...created, status: { capacity: resources, allocatable: resources, conditions } },
      { subresource: 'status' },
      never,
    );
    // Admission may have marked it as not ready yet.
    if ((created.spec?.taints ?? []).length > 0) {
      await client.patch(node, { name }, { spec: { taints: null } }, { type: 'merge' }, never);
    }
  };
  for (let first = 0; first < nodes; first += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, at) => make(first + at)));
  }
}
