// Runs the conformance suite and the Docker-only cases on the host this process is on, and prints one JSON line for each case. A program of its own,
// because the runtime must live in the same namespaces as its engine: the test starts it on a host made for that.
import { systemClock } from '#base/clock.ts';
import { createLog } from '#base/log.ts';
import { CniNetwork } from '../../network/cni/cni-network.ts';
import { HostRules } from '../../network/host-rules.ts';
import { PortDialer } from '../../network/port-dialer.ts';
import { wipePodNetwork } from '../../network/wipe.ts';
import { type Behaviour, conformanceCases, type ConformanceSetup } from '../conformance.ts';
import { dockerCases } from './docker-cases.ts';
import { DockerRuntime } from './docker-runtime.ts';

/** What the cases use: the engine must have it as an image with busybox's applets. */
const image = 'coxswain/conformance:1';
const stateFolder = '/var/lib/kubelet/network';

const scripts: Readonly<Record<Behaviour, readonly string[]>> = {
  runs: ['sh', '-c', 'trap "exit 0" TERM; echo started; while :; do sleep 0.05; done'],
  deaf: ['sh', '-c', 'trap "" TERM; echo started; while :; do sleep 1; done'],
  fails: ['sh', '-c', 'for i in 1 2 3 4 5; do echo line $i; done; echo oops >&2; exit 3'],
  echo: ['cat'],
  serves: [
    'sh',
    '-c',
    'trap "exit 0" TERM; mkdir /tmp/www; echo hello >/tmp/www/hello; httpd -p 127.0.0.1:8080 -h /tmp/www; echo started; while :; do sleep 0.05; done',
  ],
  missing: ['/no/such/program'],
  hangs: ['sleep', '60'],
  says: ['sh', '-c', 'echo out; echo err >&2; exit 5'],
};

const log = createLog('conformance', 'error');
const { signal } = new AbortController();

function start(): DockerRuntime {
  const network = new CniNetwork({ log, rules: new HostRules({ log }) }, { stateFolder });
  return new DockerRuntime({ clock: systemClock, log, network, dialer: new PortDialer() });
}

const runtime = start();
const setup: ConformanceSetup = {
  runtime,
  image,
  command: (behaviour) => scripts[behaviour],
  pass: (ms) => systemClock.sleep(ms, signal),
  signal,
};
await runtime.setPodCidrs(['10.244.0.0/24'], signal);
const wanted = process.argv[2];
for (const { name, run } of [...conformanceCases, ...dockerCases({ anew: start, stateFolder })]) {
  if (wanted !== undefined && !name.includes(wanted)) continue;
  const startedMs = systemClock.monotonicMs();
  let failure: string | undefined;
  try {
    await run(setup);
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const ms = Math.round(systemClock.monotonicMs() - startedMs);
  process.stdout.write(`${JSON.stringify({ name, ms, ...(failure === undefined ? {} : { failure }) })}\n`);
}
await wipePodNetwork({ stateFolder }, signal);
process.exit(0);
