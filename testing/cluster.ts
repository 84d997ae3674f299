// A cluster within the process of a test: API server, controllers, scheduler, and nodes whose containers are functions. It needs no
// container engine and no root, starts in about a second, and is stopped with the test.
//
//   await using cluster = await startCluster();
//   const config = new KubeConfig();
//   config.loadFromString(cluster.kubeconfig);
//
// There is no pod network: Services get addresses and endpoints that do not accept connections. The ports of a pod, where its program
// listens, are reached by port-forward.
import type { Duplex } from 'node:stream';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { type Node, node } from '#api/core/node/node.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { findCondition } from '#api/meta/conditions.ts';
import { hasReason } from '#api/meta/status.ts';
import { systemClock as clock } from '#base/clock.ts';
import { silentLog as log } from '#base/log.ts';
import { createCa, signCertificate } from '#base/pki.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { apiServerUser } from '#kubelet/server/admit.ts';
import { runControlPlane } from './control-plane.ts';
import { adminKubeconfig } from './kubeconfig.ts';
import { startSimulatedNode } from './simulated-node.ts';

/** A container, as its program sees it. */
export interface ContainerView {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: AsyncIterable<Uint8Array>;
  print(text: string, stream?: 'stdout' | 'stderr'): Promise<void>;
  /** Resolves at SIGTERM. */
  readonly terminated: Promise<void>;
  /** Aborts when the container is killed: output after that is discarded. */
  readonly killed: AbortSignal;
  /** Accepts connections to a port of the pod until the container terminates. */
  listen(port: number, answer: (connection: Duplex) => void): void;
}

/** Runs as the main process of a container, or as a command of `kubectl exec`. Resolves with the exit code. */
export type ContainerProgram = (container: ContainerView) => Promise<number>;

export interface ClusterOptions {
  /** Number of nodes, 0 to 250, named `node-1` and so on; default 1. Without nodes, pods stay Pending. */
  readonly nodes?: number;
  /** Programs by the first word of the container's command; a container without a command runs the program named like its image. */
  readonly programs?: Readonly<Record<string, ContainerProgram>>;
  /** The program of all other containers; default: runs until SIGTERM. Unknown commands of `kubectl exec` are not found. */
  readonly program?: ContainerProgram;
  /** Aborts the start of the cluster. */
  readonly signal?: AbortSignal;
}

export interface Cluster extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** The administrator's kubeconfig, as YAML or JSON text. */
  readonly kubeconfig: string;
  /** Stops the cluster. Rejects if a component has failed. Idempotent. */
  stop(): Promise<void>;
}

const pollMs = 20;

/**
 * Starts a cluster; resolves when all nodes are Ready and pods can be created in the namespace `default`.
 * @throws RangeError for an invalid number of nodes.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { nodes = 1, programs = {}, program } = options;
  if (!Number.isInteger(nodes) || nodes < 0 || nodes > 250) throw new RangeError(`a cluster has 0 to 250 nodes, not ${nodes}`);
  const api = await startServer();
  const life = new AbortController();
  const ended = runControlPlane({ api, clock, log }, life.signal);
  const running: AsyncDisposable[] = [];
  const end = async (): Promise<void> => {
    for (const one of running.splice(0)) await one[Symbol.asyncDispose]();
    life.abort(new Error('the cluster is stopped'));
    await ended.finally(() => api.stop());
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= end());
  const containers = { programs, ...(program === undefined ? {} : { default: program }) };
  try {
    for (let index = 1; index <= nodes; index++) running.push(await startSimulatedNode({ api, clock, index, containers }));
    await using client = connect(api.adminClientConfig, { clock, component: 'coxswain-testing' });
    const failed = ended.then(() => Promise.reject(new Error('the control plane has ended')));
    await Promise.race([failed, untilReady(client, nodes, options.signal ?? new AbortController().signal)]);
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  return { url: api.url, kubeconfig: adminKubeconfig(api), stop, [Symbol.asyncDispose]: stop };
}

/** An API server with a client certificate for the kubelets, which it reaches on loopback. */
async function startServer(): Promise<TestApiServer> {
  const nowMs = clock.nowMs();
  const ca = await createCa('kubernetes', nowMs);
  const pair = await signCertificate(ca, { commonName: apiServerUser, organizations: ['system:masters'], usages: ['client'] }, nowMs);
  return await startTestApiServer({ ca, kubelet: { ...pair, ca: ca.cert, addressTypes: ['InternalIP'] }, mayReach: () => true });
}

async function untilReady(client: RestClient, wanted: number, signal: AbortSignal): Promise<void> {
  while (!(await isReady(client, wanted, signal))) await clock.sleep(pollMs, signal);
}

async function isReady(client: RestClient, wanted: number, signal: AbortSignal): Promise<boolean> {
  const { items } = await client.list<Node>(node, {}, signal);
  const ready = items.filter(
    ({ status }) => findCondition<{ type: string; status: string }>(status?.conditions, 'Ready')?.status === 'True',
  );
  if (ready.length < wanted) return false;
  try {
    await client.get(serviceAccount, { namespace: 'default', name: 'default' }, signal);
    return true;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false;
    throw error;
  }
}
