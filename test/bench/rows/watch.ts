import type { Bench, BenchContext } from '../bench.ts';
import { type Figure, median, perSecond } from '../figure.ts';
import { runJob } from '../load/run.ts';
import { currentRevision, type ServerProcess, startRawServer } from '../servers.ts';

const share = 0.8;

/** Events of new pods, delivered to everybody who watches all pods of a namespace. */
export const watch: Bench = {
  name: 'watch',
  about: 'watch deliveries to 100 and 500 watchers',
  async *run(context) {
    for (const watchers of [100, 500]) yield await deliveries(context, watchers);
  },
};

async function deliveries(context: BenchContext, watchers: number): Promise<Figure> {
  await using server = await context.emptyServer(`watch-${watchers}`);
  await using rawServer = await startRawServer(context.workshop);
  const events = Math.round((context.quick ? 20_000 : 80_000) / watchers);
  const rates = { ours: [] as number[], raw: [] as number[] };
  const used = { ours: 0, raw: 0 };
  const rounds = context.quick ? 1 : 3;
  for (let round = 0; round <= rounds; round++) {
    for (const side of ['ours', 'raw'] as const) {
      const target: ServerProcess = side === 'ours' ? server : rawServer;
      // From now on: what earlier rounds made is not told again.
      const from = side === 'ours' ? await currentRevision(context.workshop, server.port) : '0';
      const {
        deliveries: count,
        seconds,
        cpuMicros,
      } = await runJob({
        do: 'watch',
        peer: target.peer,
        watchPath: `${context.podsPath}?watch=1&resourceVersion=${from}`,
        createPath: side === 'ours' ? context.podsPath : '/emit',
        watchers,
        writers: 8,
        serverPid: target.pid,
        events,
        firstPod: round * events,
      });
      if (round === 0) continue;
      rates[side].push(count / seconds);
      used[side] += cpuMicros;
    }
  }
  const [ours, raw] = [median(rates.ours), median(rates.raw)];
  const done = rounds * watchers * events;
  return {
    what: `watch deliveries, ${watchers} watchers`,
    ours: perSecond(ours),
    target: perSecond(raw * share),
    raw: perSecond(raw),
    cpu: { oursMicros: used.ours / done, rawMicros: used.raw / done },
    note: `${(ours / raw).toFixed(2)} of raw`,
  };
}
