// The control loops against a real API server in process. Pods have no node here: tests play the kubelet by writing status.
import { type Pod, pod } from '#api/core/pod/pod.ts';
import { keyOf, type KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { systemClock } from '#base/clock.ts';
import { runServices } from '#base/lifecycle.ts';
import { silentLog } from '#base/log.ts';
import type { TypedResource } from '#client/client.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { timeText } from '#client/timestamps.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { controllerManager } from './controller-manager.ts';
import type { ControllerOptions } from './controllers.ts';

const never = new AbortController().signal;

/** A running control plane without scheduler and nodes. */
export class ControlPlane implements AsyncDisposable {
  readonly server: TestApiServer;
  readonly client: RestClient;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  private constructor(server: TestApiServer, options: Partial<ControllerOptions>) {
    this.server = server;
    const clock = systemClock;
    this.client = connect(server.adminClientConfig, { clock, component: 'controllers-test' });
    const events = { event: (): void => undefined };
    const { cluster, loops } = controllerManager({ ...options, client: this.client, events: () => events, clock, log: silentLog });
    this.#ended = runServices(this.#stop.signal, [cluster, loops]);
  }

  static async start(options: Partial<ControllerOptions> = {}): Promise<ControlPlane> {
    return new ControlPlane(await startTestApiServer(), options);
  }

  /** Plays the kubelet for every pod that is not ready yet, and lets pods go that are being deleted. Answers how many it changed. */
  async runPods(isWanted: (object: Pod) => boolean = () => true): Promise<number> {
    const { items } = await this.client.list<Pod>(pod, {}, never);
    let changed = 0;
    for (const [index, one] of items.entries()) {
      try {
        if (await this.#runPod(one, index, isWanted)) changed++;
      } catch (error) {
        // It went or changed since the list.
        if (!hasReason(error, 'NotFound', 'Conflict')) throw error;
      }
    }
    return changed;
  }

  async #runPod(one: Pod, index: number, isWanted: (object: Pod) => boolean): Promise<boolean> {
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
  }

  /** Looks until `check` answers something other than undefined or false; throws after ten seconds with what was seen last. */
  async until<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
    for (let tries = 0; tries < 1_000; tries++) {
      const seen = await check();
      if (seen !== undefined && seen !== false) return seen;
      await sleep(10);
    }
    throw new Error(`never seen: ${what}`);
  }

  async list<T extends KubeObject>(kind: TypedResource<T>, namespace?: string): Promise<readonly T[]> {
    return (await this.client.list(kind, { namespace }, never)).items;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    await this.#ended;
    await this.client[Symbol.asyncDispose]();
    await this.server.stop();
  }
}
