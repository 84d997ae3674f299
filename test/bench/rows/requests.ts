import { EtcdCluster } from '#test/testbed/etcd.ts';
import { type Bench, type BenchContext, warmUpPods } from '../bench.ts';
import { type Figure, median, ms, perSecond } from '../figure.ts';
import type { RequestsResult } from '../load/jobs.ts';
import { runJob } from '../load/run.ts';
import { cpuMicros } from '../process-usage.ts';
import { type ServerProcess, startRawServer } from '../servers.ts';
import { longestStallMs, stallFigure } from '../stall.ts';

const connections = 32;
const podsToGet = 1_000;

interface Slices {
  readonly rates: number[];
  readonly p99s: number[];
  requests: number;
  cpuMicros: number;
}

/** Creates of pods of 2 KB: full admission, durable. */
export const create: Bench = {
  name: 'create',
  about: 'POST pods, 32 connections, TLS, full admission, durable',
  async *run(context) {
    await using server = await context.emptyServer('create');
    yield* compare(context, server, { do: 'create', what: 'POST pods, 32 connections', rate: 4_000, p99Ms: 20 });
  },
};

/** Gets of single pods. */
export const get: Bench = {
  name: 'get',
  about: 'GET pod, 32 connections, TLS',
  async *run(context) {
    await using server = await context.emptyServer('get');
    await context.createPods(server, podsToGet);
    yield* compare(context, server, { do: 'get', what: 'GET pod, 32 connections', rate: 16_000, p99Ms: 6 });
  },
};

/** The same creates with the objects in etcd, of one member and of three on this machine. */
export const etcd: Bench = {
  name: 'etcd',
  about: 'POST pods as in create, with the objects in etcd',
  async *run(context) {
    for (const members of [1, 3]) {
      await using cluster = await EtcdCluster.start({ members });
      await using server = await context.emptyServer(`etcd-${members}`, { etcdServers: cluster.servers });
      yield* compare(context, server, { do: 'create', what: `POST pods, etcd of ${members}` });
    }
  },
};

interface Comparison {
  readonly do: 'create' | 'get';
  readonly what: string;
  /** Targets, where there are some. */
  readonly rate?: number;
  readonly p99Ms?: number;
}

/** Ours and the raw server in turn, slice by slice, so that whatever else the machine does meets both. */
async function* compare(context: BenchContext, server: ServerProcess, { do: kind, what, rate, p99Ms }: Comparison): AsyncGenerator<Figure> {
  await using rawServer = await startRawServer(context.workshop);
  const [ours, raw] = [emptySlices(), emptySlices()];
  const rounds = context.quick ? 2 : 5;
  const durationMs = context.quick ? 800 : 2_500;
  let firstPod = 0;
  if (kind === 'create' && !context.quick) {
    for (const target of [server, rawServer]) await context.createPods(target, warmUpPods);
    firstPod = warmUpPods;
  }
  for (let round = 0; round <= rounds; round++) {
    if (round === 1) await longestStallMs(server.peer);
    for (const [target, slices] of [[server, ours] as const, [rawServer, raw] as const]) {
      const before = cpuMicros(target.pid);
      const job = {
        do: kind,
        peer: target.peer,
        path: context.podsPath,
        connections,
        durationMs,
        count: undefined,
        pods: podsToGet,
        firstPod,
      } as const;
      const result = await runJob(job);
      firstPod += result.requests + connections;
      if (Object.keys(result.failures).length > 0) throw new Error(`requests were refused: ${JSON.stringify(result.failures)}`);
      // The first round only warms up.
      if (round > 0) add(slices, result, cpuMicros(target.pid) - before);
    }
  }
  const cpu = { oursMicros: ours.cpuMicros / ours.requests, rawMicros: raw.cpuMicros / raw.requests };
  const note = `${(cpu.oursMicros / cpu.rawMicros).toFixed(1)} × raw CPU`;
  yield {
    what,
    ours: perSecond(median(ours.rates)),
    ...(rate === undefined ? {} : { target: perSecond(rate) }),
    raw: perSecond(median(raw.rates)),
    cpu,
    note,
  };
  yield { what: '  p99', ours: ms(median(ours.p99s)), ...(p99Ms === undefined ? {} : { target: ms(p99Ms) }), raw: ms(median(raw.p99s)) };
  yield await stallFigure(server.peer);
}

function emptySlices(): Slices {
  return { rates: [], p99s: [], requests: 0, cpuMicros: 0 };
}

function add(slices: Slices, { requests, seconds, p99Ms }: RequestsResult, usedMicros: number): void {
  slices.rates.push(requests / seconds);
  slices.p99s.push(p99Ms);
  slices.requests += requests;
  slices.cpuMicros += usedMicros;
}
