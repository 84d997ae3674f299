import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEndpoint } from '#client/kubeconfig.ts';
import { balancerEndpoint, Fleet } from '#test/testbed/fleet.ts';
import { type Bench, warmUpPods } from '../bench.ts';
import { median, ms, perSecond, seconds } from '../figure.ts';
import type { RequestsResult } from '../load/jobs.ts';
import { cpuMicros, processesBeside } from '../process-usage.ts';

const controlPlanes = 3;
const [address = '', port = ''] = balancerEndpoint.split(':');
const balancer = { name: 'host9', address, port: Number(port) };
const namespace = 'bench';
/** Whose CPU time is told, by what their command lines hold. */
const parts = { 'API servers': 'kube-apiserver.js ', etcd: 'etcd --', haproxy: 'haproxy ' } as const;
const load = join(import.meta.dirname, '../load/main.ts');

/** Three control planes with an etcd member each, behind haproxy, on hosts of their own; the hosts and their Docker engines run before. */
export const fleet: Bench = {
  name: 'fleet',
  about: 'kubeadm: three control planes behind haproxy: time to Ready, creates, time without service after a kill (needs root)',
  async *run({ quick }) {
    const marks: { readonly text: string; readonly atMs: number }[] = [];
    const progress = (text: string): void => void marks.push({ text, atMs: performance.now() });
    await using made = await Fleet.start({ controlPlanes, workers: 0, progress });
    const fromMs = marks.find(({ text }) => text.includes('makes the cluster'))?.atMs ?? Number.NaN;
    const readyMs = await untilReady(made);
    yield { what: 'kubeadm init, 2 × join → 3 Ready', ours: seconds((readyMs - fromMs) / 1_000), target: seconds(12) };

    // As in the other rows of the API server, nothing else works meanwhile.
    for (const component of ['kube-scheduler', 'kube-controller-manager']) {
      for (let index = 1; index <= controlPlanes; index++)
        await made.host(`host${index}`).sh(`mv /etc/kubernetes/manifests/${component}.yaml /root/`);
    }
    await made.kubectl(['create', 'namespace', namespace]);
    await made.kubectl(['-n', namespace, 'create', 'serviceaccount', 'default']);
    const { results, usedMicros } = await creates(made, quick);
    const rates = results.map(({ requests, seconds: took }) => requests / took);
    const count = results.reduce((sum, { requests }) => sum + requests, 0);
    const shares = Object.entries(usedMicros).map(([part, used]) => [part, used / count] as const);
    yield {
      what: 'POST pods through haproxy, 3 etcd',
      ours: perSecond(median(rates)),
      target: perSecond(1_500),
      cpu: { oursMicros: shares.reduce((sum, [, used]) => sum + used, 0) },
      note: shares.map(([part, used]) => `${part} ${used.toFixed(0)}`).join(', '),
    };
    yield { what: '  p99', ours: ms(median(results.map(({ p99Ms }) => p99Ms))) };

    const gaps: number[] = [];
    for (let index = 1; index <= (quick ? 1 : controlPlanes); index++) gaps.push(await gapAfterKill(made, `host${index}`));
    yield { what: 'API server killed: without service', ours: seconds(Math.max(...gaps) / 1_000), target: seconds(2) };
  },
};

async function untilReady(made: Fleet): Promise<number> {
  for (;;) {
    const { stdout } = await made.kubectl(['get', 'nodes', '--no-headers']);
    if ((stdout.match(/ Ready /g) ?? []).length === controlPlanes) return performance.now();
    await sleep(100);
  }
}

interface Creates {
  readonly results: readonly RequestsResult[];
  /** CPU time of all rounds together. */
  readonly usedMicros: Readonly<Record<string, number>>;
}

async function creates(made: Fleet, quick: boolean): Promise<Creates> {
  const { ca = '', credentials } = findEndpoint({ path: made.host(balancer.name).pathOf('/root/admin.conf'), env: {} });
  if (credentials.kind !== 'certificate') throw new Error('the administrator has no certificate');
  const peer = { host: balancer.address, port: balancer.port, ca, cert: credentials.cert, key: credentials.key };
  const path = `/api/v1/namespaces/${namespace}/pods`;
  let firstPod = 0;
  const run = async (length: { readonly count: number } | { readonly durationMs: number }): Promise<RequestsResult> => {
    const job = { do: 'create', peer, path, connections: 32, count: undefined, durationMs: undefined, ...length, firstPod, pods: 0 };
    const { code, stdout, stderr } = await made.host(balancer.name).exec([process.execPath, load], { input: JSON.stringify(job) });
    if (code !== 0) throw new Error(`the load process failed: ${stderr}`);
    const result = JSON.parse(stdout) as RequestsResult;
    if (Object.keys(result.failures).length > 0) throw new Error(`requests were refused: ${JSON.stringify(result.failures)}`);
    firstPod += result.requests + 32;
    return result;
  };
  // As in the other rows, the servers that are measured have run for a while; each makes its share of the pods.
  await run({ count: quick ? 1_000 : controlPlanes * warmUpPods });
  const processes = processesBeside([...made.hosts.values()].map(({ pid }) => pid));
  const before = usage(processes);
  const results: RequestsResult[] = [];
  while (results.length < (quick ? 2 : 5)) results.push(await run({ durationMs: quick ? 800 : 2_500 }));
  const after = usage(processes);
  return { results, usedMicros: Object.fromEntries(Object.entries(after).map(([part, used]) => [part, used - (before[part] ?? 0)])) };
}

function usage(processes: ReturnType<typeof processesBeside>): Record<string, number> {
  const used = ([part, mark]: readonly [string, string]): [string, number] => {
    const mine = processes.filter(({ command }) => command.includes(mark));
    return [part, mine.reduce((sum, { pid }) => sum + cpuMicros(pid), 0)];
  };
  return Object.fromEntries(Object.entries(parts).map(used));
}

/** Asks with a new connection every 20 ms while the API server of a host is killed; the longest time between two answers, in ms. */
async function gapAfterKill(made: Fleet, name: string): Promise<number> {
  const script = `const { request } = require('node:https');
    let last = performance.now(), longest = 0;
    const ask = () => {
      const sent = request({ host: '${balancer.address}', port: ${balancer.port}, path: '/version', rejectUnauthorized: false, agent: false, timeout: 10000 }, (answer) => {
        answer.resume();
        answer.on('end', () => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; });
      });
      sent.on('error', () => undefined);
      sent.end();
    };
    setInterval(ask, 20);
    setTimeout(() => { console.log(longest); process.exit(); }, 8000);`;
  const asking = made.host(balancer.name).exec([process.execPath, '-e', script]);
  await sleep(1_500);
  const record = JSON.parse(readFileSync(made.host(name).pathOf('/var/lib/coxswain/node/run/kube-apiserver.json'), 'utf8')) as {
    pid: number;
  };
  await made.host(name).sh(`kill -9 ${record.pid}`);
  const { stdout } = await asking;
  await sleep(3_000);
  return Number(stdout);
}
