// What V8 measures of this thread, as profiles. The inspector is loaded on demand.
import { getHeapSpaceStatistics } from 'node:v8';
import type { HeapProfiler, Profiler } from 'node:inspector';
import type { Clock } from '../clock.ts';
import type { Frame, Profile, Sample } from './pprof.ts';

const sampleMicros = 1_000;
const heapSampleBytes = 64 * 1024;

/** Where the processor's time goes for a while. An abort of the signal ends it early, with what there is. */
export async function cpuProfile(lastsMs: number, clock: Clock, signal: AbortSignal): Promise<Profile> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  const startMs = clock.nowMs();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: sampleMicros });
    await session.post('Profiler.start');
    await clock.sleep(lastsMs, signal).catch(() => undefined);
    const { profile } = await session.post('Profiler.stop');
    return {
      types: [
        { type: 'samples', unit: 'count' },
        { type: 'cpu', unit: 'nanoseconds' },
      ],
      samples: cpuSamples(profile),
      period: { of: { type: 'cpu', unit: 'nanoseconds' }, amount: sampleMicros * 1_000 },
      startMs,
      durationMs: (profile.endTime - profile.startTime) / 1_000,
    };
  } finally {
    session.disconnect();
  }
}

/** What is allocated during a while: all of it, or what of it still lives at its end. */
export async function allocationProfile(which: 'all' | 'living', lastsMs: number, clock: Clock, signal: AbortSignal): Promise<Profile> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  const startMs = clock.nowMs();
  const startedMs = clock.monotonicMs();
  try {
    const isAll = which === 'all';
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: heapSampleBytes,
      includeObjectsCollectedByMajorGC: isAll,
      includeObjectsCollectedByMinorGC: isAll,
    });
    await clock.sleep(lastsMs, signal).catch(() => undefined);
    const { profile } = await session.post('HeapProfiler.stopSampling');
    const kind = isAll ? 'alloc' : 'inuse';
    return {
      types: [
        { type: `${kind}_objects`, unit: 'count' },
        { type: `${kind}_space`, unit: 'bytes' },
      ],
      samples: heapSamples(profile),
      period: { of: { type: 'space', unit: 'bytes' }, amount: heapSampleBytes },
      startMs,
      durationMs: clock.monotonicMs() - startedMs,
    };
  } finally {
    session.disconnect();
  }
}

/** What the memory of this process is used for now: V8 reports it by space, not by allocation site. */
export function memoryProfile(clock: Clock): Profile {
  const { external, arrayBuffers } = process.memoryUsage();
  const spaces = getHeapSpaceStatistics().map(({ space_name: name, space_used_size: bytes }) => ({ name: `V8 ${name}`, bytes }));
  const all = [
    ...spaces,
    { name: 'buffers outside of the heap', bytes: arrayBuffers },
    { name: 'other memory of objects outside of the heap', bytes: Math.max(0, external - arrayBuffers) },
  ];
  return {
    types: [{ type: 'inuse_space', unit: 'bytes' }],
    samples: all.filter(({ bytes }) => bytes > 0).map(({ name, bytes }) => ({ stack: [{ name, file: '', line: 0 }], values: [bytes] })),
    period: { of: { type: 'space', unit: 'bytes' }, amount: 1 },
    startMs: clock.nowMs(),
    durationMs: 0,
  };
}

/** What keeps the event loop alive: connections, timers, requests to the system. As near as Node comes to a list of goroutines. */
export function activeResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map([...counts].toSorted(([, a], [, b]) => b - a));
}

export function resourcesProfile(clock: Clock): Profile {
  return {
    types: [{ type: 'goroutine', unit: 'count' }],
    samples: Array.from(activeResources(), ([name, count]) => ({ stack: [{ name, file: '', line: 0 }], values: [count] })),
    period: { of: { type: 'goroutine', unit: 'count' }, amount: 1 },
    startMs: clock.nowMs(),
    durationMs: 0,
  };
}

/** Time in which the processor had nothing to do is no time of the processor. */
const idle = '(idle)';

function* cpuSamples({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Generator<Sample> {
  const parents = new Map<number, Profiler.ProfileNode>();
  const known = new Map(nodes.map((node) => [node.id, node]));
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const own = new Map<number, { count: number; micros: number }>();
  for (const [at, id] of samples.entries()) {
    const spent = own.get(id) ?? { count: 0, micros: 0 };
    own.set(id, spent);
    spent.count++;
    // A sample stands for the time up to the next.
    spent.micros += Math.max(0, timeDeltas[at + 1] ?? sampleMicros);
  }
  for (const [id, { count, micros }] of own) {
    const stack: Frame[] = [];
    for (let node = known.get(id); node !== undefined; node = parents.get(node.id)) {
      if (node.callFrame.functionName !== '(root)') stack.push(frameOf(node.callFrame));
    }
    if (stack[0] !== undefined && stack[0].name !== idle) yield { stack, values: [count, micros * 1_000] };
  }
}

function* heapSamples({ head }: HeapProfiler.SamplingHeapProfile): Generator<Sample> {
  const open: { readonly node: HeapProfiler.SamplingHeapProfileNode; readonly stack: readonly Frame[] }[] = [{ node: head, stack: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, stack } = next;
    const own = node === head ? stack : [frameOf(node.callFrame), ...stack];
    if (node.selfSize > 0) yield { stack: own, values: [Math.max(1, Math.round(node.selfSize / heapSampleBytes)), node.selfSize] };
    for (const child of node.children) open.push({ node: child, stack: own });
  }
}

function frameOf({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): Frame {
  return { name: functionName === '' ? '(anonymous)' : functionName, file: url, line: lineNumber + 1 };
}
