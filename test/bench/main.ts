// `./coxswain bench [--quick] [--bundles DIR] [names…]`: measures speed and size, and prints a line for each figure with its target.
import { existsSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, BenchContext } from './bench.ts';
import { figureLine, headLine } from './report.ts';
import { cluster } from './rows/cluster.ts';
import { failover } from './rows/failover.ts';
import { fleet } from './rows/fleet.ts';
import { kubectl, list, page } from './rows/lists.ts';
import { memory } from './rows/memory.ts';
import { pods } from './rows/pods.ts';
import { ready } from './rows/ready.ts';
import { create, etcd, get } from './rows/requests.ts';
import { schedule } from './rows/schedule.ts';
import { stalls } from './rows/stalls.ts';
import { watch } from './rows/watch.ts';
import { Workshop } from './servers.ts';

const root = join(import.meta.dirname, '../..');
const benches: readonly Bench[] = [
  ready,
  create,
  etcd,
  get,
  watch,
  memory,
  list,
  page,
  kubectl,
  stalls,
  schedule,
  cluster,
  pods,
  fleet,
  failover,
];

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = readCommandLine();
  const unknown = positionals.find((name) => !benches.some((one) => one.name === name));
  if (values.help === true || unknown !== undefined) {
    if (unknown !== undefined) console.error(`bench: there is no ${JSON.stringify(unknown)}`);
    console.log(
      `Usage: coxswain bench [--quick] [names]\n\n${benches.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}`,
    );
    return unknown === undefined ? 0 : 2;
  }
  const bundles = resolve(values.bundles ?? join(root, 'dist'));
  if (!existsSync(join(bundles, 'kube-apiserver.js'))) {
    console.error(`bench: no bundles in ${bundles}: run ./coxswain bench, or npm run build first`);
    return 1;
  }
  // The processes that are measured start as they do in a cluster.
  process.env['NODE_COMPILE_CACHE'] ??= join(root, '.cache/compile');
  const wanted = positionals.length === 0 ? benches : benches.filter(({ name }) => positionals.includes(name));
  return await measure(wanted, bundles, values.quick);
}

/** What the figures were made on: beside a busy machine only the ratios to the raw server and the CPU times say much. */
function machine(): string {
  const [load = 0] = loadavg();
  const busy = load > cpus().length / 2 ? ', busy with other things: look at CPU times and at the raw figures' : '';
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, load ${load.toFixed(1)}${busy}`;
}

function readCommandLine(): { values: { quick: boolean; bundles?: string; help?: boolean }; positionals: string[] } {
  const options = {
    quick: { type: 'boolean', default: false },
    bundles: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
}

async function measure(wanted: readonly Bench[], bundles: string, quick: boolean): Promise<number> {
  let failed = 0;
  using workshop = await Workshop.create();
  await using context = new BenchContext({ workshop, bundles, quick });
  console.log(`${machine()}\n\n${headLine()}`);
  for (const bench of wanted) {
    try {
      for await (const figure of bench.run(context)) console.log(figureLine(figure));
    } catch (error) {
      failed++;
      console.log(`${bench.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed > 0 ? 1 : 0;
}
