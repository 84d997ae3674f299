// Two figures for each number of watchers. The first is what Kubernetes' reference figure is too: deliveries a second while pods are
// created, so the creates are in it, ours with admission and disk, the raw server's without. The second is the fan-out alone, from CPU
// times: what the same creates cost without watchers is taken off, on both sides.
import { type Bench, type BenchContext, warmUpPods } from '../bench.ts';
import { type Figure, median, perSecond } from '../figure.ts';
import { runJob } from '../load/run.ts';
import { cpuMicros } from '../process-usage.ts';
import { currentRevision, type ServerProcess, startRawServer } from '../servers.ts';
import { longestStallMs, stallFigure } from '../stall.ts';

const share = 0.8;
const writers = 8;

/** Events of new pods, delivered to everybody who watches all pods of a namespace. */
export const watch: Bench = {
  name: 'watch',
  about: 'watch deliveries to 100 and 500 watchers, with the creates and without',
  async *run(context) {
    for (const watchers of [100, 500]) yield* deliveries(context, watchers);
  },
};

/** What one server did in all rounds. */
interface Side {
  readonly server: ServerProcess;
  readonly createPath: string;
  readonly rates: number[];
  withWatchersMicros: number;
  withoutMicros: number;
}

async function* deliveries(context: BenchContext, watchers: number): AsyncGenerator<Figure> {
  await using server = await context.emptyServer(`watch-${watchers}`);
  await using rawServer = await startRawServer(context.workshop);
  const ours: Side = { server, createPath: context.podsPath, rates: [], withWatchersMicros: 0, withoutMicros: 0 };
  const raw: Side = { server: rawServer, createPath: '/emit', rates: [], withWatchersMicros: 0, withoutMicros: 0 };
  const events = Math.round((context.quick ? 20_000 : 80_000) / watchers);
  const rounds = context.quick ? 1 : 5;
  let firstPod = 0;
  for (const side of [ours, raw]) firstPod += await createOnly(side, context.quick ? events : warmUpPods, firstPod);
  await longestStallMs(server.peer);
  for (let round = 0; round < rounds; round++) {
    for (const side of [ours, raw]) {
      const before = cpuMicros(side.server.pid);
      firstPod += await createOnly(side, events, firstPod);
      side.withoutMicros += cpuMicros(side.server.pid) - before;
      firstPod += await createWatched(context, side, { watchers, events, firstPod, isOurs: side === ours });
    }
  }
  yield* figures(ours, raw, watchers, rounds * watchers * events);
  yield await stallFigure(server.peer);
}

function* figures(ours: Side, raw: Side, watchers: number, done: number): Generator<Figure> {
  const [rate, rawRate] = [median(ours.rates), median(raw.rates)];
  yield {
    what: `watch deliveries, ${watchers} watchers`,
    ours: perSecond(rate),
    target: perSecond(rawRate * share),
    raw: perSecond(rawRate),
    cpu: { oursMicros: ours.withWatchersMicros / done, rawMicros: raw.withWatchersMicros / done },
    note: `${(rate / rawRate).toFixed(2)} of raw; creates are in it`,
  };
  const alone = ({ withWatchersMicros, withoutMicros }: Side): number => (withWatchersMicros - withoutMicros) / done;
  const [oursMicros, rawMicros] = [alone(ours), alone(raw)];
  yield {
    what: '  fan-out alone, a second of CPU time',
    ours: perSecond(1e6 / oursMicros),
    target: perSecond((1e6 / rawMicros) * share),
    raw: perSecond(1e6 / rawMicros),
    cpu: { oursMicros, rawMicros },
    note: `${(rawMicros / oursMicros).toFixed(2)} of raw`,
  };
}

/** Creates that nobody watches; answers how many. */
async function createOnly({ server, createPath }: Side, count: number, firstPod: number): Promise<number> {
  const path = createPath;
  const job = { do: 'create', peer: server.peer, path, connections: writers, count, durationMs: undefined, firstPod, pods: 0 } as const;
  const { failures, requests } = await runJob(job);
  if (Object.keys(failures).length > 0) throw new Error(`pods were refused: ${JSON.stringify(failures)}`);
  return requests;
}

interface Watched {
  readonly watchers: number;
  readonly events: number;
  readonly firstPod: number;
  readonly isOurs: boolean;
}

async function createWatched({ workshop, podsPath }: BenchContext, side: Side, options: Watched): Promise<number> {
  const { watchers, events, firstPod, isOurs } = options;
  const { server, createPath } = side;
  // From now on: what earlier rounds made is not told again.
  const from = isOurs ? await currentRevision(workshop, server.port) : '0';
  const watchPath = `${podsPath}?watch=1&resourceVersion=${from}`;
  const { peer, pid: serverPid } = server;
  const result = await runJob({ do: 'watch', peer, watchPath, createPath, watchers, writers, serverPid, events, firstPod });
  side.rates.push(result.deliveries / result.seconds);
  side.withWatchersMicros += result.cpuMicros;
  return events;
}
