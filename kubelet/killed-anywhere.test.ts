// A kubelet that is killed at one operation of the runtime after the other, before it and after it, while a pod begins and while it ends:
// the next kubelet goes on. Nothing is made twice, what has run is not run again, and in the end nothing is left.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { systemClock } from '#base/clock.ts';
import type { Runtime } from './runtime/contract.ts';
import { endsAfter } from './runtime/simulated/program.ts';
import { SimulatedRuntime } from './runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode, type TestCluster, type TestKubelet } from './testing.ts';

const { signal } = new AbortController();
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

const operations = ['createSandbox', 'createContainer', 'startContainer', 'stopContainer', 'stopSandbox', 'removeSandbox'] as const;
/** A sandbox, three containers made and started; two stopped and the sandbox, which is removed then. */
const inALife = 11;

const key = { namespace: 'default', name: 'p' };
const spec: Pod['spec'] = {
  nodeName: testNode,
  terminationGracePeriodSeconds: 1,
  initContainers: [
    { name: 's', image: 'app', restartPolicy: 'Always' },
    { name: 'i', image: 'app', command: ['once'] },
  ],
  containers: [{ name: 'c', image: 'app', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
};

/** What was asked of the engine, and who is killed in the middle of it. */
class Life {
  readonly made: string[] = [];
  readonly done: string[] = [];
  kubelet: TestKubelet | undefined;
  readonly #engine = new SimulatedRuntime(systemClock, { anyImage: true, programs: { once: endsAfter(1, 0) } });
  readonly #at: number;
  readonly #when: 'before' | 'after';
  #count = 0;

  constructor(at: number, when: 'before' | 'after') {
    this.#at = at;
    this.#when = when;
  }

  get count(): number {
    return this.#count;
  }

  get engine(): SimulatedRuntime {
    return this.#engine;
  }

  /** The engine, as the kubelet sees it. */
  runtime(): Runtime {
    return new Proxy<Runtime>(this.#engine, {
      get: (engine, name, proxy) => {
        const value: unknown = Reflect.get(engine, name, engine === proxy ? proxy : engine);
        if (typeof value !== 'function') return value;
        const method = (value as (...all: unknown[]) => unknown).bind(engine);
        return operations.some((one) => one === name) ? (...all: unknown[]) => this.#interrupt(String(name), method, all) : method;
      },
    });
  }

  async #interrupt(name: string, method: (...all: unknown[]) => unknown, all: readonly unknown[]): Promise<unknown> {
    const isLast = ++this.#count === this.#at;
    if (isLast && this.#when === 'before') this.#kill(all);
    const answer = await method(...all);
    this.done.push(name);
    if (name === 'createContainer') {
      const { name: container, attempt } = all[1] as { name: string; attempt: number };
      this.made.push(`${container}.${attempt} ${String(answer)}`);
    }
    if (isLast && this.#when === 'after') this.#kill(all);
    return answer;
  }

  /** Whoever asked hears of no answer any more. */
  #kill(all: readonly unknown[]): never {
    void this.kubelet?.kill();
    throw (all.at(-1) as AbortSignal).reason;
  }
}

const moments = Array.from({ length: inALife }, (_, at) => at + 1).flatMap((at) => [[at, 'before'] as const, [at, 'after'] as const]);

test.each(moments)('at operation %d, %s it', async (at, when) => {
  const life = new Life(at, when);
  const first = await startTestKubelet(cluster, { runtime: life.runtime() });
  life.kubelet = first;
  const later: TestKubelet[] = [];
  const goOn = async (): Promise<void> => {
    if (life.count < at || later.length > 0) return;
    await first.kill();
    later.push(await startTestKubelet(cluster, { runtime: life.runtime(), rootDir: first.rootDir, mounter: first.mounter }));
  };
  await cluster.client.create(podKind, { metadata: key, spec }, {}, signal);
  const find = (): Promise<Pod | undefined> => cluster.client.get(podKind, key, signal).catch(() => undefined);
  const running = await eventually(async () => {
    await goOn();
    const found = await find();
    return found?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true ? found : undefined;
  }, 'a ready pod');
  expect(running.status?.containerStatuses?.[0]?.restartCount).toBe(0);
  await cluster.client.delete(podKind, key, {}, signal);
  await eventually(async () => {
    await goOn();
    return (await find()) === undefined;
  }, 'its end');
  await eventually(async () => (await life.engine.pods()).length === 0, 'nothing to be left in the engine');
  expect(life.made.map((one) => one.split(' ')[0] ?? '').toSorted()).toEqual(['c.0', 'i.0', 's.0']);
  expect(first.mounter.mounted.size).toBe(0);
  expect(await readdir(join(first.rootDir, 'pods'))).toEqual([]);
  expect(later).toHaveLength(1);
  for (const kubelet of [first, ...later]) await kubelet[Symbol.asyncDispose]();
});
