// A whole cluster in this process: API server, control loops, scheduler, and kubelets over simulated runtimes. Containers are functions,
// so there is no engine, no host and no root; kubectl sees no difference until it asks them to run something else.
import { createServer, type AddressInfo } from 'node:net';
import { systemClock as clock } from '#base/clock.ts';
import { runServices } from '#base/lifecycle.ts';
import { silentLog as log } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import { ClusterCache } from '#client/cluster-cache.ts';
import { EventSender } from '#client/events.ts';
import { connect } from '#client/rest.ts';
import { AccountClients } from '#client/accounts/account-clients.ts';
import { controllerManager } from '#controller-manager/controller-manager.ts';
import type { Program } from '#kubelet/runtime/simulated/program.ts';
import { SimulatedRuntime } from '#kubelet/runtime/simulated/simulated-runtime.ts';
import { apiServerUser } from '#kubelet/server/admit.ts';
import { eventually, startTestKubelet, type TestKubelet } from '#kubelet/testing.ts';
import { defaultBinder } from '#scheduler/plugins/default-binder.ts';
import { defaultProfile } from '#scheduler/plugins/default-profile.ts';
import { schedulerMetrics } from '#scheduler/metrics.ts';
import { Scheduler, schedulerKinds } from '#scheduler/scheduler.ts';
import type { Kubectl } from '#test/testbed/kubectl.ts';
import { BareServer } from '../kinds/bare-server.ts';

export interface RunningCluster extends AsyncDisposable {
  readonly bare: BareServer;
}

/** Prints a line, then runs until it is told to end. */
const server: Program = async ({ print, terminated }) => {
  await print('hello\n');
  await terminated;
  return 0;
};
/** What `exec` finds in every container. */
const programs: Readonly<Record<string, Program>> = {
  true: () => Promise.resolve(0),
  false: () => Promise.resolve(1),
  echo: async ({ print, command }) => {
    await print(`${command.slice(1).join(' ')}\n`);
    return 0;
  },
};

/** Starts one with nodes named `node-1` and so on; resolves when all are Ready. */
export async function startRunningCluster(kubectl: Kubectl, nodes = 2): Promise<RunningCluster> {
  const nowMs = clock.nowMs();
  const ca = await createCa('kubernetes', nowMs);
  const pair = await signCertificate(ca, { commonName: apiServerUser, organizations: ['system:masters'], usages: ['client'] }, nowMs);
  const bare = await BareServer.start(kubectl, {
    ca,
    kubelet: { ...pair, ca: ca.cert, addressTypes: ['InternalIP'] },
    mayReach: () => true,
  });
  const stop = new AbortController();
  const ended = runControlPlane(bare, ca, stop.signal);
  const kubelets: TestKubelet[] = [];
  for (let index = 1; index <= nodes; index++) kubelets.push(await startNode(bare, ca, index));
  const readyNodes = async (): Promise<number> => (await bare.kubectl('get nodes --no-headers')).match(/ Ready /g)?.length ?? 0;
  await eventually(async () => (await readyNodes()) === nodes, 'all nodes to be Ready');
  return {
    bare,
    [Symbol.asyncDispose]: async () => {
      for (const kubelet of kubelets) await kubelet[Symbol.asyncDispose]();
      stop.abort(new Error('the test is over'));
      await ended;
      await bare[Symbol.asyncDispose]();
    },
  };
}

/** Each part comes as itself, with the rights that it has anywhere. */
async function runControlPlane({ server: api }: BareServer, ca: KeyPair, signal: AbortSignal): Promise<void> {
  await using client = connect(await api.clientConfigFor('system:kube-controller-manager'), {
    clock,
    component: 'kube-controller-manager',
  });
  await using accounts = new AccountClients({
    component: 'kube-controller-manager',
    api: await api.clientConfigFor('system:kube-controller-manager'),
    client,
    clock,
  });
  const sender = new EventSender({ client, clock, log });
  const { cluster, loops } = controllerManager({
    client,
    clientFor: (controller) => accounts.clientFor(controller),
    events: (name) => sender.recorder(name),
    rootCa: ca.cert,
    clock,
    log,
  });
  await using binder = connect(await api.clientConfigFor('system:kube-scheduler'), { clock, component: 'kube-scheduler' });
  const told = new EventSender({ client: binder, clock, log });
  const profile = defaultProfile([defaultBinder(binder)]);
  const nodesAndPods = new ClusterCache(schedulerKinds, { client: binder, clock, log });
  const scheduler = new Scheduler({
    client: binder,
    cluster: nodesAndPods,
    profile,
    events: told.actionRecorder(profile.schedulerName),
    clock,
    log,
    metrics: (queue) => schedulerMetrics(createMetrics(), profile.schedulerName, queue),
  });
  await runServices(signal, [sender, cluster, loops, told, nodesAndPods, scheduler]);
}

async function startNode({ server: api }: BareServer, ca: KeyPair, index: number): Promise<TestKubelet> {
  const port = await freePort();
  const nodeName = `node-${index}`;
  const request = { commonName: nodeName, ips: ['127.0.0.1'], usages: ['server'] as const };
  return await startTestKubelet(
    { api },
    {
      runtime: new SimulatedRuntime(clock, { anyImage: true, default: server, programs }),
      tls: { ...(await signCertificate(ca, request, clock.nowMs())), clientCa: ca.cert },
      config: {
        nodeName,
        nodeIps: ['127.0.0.1'],
        podCidr: `10.244.${index}.0/24`,
        server: {
          host: '127.0.0.1',
          port,
          certFile: '',
          keyFile: '',
          clientCaFile: '',
          accessTtls: { tokenMs: 120_000, allowedMs: 300_000, deniedMs: 30_000 },
        },
      },
    },
  );
}

/** A port that nobody has; kubelets say theirs before they listen. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}
