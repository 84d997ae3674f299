// Whole kubelets through random lives: pods come, change and go, containers and sandboxes die or vanish, the engine refuses, the kubelet is
// killed and comes back. Whatever the order, no wish to start makes two containers, and when the world calms down everything is as asked.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { namespace as namespaceKind } from '#api/core/namespace.ts';
import { pod as podKind, type Pod } from '#api/core/pod/pod.ts';
import { hasReason } from '#api/meta/status.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { type ContainerSpec, RuntimeError } from './runtime/contract.ts';
import { endsAfter, type Program, untilTerminated } from './runtime/simulated/program.ts';
import { SimulatedRuntime } from './runtime/simulated/simulated-runtime.ts';
import { startTestCluster, startTestKubelet, testNode, type TestCluster, type TestKubelet } from './testing.ts';

const { signal } = new AbortController();
let cluster: TestCluster;
let lives = 0;

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => await cluster[Symbol.asyncDispose]());

/** Does not care about SIGTERM. */
const deaf: Program = ({ killed }) => new Promise((resolve) => killed.addEventListener('abort', () => resolve(137), { once: true }));
/** Asks for all containers of its pod to start again, once. */
const asked = new Set<string>();
const asks: Program = async (context) => {
  const uid = context.env['UID'] ?? '';
  if (asked.has(uid)) return await untilTerminated(context);
  await endsAfter(2_000, 0)(context);
  asked.add(uid);
  return 42;
};
const restartAll = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } };
const restarts = { restartPolicy: 'OnFailure', restartPolicyRules: [restartAll] };
const uidVariable = { name: 'UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } };
const programs = { once: endsAfter(3_000, 0), fails: endsAfter(2_000, 1), deaf, asks };

interface Shape {
  readonly spec: Partial<NonNullable<Pod['spec']>>;
  /** How a pod of this shape looks when it is as asked. */
  readonly phase: 'Running' | 'Succeeded' | 'Failed';
}

const run = (name: string, program?: keyof typeof programs): object => ({
  name,
  image: 'app',
  ...(program === undefined ? {} : { command: [program] }),
});
const shapes: Readonly<Record<string, Shape>> = {
  plain: { spec: { containers: [run('a'), run('b', 'deaf')] as never }, phase: 'Running' },
  prepared: {
    spec: { initContainers: [run('i', 'once'), { ...run('s'), restartPolicy: 'Always' }] as never, containers: [run('a')] as never },
    phase: 'Running',
  },
  done: { spec: { restartPolicy: 'OnFailure', containers: [run('a', 'once')] as never }, phase: 'Succeeded' },
  turning: {
    spec: {
      initContainers: [run('i', 'once')] as never,
      containers: [run('a', 'deaf'), { ...run('t', 'asks'), env: [uidVariable], ...restarts }] as never,
    },
    phase: 'Running',
  },
  failed: { spec: { restartPolicy: 'Never', containers: [run('a', 'fails'), run('b', 'once')] as never }, phase: 'Failed' },
};

/** Looks at everything that is made and started. */
class WatchedRuntime extends SimulatedRuntime {
  readonly broken: string[] = [];
  readonly #made = new Map<string, string>();

  override async createContainer(sandboxId: string, spec: ContainerSpec): Promise<string> {
    const id = await super.createContainer(sandboxId, spec);
    const uid = await this.#podOf(id);
    const wish = `${uid}/${spec.name}/${spec.attempt}`;
    const before = this.#made.get(wish);
    if (before !== undefined && before !== id) this.broken.push(`${wish} was made twice`);
    this.#made.set(wish, id);
    return id;
  }

  override async startContainer(id: string): Promise<void> {
    const uid = await this.#podOf(id);
    const all = (await this.podStatus(uid))?.containers ?? [];
    const name = all.find((one) => one.id === id)?.name;
    if (all.some((one) => one.name === name && one.id !== id && one.state === 'running')) this.broken.push(`${uid}/${name} runs twice`);
    await super.startContainer(id);
  }

  /**
   * Somebody else removes a container, or a sandbox with all in it. They may be made again under the same number: nobody who looks for them
   * finds that they ever were.
   */
  async takeAway(id: string): Promise<void> {
    const found = (await this.pods()).find(({ sandboxes, containers }) => [...sandboxes, ...containers].some((one) => one.id === id));
    const container = found?.containers.find((one) => one.id === id);
    this.#forget(found?.pod.uid ?? '', container?.name ?? '');
    await (container === undefined ? this.removeSandbox(id) : this.removeContainer(id));
  }

  #forget(uid: string, name: string): void {
    for (const wish of this.#made.keys()) if (wish.startsWith(`${uid}/${name}`)) this.#made.delete(wish);
  }

  async #podOf(containerId: string): Promise<string> {
    const found = (await this.pods()).find(({ containers }) => containers.some(({ id }) => id === containerId));
    return found?.pod.uid ?? '';
  }
}

