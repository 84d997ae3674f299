import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Bench } from '../bench.ts';
import { median, ms, perSecond, seconds } from '../figure.ts';
import { runJob } from '../load/run.ts';
import { cpuMicros } from '../process-usage.ts';
import { longestStallMs, stallFigure } from '../stall.ts';

/** What others than programs in JSON ask for: kubectl, and clients written in Go. */
const otherForms = [
  { form: 'a table', accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
  { form: 'protobuf', accept: 'application/vnd.kubernetes.protobuf' },
  { form: 'metadata alone, in protobuf', accept: 'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
] as const;

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
    for (const { form, accept } of otherForms) {
      const others = await runJob({ do: 'stream', peer: server.peer, path: '/api/v1/pods', accept, count });
      yield {
        what: `  as ${form}`,
        ours: seconds(median(others.totalMs) / 1_000),
        note: `first byte ${median(others.firstByteMs).toFixed(0)} ms, ${(others.bytes / 1e6).toFixed(0)} MB`,
      };
      yield await stallFigure(server.peer);
    }
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

const kubectlPods = 24_800;

/** What a person waits for, the time that kubectl itself takes included: of large pods it takes the most by far. */
export const kubectl: Bench = {
  name: 'kubectl',
  about: 'kubectl get pods --chunk-size=0, 24,800 of the smallest pods',
  async *run(context) {
    const count = context.quick ? context.manyPods : kubectlPods;
    await using server = await context.emptyServer('kubectl');
    await context.createPods(server, count, true);
    const kubeconfig = await context.workshop.kubeconfig(server.port, 'reader', ['system:masters']);
    const options = { env: { ...process.env, KUBECONFIG: kubeconfig }, maxBuffer: 64 * 1024 * 1024 };
    const elapsed: number[] = [];
    for (let round = 0; round < 5; round++) {
      const startMs = performance.now();
      await promisify(execFile)('kubectl', ['get', 'pods', '--all-namespaces', '--chunk-size=0'], options);
      elapsed.push(performance.now() - startMs);
    }
    yield { what: `kubectl get pods --chunk-size=0, ${count} of them`, ours: seconds(median(elapsed) / 1_000), target: seconds(1.6) };
  },
};
