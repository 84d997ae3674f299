// What goes on on workers while control planes are struck: pods that keep their names are ended and replaced, workers are lost and come back.
// Whatever happens, of a pod's name no container runs twice at a time.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildDemoImages } from '#cli/demo/images.ts';
import { until } from '#test/e2e/cluster.ts';
import { deploymentManifest } from '#test/e2e/manifests.ts';
import type { Fleet } from '#test/testbed/fleet.ts';
import { workerFaults } from './faults.ts';
import { EngineRecord } from './history/engine-record.ts';
import { checkRuns, starts } from './history/runs.ts';
import { NamedPods } from './named-pods.ts';

const hello = join(import.meta.dirname, '../../cli/demo/hello.mjs');
const replicas = 4;
/** Longer than it takes until pods are driven off a node that is silent (docs/guides/fast-failover.md). */
const lastsMs = 35_000;
const quietMs = 5_000;
const churnMs = 4_000;
const settleMs = 240_000;

export interface WorkerRunOptions {
  readonly fleet: Fleet;
  readonly workers: readonly string[];
  /** Answers one of a list. */
  readonly pick: <T>(list: readonly T[]) => T;
  readonly progress: (text: string) => void;
}

export interface WorkerRunResult {
  readonly problems: readonly string[];
  /** How often containers were started in all. */
  readonly started: number;
}

export class WorkerRun implements AsyncDisposable {
  readonly #options: WorkerRunOptions;
  readonly #record: EngineRecord;
  readonly #named: NamedPods;
  readonly #over = new AbortController();
  readonly #going: Promise<unknown>;

  private constructor(options: WorkerRunOptions, { record, named }: { record: EngineRecord; named: NamedPods }) {
    this.#options = options;
    this.#record = record;
    this.#named = named;
    this.#going = Promise.all([this.#strike(), this.#churn()]);
    this.#going.catch(() => undefined);
  }

  /** Resolves when the pods run. */
  static async start(options: WorkerRunOptions): Promise<WorkerRun> {
    const { fleet, workers } = options;
    await Promise.all(workers.map((name) => buildDemoImages(fleet.host(name).dockerSocket, hello, () => undefined)));
    const record = await EngineRecord.follow(workers.map((name) => fleet.host(name)));
    const input = JSON.stringify(deploymentManifest('web', replicas));
    await until('pods are asked for', async () => (await fleet.kubectl(['apply', '-f', '-'], { input })).code === 0);
    const named = new NamedPods(fleet, replicas);
    await allRun(fleet, named);
    return new WorkerRun(options, { record, named });
  }

  /** Ends it, waits until all is whole again, and judges. */
  async finish(): Promise<WorkerRunResult> {
    this.#over.abort();
    await this.#going;
    await allRun(this.#options.fleet, this.#named);
    await this.#named[Symbol.asyncDispose]();
    await this.#record[Symbol.asyncDispose]();
    const { runs } = this.#record;
    const counts = starts(runs);
    const never = this.#named.names.map((name) => `default/${name}/main`).filter((name) => (counts.get(name) ?? 0) < 2);
    return { problems: [...checkRuns(runs), ...never.map((name) => `${name} was never started again`)], started: runs.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#going.catch(() => undefined);
    await this.#named[Symbol.asyncDispose]();
    await this.#record[Symbol.asyncDispose]();
  }

  async #strike(): Promise<void> {
    const { fleet, workers, pick, progress } = this.#options;
    while (await this.#goesOnAfter(quietMs)) {
      const [name, fault] = [pick(workers), pick(workerFaults)];
      progress(`  ${name}, a worker: ${fault.name}`);
      const end = await fault.begin(fleet, name);
      await this.#goesOnAfter(lastsMs);
      await end();
      await until(`${name} is Ready`, async () => / Ready /.test((await fleet.kubectl(['get', 'node', name])).stdout), settleMs);
    }
  }

  /** Kubectl may find nobody who answers: the next time, then. */
  async #churn(): Promise<void> {
    const { fleet, pick } = this.#options;
    while (await this.#goesOnAfter(churnMs)) {
      const deletion = `delete pod ${pick(this.#named.names)} --wait=false`;
      const words = pick([deletion, deletion, 'rollout restart deployment/web']);
      await fleet.kubectl(words.split(' '), { timeoutMs: 10_000 });
    }
  }

  async #goesOnAfter(ms: number): Promise<boolean> {
    await sleep(ms, undefined, { signal: this.#over.signal }).catch(() => undefined);
    return !this.#over.signal.aborted;
  }
}

async function allRun(fleet: Fleet, named: NamedPods): Promise<void> {
  const isWhole = async (): Promise<boolean> => (await fleet.kubectl(['rollout', 'status', 'deployment/web', '--timeout=30s'])).code === 0;
  await until('the Deployment is whole', isWhole, settleMs);
  await until('pods with names of their own are ready', () => named.areReady(), settleMs);
}
