// What every runtime must do, as cases that run anywhere (not only under the test runner: the Docker ones need a host of their own).
// Each case makes a pod of its own and removes it.
import assert from 'node:assert/strict';
import { PassThrough, type Readable } from 'node:stream';
import {
  type ContainerSpec,
  type ContainerStatus,
  isRuntimeError,
  type PodIdentity,
  type Runtime,
  type RuntimeEvent,
  type SandboxStatus,
} from './contract.ts';
import type { LogOptions } from './io-contract.ts';

/** What a container or a command inside one is to do. */
export type Behaviour =
  /** Prints `started`, ends with 0 at SIGTERM. */
  | 'runs'
  /** Prints `started`, does not care about SIGTERM. */
  | 'deaf'
  /** Prints `line 1` to `line 5` and, on standard error, `oops`; ends with 3. */
  | 'fails'
  /** Copies its input to its output until the input ends; ends with 0. */
  | 'echo'
  /** Prints `started`, answers `GET /hello` on port 8080 of localhost with `hello`; ends with 0 at SIGTERM. */
  | 'serves'
  /** A program that is not in the image. */
  | 'missing'
  /** Waits for a minute. */
  | 'hangs'
  /** Prints `out` and, on standard error, `err`; ends with 5. */
  | 'says';

export interface ConformanceSetup {
  readonly runtime: Runtime;
  /** An image that can do all behaviours. */
  readonly image: string;
  readonly command: (behaviour: Behaviour) => readonly string[];
  /** Lets time pass: really, or by moving a fake clock. */
  readonly pass: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface ConformanceCase {
  readonly name: string;
  readonly run: (setup: ConformanceSetup) => Promise<void>;
}

class Pod {
  readonly identity: PodIdentity;
  readonly sandbox: SandboxStatus;
  readonly #setup: ConformanceSetup;

  private constructor(setup: ConformanceSetup, identity: PodIdentity, sandbox: SandboxStatus) {
    this.#setup = setup;
    this.identity = identity;
    this.sandbox = sandbox;
  }

  static async create(setup: ConformanceSetup, name: string): Promise<Pod> {
    const identity = { name, namespace: 'conformance', uid: crypto.randomUUID() };
    const dns = { servers: ['10.96.0.10'], searches: ['cluster.local'], options: ['ndots:5'] };
    const sandbox = await setup.runtime.createSandbox(
      { pod: identity, attempt: 0, hostname: name, dns, labels: { app: name } },
      setup.signal,
    );
    return new Pod(setup, identity, sandbox);
  }

  async start(name: string, behaviour: Behaviour, extra: Partial<ContainerSpec> = {}): Promise<string> {
    const { runtime, image, command, signal } = this.#setup;
    const id = await runtime.createContainer(this.sandbox.id, { name, attempt: 0, image, command: command(behaviour), ...extra }, signal);
    await runtime.startContainer(id, signal);
    return id;
  }

  async container(name: string): Promise<ContainerStatus> {
    const status = await this.#setup.runtime.podStatus(this.identity.uid, this.#setup.signal);
    const found = status?.containers.find((container) => container.name === name);
    assert(found !== undefined, `no container ${name}`);
    return found;
  }

  /** Waits until the container is in that state. */
  async until(name: string, state: ContainerStatus['state']): Promise<ContainerStatus> {
    for (let tries = 0; tries < 200; tries++) {
      const found = await this.container(name);
      if (found.state === state) return found;
      await this.#setup.pass(50);
    }
    throw new Error(`container ${name} did not become ${state}`);
  }

  async remove(): Promise<void> {
    const { runtime, signal } = this.#setup;
    await runtime.stopSandbox(this.sandbox.id, signal);
    await runtime.removeSandbox(this.sandbox.id, signal);
    assert.equal(await runtime.podStatus(this.identity.uid, signal), undefined);
  }
}

async function withPod(setup: ConformanceSetup, name: string, use: (pod: Pod) => Promise<void>): Promise<void> {
  const pod = await Pod.create(setup, name);
  try {
    await use(pod);
  } finally {
    await pod.remove();
  }
}

async function logText({ runtime, signal }: ConformanceSetup, id: string, options: LogOptions = {}): Promise<string> {
  let text = '';
  for await (const bytes of runtime.logs(id, options, signal)) text += Buffer.from(bytes).toString();
  return text;
}

/** Waits until the container has logged that it started. */
async function untilStarted(setup: ConformanceSetup, id: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await logText(setup, id)).includes('started')) return;
    await setup.pass(20);
  }
  throw new Error('it never said that it started');
}

