// Cases that only a real engine can show. They run beside the conformance suite, on a host that has the engine to itself.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { PassThrough } from 'node:stream';
import { systemClock } from '#base/clock.ts';
import { folderSizes } from '../../stats/folder-sizes.ts';
import { PodUses } from '../../stats/pod-uses.ts';
import { podPaths } from '../../volumes/paths.ts';
import type { ConformanceCase, ConformanceSetup } from '../conformance.ts';
import type { ContainerSpec, Runtime, RuntimeEvent, SandboxSpec, SandboxStatus } from '../contract.ts';

const run = promisify(execFile);
const idle = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'];

interface Rig extends ConformanceSetup {
  /** The same runtime as a new process would make it. */
  readonly anew: () => Runtime;
  readonly stateFolder: string;
}

type Shell = (script: string) => Promise<string>;

class Pod {
  readonly sandbox: SandboxStatus;
  readonly uid: string;
  readonly #setup: ConformanceSetup;

  private constructor(setup: ConformanceSetup, sandbox: SandboxStatus) {
    this.#setup = setup;
    this.sandbox = sandbox;
    this.uid = sandbox.pod.uid;
  }

  static async create(setup: ConformanceSetup, name: string, extra: Partial<SandboxSpec> = {}): Promise<Pod> {
    const pod = { name, namespace: 'docker', uid: crypto.randomUUID() };
    return new Pod(setup, await setup.runtime.createSandbox({ pod, attempt: 0, hostname: name, ...extra }, setup.signal));
  }

  /** Starts a container that idles; the answer runs shell scripts in it. */
  async start(extra: Partial<ContainerSpec> = {}): Promise<Shell> {
    const { runtime, image, signal } = this.#setup;
    const spec = { name: 'main', attempt: 0, image, command: idle, ...extra };
    const id = await runtime.createContainer(this.sandbox.id, spec, signal);
    await runtime.startContainer(id, signal);
    return async (script) => {
      const { stdout, stderr } = await runtime.execSync(id, ['sh', '-c', script], { timeoutMs: 10_000 }, signal);
      return Buffer.concat([stdout, stderr]).toString().trim();
    };
  }

  async remove(): Promise<void> {
    await this.#setup.runtime.stopSandbox(this.sandbox.id, this.#setup.signal);
    await this.#setup.runtime.removeSandbox(this.sandbox.id, this.#setup.signal);
  }
}

async function withPod(setup: ConformanceSetup, extra: Partial<SandboxSpec>, use: (pod: Pod) => Promise<void>): Promise<void> {
  const pod = await Pod.create(setup, 'pod', extra);
  try {
    await use(pod);
  } finally {
    await pod.remove();
  }
}

/** `reason exitCode oomKilled` of one attempt of the container `main`, once it has ended. */
async function outcomeOf(rig: Rig, pod: Pod, attempt: number): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const main = (await rig.runtime.podStatus(pod.uid, rig.signal))?.containers.find((one) => one.attempt === attempt);
    if (main?.state === 'exited') return `${main.reason} ${main.exitCode} ${main.oomKilled}`;
    await rig.pass(50);
  }
  return 'it still runs';
}

