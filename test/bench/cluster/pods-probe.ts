// Runs on a test host: starts a cluster there, then pods in several ways, and prints one JSON object with how long each took from the answer
// to its creation until its status said Running. The pods name their node, so that no scheduler is measured.
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { node } from '#api/core/node/node.ts';
import { pod, type Pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { cpuMicros, pssMegabytes } from '../process-usage.ts';

export interface PodsResult {
  /** Milliseconds of each pod. */
  readonly alone: readonly number[];
  readonly steady: readonly number[];
  /** Until the last of `atOnce` pods runs. */
  readonly allMs: number;
  /** The engine alone, with as many containers and networks of its own kind. */
  readonly rawMs: number;
  /** With `idlePods` pods that do nothing. */
  readonly idleCpuShare: number;
  readonly idleMegabytes: number;
}

export interface PodsJob {
  readonly command: string;
  readonly image: string;
  readonly socketPath: string;
  readonly alone: number;
  readonly steady: number;
  readonly steadyEveryMs: number;
  readonly atOnce: number;
  readonly idlePods: number;
  readonly idleMs: number;
}

const job = JSON.parse(process.argv[2] ?? '{}') as PodsJob;
const never = new AbortController().signal;
const namespace = 'default';
const dataDir = '/var/lib/coxswain';
const warmUp = 5;

async function probe(): Promise<PodsResult> {
  await up();
  await using client = connect(findEndpoint({ path: `${dataDir}/kubeconfig/admin.conf`, env: {} }), {
    clock: systemClock,
    component: 'bench',
  });
  const [first] = (await client.list(node, {}, never)).items;
  using pods = new Pods(client, first?.metadata.name ?? '');
  await pods.follow();

  for (let at = 0; at < warmUp; at++) await pods.run(`warm-${at}`);
  const alone: number[] = [];
  for (let at = 0; at < job.alone; at++) alone.push(await pods.run(`alone-${at}`));
  await pods.removeAll();

  const steady: Promise<number>[] = [];
  for (let at = 0; at < job.steady; at++) {
    steady.push(pods.run(`steady-${at}`));
    await sleep(job.steadyEveryMs);
  }
  const steadyMs = await Promise.all(steady);
  await pods.removeAll();

  const startMs = performance.now();
  await Promise.all(Array.from({ length: job.atOnce }, (_, at) => pods.run(`all-${at}`)));
  const allMs = performance.now() - startMs;
  await pods.removeAll(job.idlePods);
  await sleep(5_000);
  const agents = agentPids();
  const used = (): number => agents.reduce((sum, pid) => sum + cpuMicros(pid), 0);
  const [usedBefore, idleStartMs] = [used(), performance.now()];
  await sleep(job.idleMs);
  const idleCpuShare = (used() - usedBefore) / 1_000 / (performance.now() - idleStartMs);
  const idleMegabytes = agents.reduce((sum, pid) => sum + pssMegabytes(pid), 0);
  await pods.removeAll();
  return { alone, steady: steadyMs, allMs, rawMs: await raw(), idleCpuShare, idleMegabytes };
}

async function up(): Promise<void> {
  const child = spawn(process.execPath, [job.command, 'up', '--wait=60s'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`coxswain up: exit code ${String(code)}`);
}

function agentPids(): number[] {
  const folder = `${dataDir}/run`;
  const names = readdirSync(folder).filter((name) => name === 'kubelet.json' || name === 'kube-proxy.json');
  return names.map((name) => (JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as { pid: number }).pid);
}

/** Makes pods and sees what becomes of them. */
class Pods implements Disposable {
  readonly #client: RestClient;
  readonly #nodeName: string;
  readonly #running = new Map<string, PromiseWithResolvers<void>>();
  readonly #there = new Set<string>();
  readonly #life = new AbortController();

  constructor(client: RestClient, nodeName: string) {
    this.#client = client;
    this.#nodeName = nodeName;
  }

  async follow(): Promise<void> {
    const { metadata } = await this.#client.list(pod, { namespace }, never);
    const { signal } = this.#life;
    const events = this.#client.watch(pod, { namespace, resourceVersion: metadata.resourceVersion }, signal);
    const reading = async (): Promise<void> => {
      for await (const { type, object } of events) if (type === 'MODIFIED' || type === 'DELETED') this.#see(type, object);
    };
    void reading().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  [Symbol.dispose](): void {
    this.#life.abort();
  }

  /** Milliseconds until the pod's status says that it runs. */
  async run(name: string): Promise<number> {
    const running = Promise.withResolvers<void>();
    this.#running.set(name, running);
    this.#there.add(name);
    const containers = [{ name: 'main', image: job.image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '100000'] }];
    const spec = { nodeName: this.#nodeName, containers, terminationGracePeriodSeconds: 0, automountServiceAccountToken: false };
    await this.#client.create(pod, { metadata: { name, namespace }, spec }, {}, never);
    const startMs = performance.now();
    await running.promise;
    return performance.now() - startMs;
  }

  /** Deletes all but so many, and waits until they are gone, from the engine too: whoever comes next must not share it with their end. */
  async removeAll(but = 0): Promise<void> {
    for (const name of [...this.#there].slice(but)) await this.#client.delete(pod, { namespace, name }, {}, never);
    while (this.#there.size > but || (await sandboxes()) > but) await sleep(50);
  }

  #see(type: string, { metadata: { name = '' }, status }: Pod): void {
    if (type === 'DELETED') this.#there.delete(name);
    else if (status?.phase === 'Running') this.#running.get(name)?.resolve();
    else if (status?.phase === 'Failed') this.#running.get(name)?.reject(new Error(`${name}: ${status.reason}: ${status.message}`));
  }
}

/** How many pods of ours the engine knows. */
async function sandboxes(): Promise<number> {
  const label = [`io.kubernetes.pod.namespace=${namespace}`, 'io.kubernetes.docker.type=podsandbox'];
  const path = `/containers/json?all=true&filters=${encodeURIComponent(JSON.stringify({ label }))}`;
  return ((await engine('GET', path)) as unknown[]).length;
}

/** Two containers for each pod, as pods have, in the network that the engine gives them; at most ten pods at a time. */
async function raw(): Promise<number> {
  let next = 0;
  const ids: string[] = [];
  const one = async (networkMode: string): Promise<string> => {
    const body = { Image: job.image, Cmd: ['sleep', '100000'], HostConfig: { NetworkMode: networkMode } };
    const { Id } = (await engine('POST', '/containers/create', body)) as { Id: string };
    ids.push(Id);
    await engine('POST', `/containers/${Id}/start`);
    return Id;
  };
  const worker = async (): Promise<void> => {
    while (next++ < job.atOnce) await one(`container:${await one('none')}`);
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: 10 }, worker));
  const tookMs = performance.now() - startMs;
  await Promise.all(ids.map((id) => engine('DELETE', `/containers/${id}?force=true`)));
  return tookMs;
}

function engine(method: string, path: string, body?: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const call = request({ socketPath: job.socketPath, method, path, headers: { 'Content-Type': 'application/json' } }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('end', () => {
      if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${text}`));
      else resolve(text === '' ? undefined : JSON.parse(text));
    });
  });
  call.on('error', reject);
  call.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

process.stdout.write(JSON.stringify(await probe()));
process.exit();
