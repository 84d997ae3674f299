// What containers use, for /stats/summary and /metrics/resource. Rates need two looks, so the last one is remembered.
import { readFile } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import type { V1Pod } from '#api/generated/types.ts';
import type { ContainerUsage, Runtime } from '../runtime/contract.ts';

export interface StatsDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly nodeName: string;
}

interface Look {
  readonly atMs: number;
  readonly cpuNanos: bigint;
}

interface PodUsage {
  readonly pod: V1Pod;
  readonly containers: readonly ContainerUsage[];
}

export class Stats {
  readonly #deps: StatsDeps;
  readonly #startedAt: string;
  #looks = new Map<string, Look>();

  constructor(deps: StatsDeps) {
    this.#deps = deps;
    this.#startedAt = new Date(deps.clock.nowMs()).toISOString();
  }

  /** The Summary of upstream's stats API, with processor and memory. */
  async summary(pods: readonly V1Pod[], signal: AbortSignal): Promise<object> {
    const { clock, nodeName } = this.#deps;
    const time = new Date(clock.nowMs()).toISOString();
    const used = await this.#usages(pods, signal);
    const looks = new Map<string, Look>();
    const podStats = used.map(({ pod, containers }) => ({
      podRef: { name: pod.metadata?.name, namespace: pod.metadata?.namespace, uid: pod.metadata?.uid },
      startTime: pod.status?.startTime ?? null,
      containers: containers.map((usage) => this.#containerStats(usage, time, looks)),
      cpu: { time, usageCoreNanoSeconds: Number(sum(containers, ({ cpuNanos }) => cpuNanos)) },
      memory: {
        time,
        usageBytes: Number(sum(containers, ({ memoryUsageBytes }) => BigInt(memoryUsageBytes))),
        workingSetBytes: Number(sum(containers, ({ memoryWorkingSetBytes }) => BigInt(memoryWorkingSetBytes))),
      },
    }));
    this.#looks = looks;
    const memory = { time, ...(await hostMemory()) };
    return { node: { nodeName, startTime: this.#startedAt, memory }, pods: podStats };
  }

  /** Prometheus text: the two families that metrics-server reads. */
  async resourceMetrics(pods: readonly V1Pod[], signal: AbortSignal): Promise<string> {
    const cpu: string[] = [];
    const memory: string[] = [];
    for (const { pod, containers } of await this.#usages(pods, signal)) {
      for (const usage of containers) {
        const labels = `container="${usage.name}",namespace="${pod.metadata?.namespace}",pod="${pod.metadata?.name}"`;
        cpu.push(`container_cpu_usage_seconds_total{${labels}} ${Number(usage.cpuNanos) / 1e9} ${this.#deps.clock.nowMs()}`);
        memory.push(`container_memory_working_set_bytes{${labels}} ${usage.memoryWorkingSetBytes} ${this.#deps.clock.nowMs()}`);
      }
    }
    return [
      '# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds',
      '# TYPE container_cpu_usage_seconds_total counter',
      ...cpu,
      '# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes',
      '# TYPE container_memory_working_set_bytes gauge',
      ...memory,
      '',
    ].join('\n');
  }

  async #usages(pods: readonly V1Pod[], signal: AbortSignal): Promise<readonly PodUsage[]> {
    const { runtime } = this.#deps;
    return Promise.all(pods.map(async (pod) => ({ pod, containers: await runtime.usage(pod.metadata?.uid ?? '', signal) })));
  }

  #containerStats(usage: ContainerUsage, time: string, looks: Map<string, Look>): object {
    const look: Look = { atMs: this.#deps.clock.monotonicMs(), cpuNanos: usage.cpuNanos };
    looks.set(usage.id, look);
    const before = this.#looks.get(usage.id);
    const passedMs = before === undefined ? 0 : look.atMs - before.atMs;
    const rate = before === undefined || passedMs <= 0 ? {} : { usageNanoCores: nanoCores(look.cpuNanos - before.cpuNanos, passedMs) };
    return {
      name: usage.name,
      cpu: { time, ...rate, usageCoreNanoSeconds: Number(usage.cpuNanos) },
      memory: { time, usageBytes: usage.memoryUsageBytes, workingSetBytes: usage.memoryWorkingSetBytes },
    };
  }
}

function nanoCores(nanos: bigint, passedMs: number): number {
  return Math.round((Number(nanos) * 1_000) / passedMs);
}

function sum(list: readonly ContainerUsage[], of: (usage: ContainerUsage) => bigint): bigint {
  return list.reduce((total, usage) => total + of(usage), 0n);
}

async function hostMemory(): Promise<object> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  const available = kib('MemAvailable') * 1_024;
  const used = (kib('MemTotal') - kib('MemFree')) * 1_024;
  return { availableBytes: available, usageBytes: used, workingSetBytes: kib('MemTotal') * 1_024 - available };
}
