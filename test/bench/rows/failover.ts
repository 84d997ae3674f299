import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilReady } from '#test/chaos/fault-run.ts';
import { controlPlaneFaults, etcdLeader } from '#test/chaos/faults.ts';
import { Background } from '#test/e2e/background.ts';
import { until } from '#test/e2e/cluster.ts';
import { Fleet } from '#test/testbed/fleet.ts';
import type { Bench } from '../bench.ts';
import type { Stretch } from '../cluster/askers.ts';
import { seconds } from '../figure.ts';

const controlPlanes = ['host1', 'host2', 'host3'];
const balancer = 'host9';
const askers = join(import.meta.dirname, '../cluster/askers.ts');
const lastsMs = 5_000;
const answerLimitMs = 120_000;
/** Where the cluster is one control plane short; cables that are only bad are no loss. */
const losses = [
  'kube-apiserver is killed',
  'kube-apiserver stands still',
  'etcd is killed',
  'etcd stands still',
  'the cable is cut',
  'the power goes',
];

/** How long who asks through the balancer waits while a control plane is lost: the longest of reads and writes, each tried until it is answered. */
export const failover: Bench = {
  name: 'failover',
  about: 'three control planes behind haproxy: the longest that a read or a write takes while one of them is lost (needs root)',
  async *run({ quick }) {
    await using made = await Fleet.start({ controlPlanes: controlPlanes.length, workers: 0 });
    await using asking = new Asking(made);
    await asking.stretch();
    for (const name of losses) {
      const fault = controlPlaneFaults.find((one) => one.name === name);
      if (fault === undefined) throw new Error(`there is no fault ${JSON.stringify(name)}`);
      const told: Stretch[] = [];
      for (const isLeader of quick ? [true] : [true, false, true, false]) {
        const leader = (await etcdLeader(made, controlPlanes)) ?? '';
        const host = isLeader ? leader : (controlPlanes.find((one) => one !== leader) ?? '');
        await asking.stretch();
        const end = await fault.begin(made, host);
        await sleep(lastsMs);
        await end();
        await untilReady(made, controlPlanes);
        told.push(await asking.stretch());
      }
      const longest = (which: 'longestReadMs' | 'longestWriteMs'): number => Math.max(...told.map((one) => one[which])) / 1_000;
      const [read, write] = [longest('longestReadMs'), longest('longestWriteMs')];
      yield {
        what: `${name}: until served`,
        ours: seconds(Math.max(read, write)),
        target: seconds(2),
        note: `reads ${read.toFixed(2)}, writes ${write.toFixed(2)}, of ${told.reduce((sum, { requests }) => sum + requests, 0)}`,
      };
    }
  },
};

/** The program that asks all the time, beside the balancer. */
class Asking implements AsyncDisposable {
  readonly #program: Background;
  #stretches = 0;

  constructor(fleet: Fleet) {
    this.#program = new Background(fleet.host(balancer), [process.execPath, askers, '/root/admin.conf']);
  }

  /** What was asked since the last time, once all of it was answered. */
  async stretch(): Promise<Stretch> {
    this.#program.type('\n');
    this.#stretches++;
    const lines = (): string[] => this.#program.output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    await until('everything asked for is answered', () => Promise.resolve(lines().length >= this.#stretches), answerLimitMs);
    return JSON.parse(lines()[this.#stretches - 1] ?? '') as Stretch;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}
