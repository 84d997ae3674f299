// A whole kubelet on a machine that shuts down, and then does not.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { event } from '#api/core/event/event.ts';
import { node as nodeKind } from '#api/core/node/node.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { eventually, startTestCluster, startTestKubelet, testNode, type TestCluster } from '../testing.ts';
import type { ShutdownSource } from './logind.ts';

const signal = new AbortController().signal;
const key = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name });
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

/** A machine that a test shuts down. */
class Machine implements ShutdownSource {
  neededSeconds = 0;
  isHeld = false;
  #tell: (isBeginning: boolean) => void = () => undefined;

  async watch(neededSeconds: number, until: AbortSignal): ReturnType<ShutdownSource['watch']> {
    this.neededSeconds = neededSeconds;
    this.isHeld = true;
    const told: boolean[] = [];
    let wake = (): void => undefined;
    this.#tell = (isBeginning) => {
      told.push(isBeginning);
      wake();
    };
    const events = (async function* () {
      while (!until.aborted) {
        const next = told.shift();
        if (next !== undefined) yield next;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
            until.addEventListener('abort', () => resolve(), { once: true });
          });
      }
    })();
    return { events, release: () => void (this.isHeld = false), hold: () => void (this.isHeld = true) };
  }

  tell(isBeginning: boolean): void {
    this.#tell(isBeginning);
  }
}

test('pods end by their priority before the machine may; the node says so and takes no more', async () => {
  const clock = new FakeClock(Date.now());
  const ends: string[] = [];
  const runtime = new SimulatedRuntime(clock, {
    anyImage: true,
    default: async ({ terminated, command, killed }) => {
      await terminated;
      await clock.sleep(2_000, killed);
      ends.push(command[1] ?? '');
      return 0;
    },
    programs: {
      serve: async ({ terminated, command, killed }) => {
        await terminated;
        await clock.sleep(2_000, killed);
        ends.push(command[1] ?? '');
        return 0;
      },
    },
  });
  const machine = new Machine();
  const config = {
    shutdownPeriods: [
      { priority: 0, seconds: 20 },
      { priority: 1_000, seconds: 10 },
    ],
  };
  await using _ = await startTestKubelet(cluster, { runtime, clock, shutdownSource: machine, config });
  const until = async <T>(look: () => Promise<T | undefined | false>, why: string): Promise<T> =>
    await eventually(async () => {
      await clock.advance(500);
      return await look();
    }, why);
  const podWhen = async (name: string, isSo: (pod: Pod) => boolean): Promise<Pod> =>
    await until(async () => {
      const found = await cluster.client.get(podKind, key(name), signal);
      return isSo(found) && found;
    }, `pod ${name}`);
  const make = async (name: string, spec: Partial<Pod['spec']> = {}): Promise<void> => {
    const containers = [{ name: 'c', image: 'app', command: ['serve', name] }];
    await cluster.client.create(podKind, { metadata: key(name), spec: { containers, nodeName: testNode, ...spec } }, {}, signal);
  };
  await make('first', { priority: 1_000 });
  await make('second');
  for (const name of ['first', 'second']) await podWhen(name, ({ status }) => status?.containerStatuses?.[0]?.ready === true);
  expect([machine.neededSeconds, machine.isHeld]).toEqual([30, true]);

  machine.tell(true);
  for (const name of ['second', 'first']) {
    const over = await podWhen(name, ({ status }) => status?.phase === 'Failed');
    const message = 'Pod was terminated in response to imminent node shutdown.';
    expect(over.status).toMatchObject({ reason: 'Terminated', message });
    expect(over.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message }),
    );
  }
  expect(ends).toEqual(['second', 'first']);
  await until(async () => !machine.isHeld, 'the machine to be let go');
  const readiness = async () => {
    const { status } = await cluster.client.get(nodeKind, { name: testNode }, signal);
    return status?.conditions?.find(({ type }) => type === 'Ready');
  };
  await until(async () => (await readiness())?.message === 'node is shutting down', 'the node to say so');
  await make('late');
  const late = await podWhen('late', ({ status }) => status?.phase === 'Failed');
  expect(late.status).toMatchObject({
    reason: 'NodeShutdown',
    message: 'Pod was rejected: Pod was rejected as the node is shutting down.',
  });

  machine.tell(false);
  await until(async () => (await readiness())?.status === 'True', 'the node to be ready again');
  expect(machine.isHeld).toBe(true);
  const { items } = await cluster.client.list(event, { namespace: 'default', fieldSelector: `involvedObject.name=${testNode}` }, signal);
  expect(items.filter(({ reason }) => reason === 'NodeShutdown').map(({ message }) => message)).toEqual([
    'Shutdown manager detected shutdown event',
    'Shutdown manager detected shutdown cancellation',
  ]);
});