const cases: readonly { readonly name: string; readonly run: (rig: Rig) => Promise<void> }[] = [
  {
    name: 'containers of a pod share host name, address, resolv.conf and IPC, and reach each other by localhost',
    run: (rig) =>
      withPod(rig, { dns: { servers: ['10.96.0.10'], searches: ['a.svc', 'svc'], options: ['ndots:5'] } }, async (pod) => {
        const first = await pod.start({ name: 'one' });
        const second = await pod.start({ name: 'two' });
        assert.equal(await first('hostname'), 'pod');
        assert.equal(await second('cat /etc/resolv.conf'), 'nameserver 10.96.0.10\nsearch a.svc svc\noptions ndots:5');
        assert.match(await first('ip -4 addr show eth0'), new RegExp(`inet ${pod.sandbox.ips[0]}/`));
        assert.equal(await first('readlink /proc/self/ns/ipc'), await second('readlink /proc/self/ns/ipc'));
        assert.notEqual(await first('readlink /proc/self/ns/pid'), await second('readlink /proc/self/ns/pid'));
        await first('echo shared >/tmp/word; httpd -p 127.0.0.1:8081 -h /tmp');
        assert.equal(await second('wget -qO- http://127.0.0.1:8081/word'), 'shared');
      }),
  },
  {
    name: 'pods reach each other over the bridge, and the host reaches them',
    run: (rig) =>
      withPod(rig, {}, (server) =>
        withPod(rig, {}, async (client) => {
          const [serve, ask] = [await server.start(), await client.start()];
          const url = `http://${server.sandbox.ips[0]}:8081/word`;
          await serve('echo reached >/tmp/word; httpd -p 8081 -h /tmp');
          assert.equal(await ask(`wget -qO- ${url}`), 'reached');
          assert.equal((await run('curl', ['-s', '--max-time', '5', url])).stdout.trim(), 'reached');
        }),
      ),
  },
  {
    name: 'host ports lead into the pod',
    run: (rig) =>
      withPod(rig, { portMappings: [{ protocol: 'TCP', containerPort: 8081, hostPort: 18_081 }] }, async (pod) => {
        const serve = await pod.start();
        await serve('echo mapped >/tmp/word; httpd -p 8081 -h /tmp');
        const address = networkInterfaces().eth0?.find(({ family }) => family === 'IPv4')?.address;
        assert.equal((await run('curl', ['-s', '--max-time', '5', `http://${address}:18081/word`])).stdout.trim(), 'mapped');
      }),
  },
  {
    name: 'a pod in the host’s network has the host’s name and addresses',
    run: (rig) =>
      withPod(rig, { hostNetwork: true }, async (pod) => {
        const shell = await pod.start();
        assert.deepEqual(pod.sandbox.ips, []);
        assert.equal(pod.sandbox.state, 'ready');
        assert.equal(await shell('hostname'), (await run('hostname')).stdout.trim());
      }),
  },
  {
    name: 'with one process namespace, the sandbox reaps what is orphaned',
    run: (rig) =>
      withPod(rig, { shareProcessNamespace: true }, async (pod) => {
        const shell = await pod.start();
        assert.match(await shell('ps -o pid,args'), /^\s*1 \/pause/m);
        await shell('(sh -c "sleep 0.1 & exit" &)');
        await rig.pass(400);
        assert.doesNotMatch(await shell('ps -o pid,stat,args'), / Z /);
      }),
  },
  {
    name: 'user, groups, capabilities, read-only root and environment are as asked for',
    run: (rig) =>
      withPod(rig, {}, async (pod) => {
        const shell = await pod.start({
          env: [['WORD', 'a b=c']],
          workingDir: '/tmp',
          security: {
            user: 1_000,
            group: 2_000,
            supplementalGroups: [3_000],
            dropCapabilities: ['ALL'],
            readOnlyRootFilesystem: true,
            noNewPrivileges: true,
            seccomp: 'runtime-default',
          },
        });
        assert.equal(await shell('id -u; id -g; id -G; pwd; echo "$WORD"'), '1000\n2000\n2000 3000\n/tmp\na b=c');
        assert.match(await shell('grep -E "NoNewPrivs|CapBnd|Seccomp:" /proc/self/status'), /CapBnd:\s*0+\nNoNewPrivs:\s*1\nSeccomp:\s*2/);
        assert.match(await shell('echo >/tmp/x'), /Read-only file system/);
      }),
  },
  {
    name: 'privileged works as far as the engine allows, negative OOM scores are done without',
    run: (rig) =>
      withPod(rig, {}, async (pod) => {
        const shell = await pod.start({ security: { privileged: true }, resources: { oomScoreAdj: -997 } });
        const refuses = (await rig.runtime.info(rig.signal)).refuses.map(({ what }) => what);
        assert.equal(await shell('cat /proc/self/oom_score_adj'), refuses.includes('negativeOomScore') ? '0' : '-997');
        assert.equal(await shell('mount -t tmpfs none /tmp && echo mounted'), 'mounted');
      }),
  },
  {
    name: 'limits reach the control groups, usage is read from them',
    run: async (rig) => {
      await withPod(rig, { cgroupParent: '/kubepods/burstable/poddocker-case' }, async (pod) => {
        const resources = { cpuShares: 512, cpuQuotaMicros: 50_000, memoryBytes: 64 * 1_024 ** 2, oomScoreAdj: 500 };
        const shell = await pod.start({ resources });
        assert.equal(await shell('cat /proc/self/oom_score_adj'), '500');
        assert.match(await shell('cat /proc/self/cgroup'), /kubepods\/burstable\/poddocker-case|^0::\//);
        const [used] = await rig.runtime.usage(pod.uid, rig.signal);
        assert(used !== undefined && used.cpuNanos > 0n && used.memoryUsageBytes > 0 && used.memoryUsageBytes < 64 * 1_024 ** 2);
        const [main] = (await rig.runtime.podStatus(pod.uid, rig.signal))?.containers ?? [];
        await rig.runtime.updateResources(main?.id ?? '', { cpuShares: 256, memoryBytes: 32 * 1_024 ** 2 }, rig.signal);
        const [, kind = ''] = /^(?:\d+:memory|0:):(.*)$/m.exec(await readFile(`/proc/${main?.pid}/cgroup`, 'utf8')) ?? [];
        const limit = await readFile(`/sys/fs/cgroup/memory${kind}/memory.limit_in_bytes`, 'utf8').catch(() =>
          readFile(`/sys/fs/cgroup${kind}/memory.max`, 'utf8'),
        );
        assert.equal(Number(limit), 32 * 1_024 ** 2);
        // What the engine says it holds a container to is what a kubelet judges a resize by.
        const [now] = (await rig.runtime.podStatus(pod.uid, rig.signal))?.containers ?? [];
        assert.equal(now?.resources?.cpuShares, 256);
        assert.equal(now?.resources?.memoryBytes, 32 * 1_024 ** 2);
      });
      assert.equal((await run('find', ['/sys/fs/cgroup', '-name', 'poddocker-case'])).stdout, '');
    },
  },
  {
    name: 'a container over its memory limit was killed for it',
    run: (rig) =>
      withPod(rig, {}, async (pod) => {
        // An engine learns of the kernel's kill and of the process' end on two ways; where the end is heard of first, it never says why.
        // So a container more may be needed to see that what the engine does say arrives.
        const seen: unknown[] = [];
        for (let attempt = 0; attempt < 5 && !seen.includes('OOMKilled 137 true'); attempt++) {
          const command = ['sh', '-c', 'x=a; while :; do x=$x$x$x$x; done'];
          await pod.start({ attempt, command, resources: { memoryBytes: 16 * 1_024 ** 2 } });
          seen.push(await outcomeOf(rig, pod, attempt));
        }
        assert.ok(seen.includes('OOMKilled 137 true'), `seen: ${seen.join(', ')}`);
      }),
  },
  {
    name: 'a terminal has the size it is given, and one stream',
    run: (rig) =>
      withPod(rig, {}, async (pod) => {
        const { runtime, signal } = rig;
        await pod.start();
        const [main] = (await runtime.podStatus(pod.uid, signal))?.containers ?? [];
        const [stdin, stdout] = [new PassThrough(), new PassThrough()];
        const sizes = async function* (): AsyncGenerator<{ width: number; height: number }> {
          yield { width: 91, height: 17 };
        };
        let text = '';
        stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
        const ran = runtime.exec(main?.id ?? '', ['sh'], { stdin, stdout, tty: true, resizes: sizes() }, signal);
        await rig.pass(200);
        stdin.write('stty size; echo to-stderr >&2; exit 4\n');
        assert.equal(await ran, 4);
        assert.match(text, /17 91\r\n/);
        assert.match(text, /to-stderr\r\n/);
      }),
  },
  {
    name: 'a line longer than the engine keeps in one piece comes out whole, with one time in front',
    run: (rig) =>
      withPod(rig, {}, async (pod) => {
        const { runtime, signal } = rig;
        await pod.start({ command: ['sh', '-c', 'head -c 50000 /dev/zero | tr "\\0" x; echo; echo end'] });
        const [main] = (await runtime.podStatus(pod.uid, signal))?.containers ?? [];
        let text = '';
        for await (const bytes of runtime.logs(main?.id ?? '', { timestamps: true, follow: true }, signal))
          text += Buffer.from(bytes).toString();
        const lines = text.trimEnd().split('\n');
        assert.deepEqual(
          lines.map((line) => line.length),
          [31 + 50_000, 31 + 3],
        );
      }),
  },
  {
    name: 'the log is linked where collectors look, and the link goes with the container',
    run: async (rig) => {
      const logPath = '/var/log/pods/docker_pod_uid/main/0.log';
      const folder = '/var/log/containers';
      const byNames = async (): Promise<string[]> =>
        (await readdir(folder).catch(() => [])).filter((one) => one.startsWith('pod_docker_main-'));
      await withPod(rig, {}, async (pod) => {
        await pod.start({ logPath });
        assert.match(await readlink(logPath), /-json\.log$/);
        const [byName = ''] = await byNames();
        assert.match(byName, /^pod_docker_main-[0-9a-f]{64}\.log$/);
        assert.equal(await readlink(`${folder}/${byName}`), logPath);
      });
      await assert.rejects(readlink(logPath));
      assert.deepEqual(await byNames(), []);
    },
  },
  {
    name: 'what a container writes is found and measured where it lies, and so is its log',
    run: async (setup) => {
      await withPod(setup, {}, async (pod) => {
        const inside = await pod.start({
          command: ['sh', '-c', 'i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done; exec sleep 60'],
        });
        await inside('head -c 3000000 /dev/zero > /tmp/zeros; for i in 1 2 3 4 5 6 7; do echo > /tmp/$i; done');
        const observed = await setup.runtime.podStatus(pod.uid, setup.signal);
        const measured = { uid: pod.uid, pod: { metadata: {}, spec: { containers: [] } }, observed };
        const uses = new PodUses({ runtime: setup.runtime, paths: podPaths('/nowhere'), sizes: folderSizes, clock: systemClock });
        const found = (await uses.diskUsage([measured], 'fresh', setup.signal)).get(pod.uid)?.containers[0];
        assert.ok((found?.rootfs?.usedBytes ?? 0) >= 3_000_000, JSON.stringify(found));
        assert.ok((found?.rootfs?.usedBytes ?? 0) < 4_000_000, JSON.stringify(found));
        assert.ok((found?.rootfs?.inodes ?? 0) >= 8, JSON.stringify(found));
        assert.ok((found?.logs?.usedBytes ?? 0) > 100_000, JSON.stringify(found));
        const [usage] = await setup.runtime.usage(pod.uid, setup.signal);
        assert.equal(usage?.processes, 1);
      });
      assert.equal(await setup.runtime.storage('0'.repeat(64), setup.signal), undefined);
    },
  },
  {
    name: 'a pod is run by the handler that is asked for, its containers too',
    run: async (setup) => {
      const { handlers } = await setup.runtime.info(setup.signal);
      assert.ok(handlers.includes('runc'), handlers.join());
      const handler = handlers.find((one) => one !== 'runc') ?? 'runc';
      await withPod(setup, { runtimeHandler: handler }, async (pod) => {
        await pod.start();
        const observed = await setup.runtime.podStatus(pod.uid, setup.signal);
        const ids = [pod.sandbox.id, ...(observed?.containers ?? []).map(({ id }) => id)];
        const { stdout } = await run('docker', ['inspect', '--format', '{{.HostConfig.Runtime}}', ...ids]);
        assert.deepEqual(stdout.trim().split('\n'), [handler, handler]);
      });
    },
  },
  {
    name: 'a new process finds pods and addresses, and gives back what belongs to nobody',
    run: async (rig) => {
      const { signal, stateFolder } = rig;
      const kept = await Pod.create(rig, 'kept');
      const lost = await Pod.create(rig, 'lost');
      await run('docker', ['rm', '-f', lost.sandbox.id]);
      const next = rig.anew();
      assert.deepEqual((await next.podStatus(kept.uid, signal))?.sandboxes[0]?.ips, kept.sandbox.ips);
      await next.setPodCidrs(['10.244.0.0/24'], signal);
      const leases = (): Promise<string[]> => readdir(`${stateFolder}/leases/coxswain`);
      assert((await leases()).includes(kept.sandbox.ips[0] ?? ''));
      assert(!(await leases()).includes(lost.sandbox.ips[0] ?? ''));
      await next.removeSandbox(kept.sandbox.id, signal);
      assert(!(await leases()).includes(kept.sandbox.ips[0] ?? ''));
    },
  },
  {
    name: 'a sandbox whose network cannot be made leaves nothing behind',
    run: async (rig) => {
      const before = (await rig.runtime.pods(rig.signal)).length;
      const portMappings = [{ protocol: 'TCP' as const, containerPort: 80, hostPort: 99_999 }];
      await assert.rejects(Pod.create(rig, 'broken', { portMappings }), /network: plugin type="portmap" failed \(add\)/);
      assert.equal((await rig.runtime.pods(rig.signal)).length, before);
    },
  },
  {
    name: 'the sandbox image comes back when somebody removed it',
    run: async (rig) => {
      await run('docker', ['rmi', '-f', 'coxswain/pause:1']);
      await withPod(rig, {}, async (pod) => assert.equal(pod.sandbox.state, 'ready'));
    },
  },
  {
    name: 'other containers of the engine are not ours: not seen, not stopped',
    run: async (rig) => {
      const label = 'io.kubernetes.docker.type=container';
      const { stdout } = await run('docker', [
        'run',
        '-d',
        '--network=none',
        `--label=${label}`,
        '--label=io.kubernetes.pod.uid=x',
        rig.image,
        ...idle,
      ]);
      const id = stdout.trim();
      try {
        assert(!(await rig.runtime.pods(rig.signal)).some(({ pod }) => pod.uid === 'x'));
        await rig.runtime.stopContainer(id, 0, rig.signal);
        await rig.runtime.removeContainer(id, rig.signal);
        assert.equal((await run('docker', ['inspect', '-f', '{{.State.Running}}', id])).stdout.trim(), 'true');
      } finally {
        await run('docker', ['rm', '-f', id]);
      }
    },
  },
  {
    name: 'an engine that dies and comes back: said to be away, then everything is looked at anew',
    run: async (rig) => {
      const stop = new AbortController();
      const events: RuntimeEvent[] = [];
      const watching = (async () => {
        for await (const event of rig.runtime.events(stop.signal)) events.push(event);
      })();
      const everything = (): number => events.filter(({ type }) => type === 'everything').length;
      const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
        for (let tries = 0; !(await done()); tries++) {
          assert(tries < 300, 'it took too long');
          await rig.pass(50);
        }
      };
      await until(() => everything() === 1);
      const pod = await Pod.create(rig, 'survivor');
      const pid = (await readFile('/run/docker.pid', 'utf8')).trim();
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').filter((word) => word !== '');
      process.kill(Number(pid), 'SIGKILL');
      await until(async () => /cannot reach the Docker Engine/.test((await rig.runtime.health(rig.signal)).runtimeProblem ?? ''));
      await run('sh', ['-c', 'rm -f /run/docker.pid; setsid "$@" >/dev/null 2>&1 </dev/null &', 'sh', ...command]);
      await until(async () => (await rig.runtime.health(rig.signal)).runtimeProblem === undefined);
      await until(() => everything() === 2);
      assert.notEqual(await rig.runtime.podStatus(pod.uid, rig.signal), undefined);
      await pod.remove();
      stop.abort();
      await watching;
    },
  },
];

/** The cases for a rig, in the form of the suite. */
export function dockerCases(rig: Pick<Rig, 'anew' | 'stateFolder'>): readonly ConformanceCase[] {
  return cases.map((one) => ({ name: one.name, run: (setup) => one.run({ ...setup, ...rig }) }));
}

export const dockerCaseNames: readonly string[] = cases.map(({ name }) => name);
