// Keeps the processes of a cluster alive. INVARIANT: it acts on what runs (records checked against /proc), not on what it remembers
// having started, so it may be killed at any moment and the next one goes on where it was.
import { copyFileSync, statSync, truncateSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Component } from '../cluster/components.ts';
import type { Layout } from '../cluster/layout.ts';
import { planSupervision, type Seen, steadyMs } from './plan.ts';
import { commandDigest, findRunning, forget, isAlive, type ProcessRecord, signalProcess, start } from './process-table.ts';

export interface SupervisorDeps {
  readonly layout: Layout;
  readonly components: readonly Component[];
  readonly clock: Clock;
  readonly log: Log;
}

interface History {
  failures: number;
  starts: number;
  lastStartMs: number | undefined;
}

const lookEveryMs = 250;
const stopGraceMs = 15_000;
const maxLogBytes = 20 * 1024 * 1024;

export class Supervisor implements Service {
  readonly name = 'supervisor';
  readonly #deps: SupervisorDeps;
  readonly #history = new Map<string, History>();

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock } = this.#deps;
    ready();
    try {
      for (let look = 0; ; look++) {
        await this.#look(signal);
        if (look % 240 === 0) this.#rotateLogs();
        await clock.sleep(lookEveryMs, signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
      await stopComponents(this.#deps);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { layout, components, clock, log } = this.#deps;
    const running = new Map(components.map(({ name }) => [name, findRunning(layout, name)]));
    const nowMs = clock.nowMs();
    const seen = components.map((component): Seen => {
      const history = this.#historyOf(component.name);
      const record = running.get(component.name);
      if (record === undefined && history.lastStartMs !== undefined) this.#noteEnd(history, nowMs);
      return {
        name: component.name,
        wanted: commandDigest(component),
        running: record,
        failures: history.failures,
        lastStartMs: history.lastStartMs,
      };
    });
    for (const step of planSupervision(seen, nowMs)) {
      const component = components.find(({ name }) => name === step.name);
      if (component === undefined) continue;
      const old = running.get(step.name);
      if (old !== undefined) await stopProcess(old, clock, signal);
      const history = this.#historyOf(step.name);
      history.starts++;
      history.lastStartMs = nowMs;
      this.#ended.delete(history);
      start(layout, component, history.starts, nowMs);
      log.info({ component: step.name, starts: history.starts }, step.do === 'start' ? 'component started' : 'component replaced');
    }
  }

  readonly #ended = new WeakSet<History>();

  /** Counts one end of a process once. */
  #noteEnd(history: History, nowMs: number): void {
    if (this.#ended.has(history)) return;
    this.#ended.add(history);
    history.failures = nowMs - (history.lastStartMs ?? nowMs) >= steadyMs ? 0 : history.failures + 1;
  }

  #historyOf(name: string): History {
    const known = this.#history.get(name);
    if (known !== undefined) return known;
    const adopted = findRunning(this.#deps.layout, name);
    const history: History = { failures: 0, starts: adopted?.starts ?? 0, lastStartMs: adopted?.startedMs };
    this.#history.set(name, history);
    return history;
  }

  /** Keeps one old log beside each: copied, then cut, since the process holds the file open for appending. */
  #rotateLogs(): void {
    for (const name of [...this.#deps.components.map((component) => component.name), 'supervisor']) {
      const path = this.#deps.layout.log(name);
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < maxLogBytes) continue;
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
    }
  }
}

/** Stops the components in the reverse of their order; the API server, which is first, goes last and alone. */
export async function stopComponents({
  layout,
  components,
  clock,
}: Pick<SupervisorDeps, 'layout' | 'components' | 'clock'>): Promise<void> {
  const never = new AbortController().signal;
  const [first, ...others] = components.map(({ name }) => name);
  const stop = async (name: string | undefined): Promise<void> => {
    const record = name === undefined ? undefined : findRunning(layout, name);
    if (record !== undefined) await stopProcess(record, clock, never);
    if (name !== undefined) forget(layout, name);
  };
  await Promise.all(others.map(stop));
  await stop(first);
}

/** SIGTERM, `graceMs` to end, then SIGKILL. */
export async function stopProcess(record: ProcessRecord, clock: Clock, signal: AbortSignal, graceMs = stopGraceMs): Promise<void> {
  signalProcess(record, 'SIGTERM');
  const deadlineMs = clock.monotonicMs() + graceMs;
  while (isAlive(record)) {
    if (clock.monotonicMs() > deadlineMs) signalProcess(record, 'SIGKILL');
    await clock.sleep(25, signal);
  }
}