/** Tries again for a while: a program that has started does not listen yet. */
async function untilDone<T>(setup: ConformanceSetup, attempt: () => Promise<T>): Promise<T> {
  for (let left = 50; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await setup.pass(50);
    }
  }
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

export const conformanceCases: readonly ConformanceCase[] = [
  {
    name: 'a sandbox is ready, has an address, and is found again by its labels',
    run: (setup) =>
      withPod(setup, 'ready', async (pod) => {
        assert.equal(pod.sandbox.state, 'ready');
        assert.match(pod.sandbox.ips[0] ?? '', /^\d+\.\d+\.\d+\.\d+$/);
        const status = await setup.runtime.podStatus(pod.identity.uid, setup.signal);
        assert.deepEqual(status?.pod, pod.identity);
        assert.deepEqual(status?.sandboxes[0]?.ips, pod.sandbox.ips);
        assert.equal(status?.sandboxes[0]?.labels.app, 'ready');
        const listed = (await setup.runtime.pods(setup.signal)).find(({ pod: { uid } }) => uid === pod.identity.uid);
        assert.equal(listed?.sandboxes[0]?.id, pod.sandbox.id);
      }),
  },
  {
    name: 'creating a sandbox or container again answers the one that is there',
    run: (setup) =>
      withPod(setup, 'again', async (pod) => {
        const { runtime, image, command, signal } = setup;
        const spec = { pod: pod.identity, attempt: 0, hostname: 'again', labels: { app: 'again' } };
        assert.equal((await runtime.createSandbox(spec, signal)).id, pod.sandbox.id);
        const container = { name: 'main', attempt: 0, image, command: command('runs') };
        const first = await runtime.createContainer(pod.sandbox.id, container, signal);
        assert.equal(await runtime.createContainer(pod.sandbox.id, container, signal), first);
        await runtime.startContainer(first, signal);
        await runtime.startContainer(first, signal);
        assert.equal((await pod.container('main')).state, 'running');
      }),
  },
  {
    name: 'a container goes from created over running to exited, and says how it ended',
    run: (setup) =>
      withPod(setup, 'life', async (pod) => {
        const { runtime, image, command, signal } = setup;
        const annotations = { 'io.kubernetes.container.hash': 'abc' };
        const spec = { name: 'main', attempt: 2, image, command: command('fails'), annotations };
        const id = await runtime.createContainer(pod.sandbox.id, spec, signal);
        assert.equal((await pod.container('main')).state, 'created');
        await runtime.startContainer(id, signal);
        const ended = await pod.until('main', 'exited');
        assert.equal(ended.exitCode, 3);
        assert.equal(ended.reason, 'Error');
        assert.equal(ended.attempt, 2);
        assert.equal(ended.image, image);
        assert.equal(ended.sandboxId, pod.sandbox.id);
        assert.deepEqual(ended.annotations, annotations);
        assert(ended.startedAtMs !== undefined && ended.finishedAtMs !== undefined && ended.finishedAtMs >= ended.startedAtMs);
      }),
  },
  {
    name: 'stopping lets a container end by itself within its grace',
    run: (setup) =>
      withPod(setup, 'polite', async (pod) => {
        const id = await pod.start('main', 'runs');
        await untilStarted(setup, id);
        await setup.runtime.stopContainer(id, 10_000, setup.signal);
        const ended = await pod.container('main');
        assert.equal(ended.state, 'exited');
        assert.equal(ended.exitCode, 0);
        assert.equal(ended.reason, 'Completed');
        await setup.runtime.stopContainer(id, 10_000, setup.signal);
      }),
  },
  {
    name: 'stopping kills a container that outlives its grace',
    run: (setup) =>
      withPod(setup, 'deaf', async (pod) => {
        const id = await pod.start('main', 'deaf');
        await untilStarted(setup, id);
        const stopping = setup.runtime.stopContainer(id, 300, setup.signal);
        await setup.pass(1_000);
        await stopping;
        assert.equal((await pod.container('main')).exitCode, 137);
      }),
  },
  {
    name: 'a program that is not there cannot run, and says so',
    run: (setup) =>
      withPod(setup, 'missing', async (pod) => {
        await assert.rejects(
          pod.start('main', 'missing'),
          (error) => isRuntimeError(error, 'CannotRun') && /no such file/.test(error.message),
        );
        const status = await pod.container('main');
        assert.equal(status.state, 'exited');
        assert.equal(status.reason, 'ContainerCannotRun');
        assert.notEqual(status.exitCode, 0);
      }),
  },
  {
    name: 'logs: all, the last lines, a number of bytes, one stream, with times',
    run: (setup) =>
      withPod(setup, 'logs', async (pod) => {
        const id = await pod.start('main', 'fails');
        await pod.until('main', 'exited');
        const all = await logText(setup, id, { stream: 'Stdout' });
        assert.equal(all, 'line 1\nline 2\nline 3\nline 4\nline 5\n');
        assert.match(await logText(setup, id, { tailLines: 2 }), /^(line 4|line 5|oops)\n(line 5|oops)\n$/);
        assert.equal(await logText(setup, id, { stream: 'Stderr' }), 'oops\n');
        assert.equal(await logText(setup, id, { tailLines: 0 }), '');
        assert.equal((await logText(setup, id, { limitBytes: 8 })).length, 8);
        assert.match(await logText(setup, id, { stream: 'Stderr', timestamps: true }), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z oops\n$/);
        assert.equal(await logText(setup, id, { sinceMs: Date.UTC(2100, 0) }), '');
        await assert.rejects(logText(setup, 'f'.repeat(64)), (error) => isRuntimeError(error, 'NotFound'));
      }),
  },
  {
    name: 'following a log ends with the container',
    run: (setup) =>
      withPod(setup, 'follow', async (pod) => {
        const id = await pod.start('main', 'runs');
        await untilStarted(setup, id);
        const text = logText(setup, id, { follow: true });
        await setup.pass(20);
        await setup.runtime.stopContainer(id, 10_000, setup.signal);
        assert.match(await text, /started/);
      }),
  },
  {
    name: 'a command in a container: output, errors, exit code',
    run: (setup) =>
      withPod(setup, 'exec', async (pod) => {
        const { runtime, command, signal } = setup;
        const id = await pod.start('main', 'runs');
        const outcome = await runtime.execSync(id, command('says'), { timeoutMs: 10_000 }, signal);
        assert.equal(outcome.exitCode, 5);
        assert.equal(Buffer.from(outcome.stdout).toString(), 'out\n');
        assert.equal(Buffer.from(outcome.stderr).toString(), 'err\n');
        const stdout = new PassThrough();
        const stderr = new PassThrough();
        const ran = runtime.exec(id, command('says'), { stdout, stderr }, signal).finally(() => [stdout.end(), stderr.end()]);
        assert.deepEqual(await Promise.all([textOf(stdout), textOf(stderr), ran]), ['out\n', 'err\n', 5]);
      }),
  },
  {
    name: 'a command reads what it is given, to the end',
    run: (setup) =>
      withPod(setup, 'echo', async (pod) => {
        const { runtime, command, signal } = setup;
        const id = await pod.start('main', 'runs');
        const [stdin, stdout] = [new PassThrough(), new PassThrough()];
        const ran = runtime.exec(id, command('echo'), { stdin, stdout }, signal).finally(() => stdout.end());
        const sent = 'x'.repeat(300_000);
        stdin.end(sent);
        const [got, exitCode] = await Promise.all([textOf(stdout), ran]);
        assert.equal(exitCode, 0);
        assert(got === sent, `${got.length} of ${sent.length} bytes came back`);
      }),
  },
  {
    name: 'a command that takes too long is ended',
    run: (setup) =>
      withPod(setup, 'slow', async (pod) => {
        const { runtime, command, signal } = setup;
        const id = await pod.start('main', 'runs');
        const running = runtime.execSync(id, command('hangs'), { timeoutMs: 300 }, signal);
        const refused = assert.rejects(running, (error) => isRuntimeError(error, 'Timeout'));
        await setup.pass(500);
        await refused;
      }),
  },
  {
    name: 'no command and no attaching in a container that has ended',
    run: (setup) =>
      withPod(setup, 'ended', async (pod) => {
        const { runtime, command, signal } = setup;
        const id = await pod.start('main', 'fails');
        await pod.until('main', 'exited');
        const isNotRunning = (error: unknown): boolean => isRuntimeError(error, 'NotRunning');
        await assert.rejects(runtime.execSync(id, command('says'), { timeoutMs: 1_000 }, signal), isNotRunning);
        await assert.rejects(runtime.attach(id, { stdout: new PassThrough() }, signal), isNotRunning);
      }),
  },
  {
    name: 'attaching joins the container’s own streams',
    run: (setup) =>
      withPod(setup, 'attach', async (pod) => {
        const id = await pod.start('main', 'echo', { stdin: true, stdinOnce: true });
        const [stdin, stdout] = [new PassThrough(), new PassThrough()];
        const attached = setup.runtime.attach(id, { stdin, stdout }, setup.signal).finally(() => stdout.end());
        stdin.end('through and through\n');
        assert.equal(await textOf(stdout), 'through and through\n');
        await attached;
        assert.equal((await pod.until('main', 'exited')).exitCode, 0);
      }),
  },
  {
    name: 'forwarding reaches ports on the pod’s localhost, and says when nobody listens',
    run: (setup) =>
      withPod(setup, 'forward', async (pod) => {
        const { runtime, signal } = setup;
        const id = await pod.start('main', 'serves');
        await untilStarted(setup, id);
        const connection = await untilDone(setup, () => runtime.portForward(pod.sandbox.id, 8_080, signal));
        connection.end('GET /hello HTTP/1.0\r\n\r\n');
        assert.match(await textOf(connection), /hello/);
        await assert.rejects(runtime.portForward(pod.sandbox.id, 9, signal), (error) => isRuntimeError(error, 'Network'));
      }),
  },
  {
    name: 'events: everything first, then starts and deaths',
    run: async (setup) => {
      const stop = new AbortController();
      const events: RuntimeEvent[] = [];
      const watching = (async () => {
        for await (const event of setup.runtime.events(stop.signal)) events.push(event);
      })();
      const until = async (wanted: (event: RuntimeEvent) => boolean): Promise<void> => {
        for (let tries = 0; !events.some(wanted); tries++) {
          assert(tries < 200, `no such event among ${JSON.stringify(events)}`);
          await setup.pass(20);
        }
      };
      await until((event) => event.type === 'everything');
      assert.equal(events[0]?.type, 'everything');
      await withPod(setup, 'events', async (pod) => {
        const { uid } = pod.identity;
        const id = await pod.start('main', 'fails');
        await until((event) => event.type === 'started' && event.podUid === uid && event.container === undefined);
        await until((event) => event.type === 'started' && event.podUid === uid && event.id === id && event.container === 'main');
        await until((event) => event.type === 'died' && event.podUid === uid && event.id === id);
      });
      stop.abort();
      await watching;
    },
  },
  {
    name: 'stopping a sandbox ends its containers and takes its address; both can be repeated',
    run: (setup) =>
      withPod(setup, 'sandbox-end', async (pod) => {
        const { runtime, signal } = setup;
        await pod.start('main', 'deaf');
        await runtime.stopSandbox(pod.sandbox.id, signal);
        await runtime.stopSandbox(pod.sandbox.id, signal);
        const status = await runtime.podStatus(pod.identity.uid, signal);
        assert.equal(status?.sandboxes[0]?.state, 'notReady');
        assert.deepEqual(status?.sandboxes[0]?.ips, []);
        assert.equal(status?.containers[0]?.state, 'exited');
        await runtime.removeSandbox(pod.sandbox.id, signal);
        await runtime.removeSandbox(pod.sandbox.id, signal);
      }),
  },
  {
    name: 'images: found by name and by id; absent ones are not there',
    run: async ({ runtime, image, signal }) => {
      const found = await runtime.images.find(image, signal);
      assert(found !== undefined);
      assert.equal((await runtime.images.find(found.id, signal))?.id, found.id);
      assert((await runtime.images.list(signal)).some(({ id }) => id === found.id));
      assert.equal(await runtime.images.find('coxswain.invalid/nothing:1', signal), undefined);
      const refused = runtime.images.pull('127.0.0.1:9/nothing:1', {}, signal);
      await assert.rejects(refused, (error) => isRuntimeError(error, 'ImagePull') || isRuntimeError(error, 'Unavailable'));
    },
  },
];