class World implements AsyncDisposable {
  readonly clock = new FakeClock(Date.now());
  readonly runtime: WatchedRuntime;
  readonly #namespace = 'default';
  readonly #prefix = `life${lives++}`;
  readonly #pods = new Map<string, { shape: Shape; isDeleted: boolean; hasDeadline: boolean }>();
  #faults: () => boolean = () => false;
  #kubelet: TestKubelet | undefined;
  #rootDir: string | undefined;

  constructor() {
    const fault = (operation: string): RuntimeError | undefined =>
      this.#faults() ? new RuntimeError('Unavailable', `${operation}: the engine has enough of it`) : undefined;
    this.runtime = new WatchedRuntime(this.clock, { anyImage: true, programs, fault });
  }

  async start(): Promise<void> {
    const own = this.#rootDir === undefined ? {} : { rootDir: this.#rootDir };
    this.#kubelet = await startTestKubelet(cluster, { runtime: this.runtime, clock: this.clock, ...own });
    this.#rootDir = this.#kubelet.rootDir;
  }

  async suffer(fate: Fate): Promise<void> {
    switch (fate.kind) {
      case 'time':
        return await this.pass(fate.ms);
      case 'create':
        return await this.#create(fate.shape);
      case 'delete':
        return await this.#delete(fate.which, fate.graceSeconds);
      case 'change':
        return await this.#change(fate.which, fate.hasDeadline);
      case 'trouble':
        // Not fast-check's own dice: what is drawn must not depend on how often the engine is asked.
        this.#faults = dice(fate.share, fate.seed);
        return;
      case 'kill':
        return await this.#kill(fate.which, fate.how);
      case 'restart':
        await this.#kubelet?.kill();
        return await this.start();
    }
  }

  /** Lets what is under way come to rest, then so much time pass. */
  async pass(ms: number): Promise<void> {
    await rest();
    await this.clock.advance(ms);
    await rest();
  }

