// The control loops against a real API server in process, each with the rights that upstream's roles give it. Pods have no node agent here: tests play it by writing status.
import { type Deployment, deployment } from '#api/apps/deployment.ts';
import { type Namespace, namespace } from '#api/core/namespace.ts';
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { type ServiceAccount, serviceAccount } from '#api/core/service-account.ts';
import { keyOf, type KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import type { FakeClock } from '#base/fake-clock.ts';
import { runServices } from '#base/lifecycle.ts';
import { silentLog } from '#base/log.ts';
import { createMetrics, type Metrics } from '#base/metrics.ts';
import type { Client, TypedResource, WatchEvent } from '#client/client.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { AccountClients } from '#client/accounts/account-clients.ts';
import { timeText } from '#client/timestamps.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { aTemplate } from './builders.ts';
import { controllerManager, type ControllerManagerDeps } from './controller-manager.ts';

const never = new AbortController().signal;

/** When `until` fails the test: below vitest's limit of 30 s, so that the error says what was never seen. */
const giveUpMs = 25_000;

export interface ControlPlaneOptions extends Partial<Pick<ControllerManagerDeps, PlainOption>> {
  /** Every change reaches the caches that much later, one after the other. */
  readonly lagMs?: number;
  /** Virtual time for the controllers: each poll of `until` advances it by `stepMs`, so that a busy machine does not let it run out. */
  readonly time?: { readonly clock: FakeClock; readonly stepMs: number };
}
type PlainOption =
  | 'signing'
  | 'rootCa'
  | 'clusterCidr'
  | 'nodeCidrBits'
  | 'loadBalancerCidr'
  | 'nodeTimings'
  | 'selection'
  | 'podCollection';

interface RecordedEvent {
  readonly source: string;
  /** `Kind/name`. */
  readonly about: string;
  readonly reason: string;
  readonly message: string;
}

/** A running control plane without scheduler and nodes. */
export class ControlPlane implements AsyncDisposable {
  readonly server: TestApiServer;
  readonly client: RestClient;
  /** What the loops recorded since the start. */
  readonly events: RecordedEvent[] = [];
  /** What the loops count, since they last started. */
  metrics: Metrics = createMetrics();
  readonly #options: ControlPlaneOptions;
  readonly #own: RestClient;
  readonly #accounts: AccountClients;
  #stop = new AbortController();
  #ended: Promise<void>;

  private constructor(server: TestApiServer, options: ControlPlaneOptions, api: ApiEndpoint) {
    this.server = server;
    this.#options = options;
    this.client = connect(server.adminClientConfig, { clock: systemClock, component: 'controllers-test' });
    this.#own = connect(api, { clock: systemClock, component: 'kube-controller-manager' });
    this.#accounts = new AccountClients({ api, component: 'kube-controller-manager', client: this.#own, clock: systemClock });
    this.#ended = this.#run();
  }

  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const server = await startTestApiServer();
    return new ControlPlane(server, options, await server.clientConfigFor('system:kube-controller-manager'));
  }

  /** As when the process is killed and comes back: nothing is remembered. */
  async restart(): Promise<void> {
    this.#stop.abort(new Error('restarted'));
    await this.#ended;
    // What was sent last may still be served. A lease keeps successors waiting far longer than that; here some round trips do.
    for (let trip = 0; trip < 50; trip++) await this.client.raw('GET', '/version', undefined, never);
    this.#stop = new AbortController();
    this.#ended = this.#run();
  }

  #run(): Promise<void> {
    const { lagMs = 0, time, ...options } = this.#options;
    const clock = time?.clock ?? systemClock;
    const client = lagMs > 0 ? withLag(this.#own, lagMs) : this.#own;
    const clientFor = (controller: string): Client => this.#accounts.clientFor(controller);
    const events = (source: string) => ({
      event: ({ kind, metadata }: KubeObject, _type: string, reason: string, message: string): void => {
        this.events.push({ source, about: `${kind}/${metadata.name}`, reason, message });
      },
    });
    this.metrics = createMetrics();
    const { metrics } = this;
    const { cluster, loops } = controllerManager({ ...options, client, clientFor, events, metrics, clock, log: silentLog });
    return runServices(this.#stop.signal, [cluster, loops]);
  }

  /** Makes a namespace that takes pods. */
  async inNamespace(name: string): Promise<string> {
    await this.client.create<Namespace>(namespace, { metadata: { name } }, {}, never);
    await this.until('the default service account', async () => (await this.list<ServiceAccount>(serviceAccount, name)).length > 0);
    return name;
  }

  /** Makes a Deployment named `web` of image web:1. */
  async deploy(ns: string, spec: Partial<Deployment['spec']> = {}): Promise<Deployment> {
    const whole = { selector: { matchLabels: { app: 'web' } }, template: aTemplate(), ...spec };
    return await this.client.create<Deployment>(deployment, { metadata: { name: 'web', namespace: ns }, spec: whole }, {}, never);
  }

  async patchDeployment(ns: string, spec: object): Promise<void> {
    await this.client.patch<Deployment>(deployment, { namespace: ns, name: 'web' }, { spec }, { type: 'merge' }, never);
  }

  async getDeployment(ns: string): Promise<Deployment> {
    return await this.client.get<Deployment>(deployment, { namespace: ns, name: 'web' }, never);
  }

  /** Pods that are not being deleted. */
  async podsOf(ns: string): Promise<readonly Pod[]> {
    return (await this.list<Pod>(pod, ns)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Plays the node agent of one namespace: pods that are wanted become ready, those that are being deleted go. Answers how many changed. */
  async runPods(ns: string, isWanted: (object: Pod) => boolean = () => true): Promise<number> {
    const pods = await this.list<Pod>(pod, ns);
    const changed = await Promise.all(pods.map((one, index) => this.#runPod(one, index, isWanted)));
    return changed.filter(Boolean).length;
  }

  async #runPod(one: Pod, index: number, isWanted: (object: Pod) => boolean): Promise<boolean> {
    try {
      if (one.metadata.deletionTimestamp !== undefined) {
        await this.client.delete(pod, keyOf(one), { gracePeriodSeconds: 0 }, never);
        return true;
      }
      if (one.status?.phase === 'Running' || !isWanted(one)) return false;
      const podIP = `10.244.0.${index + 2}`;
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: timeText(systemClock.nowMs()) }];
      const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions };
      await this.client.update<Pod>(pod, { ...one, status }, { subresource: 'status' }, never);
      return true;
    } catch (error) {
      // It went or changed since the list.
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
      return false;
    }
  }

  /** Polls until `check` answers something other than undefined or false; throws after `giveUpMs`. */
  async until<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
    const { time } = this.#options;
    const limitMs = systemClock.monotonicMs() + giveUpMs;
    while (systemClock.monotonicMs() < limitMs) {
      const seen = await check();
      if (seen !== undefined && seen !== false) return seen;
      await sleep(10);
      await time?.clock.advance(time.stepMs);
    }
    throw new Error(`never seen: ${what}`);
  }

  async list<T extends KubeObject>(kind: TypedResource<T>, ns?: string): Promise<readonly T[]> {
    return (await this.client.list(kind, { namespace: ns }, never)).items;
  }

  /** Undefined when there is none. */
  async find<T extends KubeObject>(kind: TypedResource<T>, name: string, ns?: string): Promise<T | undefined> {
    try {
      return await this.client.get(kind, { namespace: ns, name }, never);
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    await this.#ended;
    await this.#accounts[Symbol.asyncDispose]();
    await this.#own[Symbol.asyncDispose]();
    await this.client[Symbol.asyncDispose]();
    await this.server.stop();
  }
}

function withLag(client: Client, lagMs: number): Client {
  return {
    get: (...args) => client.get(...args),
    list: (...args) => client.list(...args),
    create: (...args) => client.create(...args),
    createSub: (...args) => client.createSub(...args),
    update: (...args) => client.update(...args),
    patch: (...args) => client.patch(...args),
    delete: (...args) => client.delete(...args),
    deleteCollection: (...args) => client.deleteCollection(...args),
    raw: (...args) => client.raw(...args),
    watch: (...args) => late(client.watch(...args), lagMs),
  };
}

async function* late<T>(changes: AsyncIterable<WatchEvent<T>>, lagMs: number): AsyncIterable<WatchEvent<T>> {
  for await (const change of changes) {
    await sleep(lagMs);
    yield change;
  }
}
