// A run of faults over a cluster of several hosts while clients write, read and watch through the load balancer; then the judgement.
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background } from '#test/e2e/background.ts';
import { until } from '#test/e2e/cluster.ts';
import type { Fleet } from '#test/testbed/fleet.ts';
import { etcdLeader, type Fault } from './faults.ts';
import { checkHistory } from './history/check.ts';
import { checkLeases, takeovers } from './history/leases.ts';
import type { Recorded } from './history/operation.ts';

const client = join(import.meta.dirname, 'history/client.ts');
const historyPath = '/root/history.json';
const readyLimitMs = 120_000;

interface FaultRunOptions {
  readonly fleet: Fleet;
  readonly controlPlanes: readonly string[];
  /** What happens, in this order, and to whom: the leader of etcd, or the next control plane in turn. */
  readonly faults: readonly { readonly fault: Fault; readonly on: 'leader' | 'next' }[];
  /** How long each lasts, and how long it is quiet afterwards. */
  readonly lastsMs: number;
  readonly quietMs: number;
  /** Goes on with the faults from the start until so many operations were made; default: once through. */
  readonly operations?: number;
  readonly progress: (text: string) => void;
}

interface FaultRunResult {
  readonly problems: readonly string[];
  readonly operations: number;
  readonly events: number;
  /** How often somebody else came to lead, by Lease. */
  readonly takeovers: ReadonlyMap<string, number>;
  /** The client's own last line. */
  readonly summary: string;
}

/** Runs all faults and ends with a cluster that is whole again. */
export async function runFaults(options: FaultRunOptions): Promise<FaultRunResult> {
  const { fleet, controlPlanes, faults, operations, progress } = options;
  const near = fleet.host('host9');
  await using load = new Background(near, [process.execPath, client, '/root/admin.conf', historyPath]);
  await load.shows(/operations 1000\n/, 120_000);
  for (let at = 0; operations === undefined ? at < faults.length : made(load) < operations; at++) {
    const { fault, on } = faults[at % faults.length] ?? { on: 'next' };
    if (fault === undefined) break;
    const leader = on === 'leader' ? await etcdLeader(fleet, controlPlanes) : undefined;
    const host = leader ?? controlPlanes[at % controlPlanes.length] ?? '';
    progress(`${made(load)} operations; ${host}${leader === undefined ? '' : ', the leader'}: ${fault.name}`);
    const shown = load.output.length;
    await strike(options, fault, host);
    for (const [silence] of load.output.slice(shown).matchAll(/^nobody answered for .*$/gm)) progress(`  ${silence}`);
  }
  load.closeInput();
  const code = await load.ended;
  const summary = load.output.trim().split('\n').at(-1) ?? '';
  progress(summary);
  if (code !== 0)
    return { problems: [`the client ended with ${code}: ${summary}`], operations: 0, events: 0, takeovers: new Map(), summary };
  const text = readFileSync(near.pathOf(historyPath), 'utf8');
  const history = JSON.parse(text) as Recorded;
  const problems = [...checkHistory(history), ...checkLeases(history.leases)];
  if (problems.length > 0) {
    const kept = join(tmpdir(), `coxswain-history-${process.pid}.json`);
    writeFileSync(kept, text);
    progress(`the history is kept in ${kept}`);
  }
  return { problems, operations: history.operations.length, events: history.events.length, takeovers: takeovers(history.leases), summary };
}

async function strike({ fleet, controlPlanes, lastsMs, quietMs }: FaultRunOptions, fault: Fault, host: string): Promise<void> {
  const end = await fault.begin(fleet, host);
  try {
    await sleep(lastsMs);
  } finally {
    await end();
  }
  // The next one may strike another control plane: this one must be there again.
  await untilReady(fleet, controlPlanes);
  await sleep(quietMs);
}

/** Waits until the API server of every control plane says that it is ready. */
export async function untilReady(fleet: Fleet, controlPlanes: readonly string[]): Promise<void> {
  for (const name of controlPlanes) await until(`${name} is ready`, () => isReady(fleet, name), readyLimitMs);
}

async function isReady(fleet: Fleet, name: string): Promise<boolean> {
  const { stdout } = await fleet.host(name).exec(['curl', '-sk', '-m', '2', 'https://127.0.0.1:6443/readyz']);
  return stdout === 'ok';
}

function made(load: Background): number {
  return Number([...load.output.matchAll(/^operations (\d+)$/gm)].at(-1)?.[1] ?? 0);
}