  /** Time goes on without further trouble until all is as asked; answers what is not. */
  async calm(): Promise<string> {
    this.#faults = () => false;
    let wrong = '';
    for (let turn = 0; turn < 150; turn++) {
      wrong = await this.#whatIsWrong();
      if (wrong === '') return '';
      await this.pass(turn < 20 ? 1_000 : 10_000);
    }
    return wrong;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#faults = () => false;
    for (const name of this.#pods.keys()) await this.#remove(name, 0);
    await this.pass(60_000);
    await this.#kubelet?.[Symbol.asyncDispose]();
  }

  async #whatIsWrong(): Promise<string> {
    for (const [name, { shape, isDeleted, hasDeadline }] of this.#pods) {
      const found = await this.#get(name);
      if (isDeleted) {
        if (found !== undefined) return `${name} is still there`;
        continue;
      }
      if (found === undefined) return `${name} is gone`;
      const { phase, containerStatuses = [] } = found.status ?? {};
      if (hasDeadline ? phase !== 'Failed' && phase !== shape.phase : phase !== shape.phase) return `${name} is ${phase}`;
      const seen = await this.runtime.podStatus(found.metadata.uid ?? '');
      const running = (seen?.containers ?? []).filter(({ state }) => state === 'running').map((one) => one.name);
      if (phase !== 'Running') {
        if (running.length > 0) return `${name} is over, and runs`;
        continue;
      }
      if (new Set(running).size !== running.length) return `${name} runs twice: ${running.join(' ')}`;
      const wanted = [
        ...(shape.spec.containers ?? []),
        ...(shape.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
      ];
      if (wanted.some((one) => !running.includes(one.name))) return `${name} lacks containers`;
      if (containerStatuses.some(({ ready }) => !ready)) return `${name} is not ready`;
    }
    const known = new Set(
      (await cluster.client.list(podKind, { namespace: this.#namespace }, signal)).items.map(({ metadata }) => metadata.uid),
    );
    const left = (await this.runtime.pods()).find(({ pod }) => !known.has(pod.uid));
    return left === undefined ? '' : `${left.pod.name} has left something behind`;
  }

  async #create(shape: string): Promise<void> {
    const name = `${this.#prefix}-${shape}-${this.#pods.size}`;
    const found = shapes[shape];
    if (found === undefined || this.#pods.size >= 4) return;
    const spec = { terminationGracePeriodSeconds: 5, nodeName: testNode, ...found.spec } as Pod['spec'];
    await cluster.client.create(podKind, { metadata: { namespace: this.#namespace, name }, spec }, {}, signal);
    this.#pods.set(name, { shape: found, isDeleted: false, hasDeadline: false });
  }

  async #delete(which: number, graceSeconds: number): Promise<void> {
    const name = [...this.#pods.keys()][which % Math.max(1, this.#pods.size)];
    if (name === undefined) return;
    await this.#remove(name, graceSeconds);
  }

  async #remove(name: string, gracePeriodSeconds: number): Promise<void> {
    try {
      await cluster.client.delete(podKind, { namespace: this.#namespace, name }, { gracePeriodSeconds }, signal);
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    const known = this.#pods.get(name);
    if (known !== undefined) known.isDeleted = true;
  }

  async #change(which: number, hasDeadline: boolean): Promise<void> {
    const [name, known] = [...this.#pods][which % Math.max(1, this.#pods.size)] ?? [];
    if (name === undefined || known === undefined || known.isDeleted) return;
    const patch = hasDeadline ? { spec: { activeDeadlineSeconds: 20 } } : { metadata: { labels: { colour: String(which) } } };
    await cluster.client.patch(podKind, { namespace: this.#namespace, name }, patch, { type: 'merge' }, signal);
    known.hasDeadline ||= hasDeadline;
  }

  async #kill(which: number, how: 'container' | 'sandbox' | 'rm container' | 'rm sandbox'): Promise<void> {
    const pods = await this.runtime.pods();
    const all = how.endsWith('container') ? pods.flatMap(({ containers }) => containers) : pods.flatMap(({ sandboxes }) => sandboxes);
    const victim = all[which % Math.max(1, all.length)];
    if (victim === undefined) return;
    // By somebody else than the kubelet, whom the engine obeys.
    const faults = this.#faults;
    this.#faults = () => false;
    if (how === 'container') await this.runtime.stopContainer(victim.id, 0, signal);
    if (how === 'sandbox') await this.runtime.stopSandbox(victim.id);
    if (how.startsWith('rm')) await this.runtime.takeAway(victim.id);
    this.#faults = faults;
  }

  async #get(name: string): Promise<Pod | undefined> {
    return await cluster.client.get(podKind, { namespace: this.#namespace, name }, signal).catch((error: unknown) => {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    });
  }
}

/** Real input and output takes turns of the event loop, not time of the clock: what is under way is answered before what is asked now. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await cluster.client.get(namespaceKind, { name: 'default' }, signal);
    for (let loop = 0; loop < 10; loop++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** True in that share of the calls; mulberry32. */
function dice(share: number, seed: number): () => boolean {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 < share;
  };
}

const fate = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(1, 100, 1_000, 5_000, 30_000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('create' as const), shape: fc.constantFrom(...Object.keys(shapes)) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat(3), graceSeconds: fc.constantFrom(0, 1, 30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), which: fc.nat(3), hasDeadline: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('trouble' as const), share: fc.constantFrom(0, 0.2, 0.7), seed: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('kill' as const),
      which: fc.nat(7),
      how: fc.constantFrom('container' as const, 'sandbox' as const, 'rm container' as const, 'rm sandbox' as const),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'restart' as const }) },
);
type Fate = (typeof fate)['generate'] extends (...args: never[]) => { value: infer V } ? V : never;

test('whatever happens to pods, their node and its engine, all comes out as asked', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { minLength: 5, maxLength: 25 }), async (fates) => {
      await using world = new World();
      await world.start();
      for (const one of fates) await world.suffer(one);
      expect([await world.calm(), world.runtime.broken]).toEqual(['', []]);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 10), endOnFailure: true },
  );
}, 600_000);
