import type { Bench } from '../bench.ts';
import { median, ms, perSecond, seconds } from '../figure.ts';
import { runJob } from '../load/run.ts';
import { cpuMicros } from '../process-usage.ts';
import { longestStallMs, stallFigure } from '../stall.ts';

/** One list of everything. */
export const list: Bench = {
  name: 'list',
  about: 'LIST of 26,800 pods of about 5.9 KB',
  async *run(context) {
    const server = await context.filledServer();
    const count = 5;
    await longestStallMs(server.peer);
    const before = cpuMicros(server.pid);
    const { firstByteMs, totalMs, bytes } = await runJob({ do: 'stream', peer: server.peer, path: '/api/v1/pods', count });
    const cpu = { oursMicros: (cpuMicros(server.pid) - before) / count };
    const what = `LIST ${context.manyPods} pods`;
    yield { what, ours: seconds(median(totalMs) / 1_000), target: seconds(0.3), cpu, note: `${(bytes / 1e6).toFixed(0)} MB` };
    yield { what: '  first byte', ours: ms(median(firstByteMs)), target: ms(20) };
    yield await stallFigure(server.peer);
  },
};

/** Pages of 500 pods. */
export const page: Bench = {
  name: 'page',
  about: 'LIST limit=500, 8 connections',
  async *run(context) {
    const server = await context.filledServer();
    const path = '/api/v1/pods?limit=500';
    const job = { do: 'list', peer: server.peer, path, connections: 8, count: undefined, firstPod: 0, pods: 0 } as const;
    await runJob({ ...job, durationMs: 500 });
    await longestStallMs(server.peer);
    const before = cpuMicros(server.pid);
    const { requests, seconds: elapsed } = await runJob({ ...job, durationMs: context.quick ? 1_000 : 4_000 });
    const cpu = { oursMicros: (cpuMicros(server.pid) - before) / requests };
    yield { what: 'LIST limit=500, 8 connections', ours: perSecond(requests / elapsed), target: perSecond(400), cpu };
    yield await stallFigure(server.peer);
  },
};
