// Keeps the processes of a cluster alive. INVARIANT: it acts on what runs (records checked against /proc), not on what it remembers
// having started, so it may be killed at any moment and the next one goes on where it was.
import { copyFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Component } from '../cluster/components.ts';
import type { Layout } from '../cluster/layout.ts';
import { planSupervision, type Seen, steadyMs } from './plan.ts';
import {
  adoptUnrecorded,
  commandDigest,
  findRunning,
  forget,
  isAlive,
  type ProcessRecord,
  recordedNames,
  signalProcess,
  start,
} from './process-table.ts';

interface SupervisorDeps {
  readonly layout: Layout;
  /** What should run now; asked again whenever `revision` answers something else. */
  readonly components: () => readonly Component[];
  /** Changes when the desired processes may have: another address of the host, new certificates. */
  readonly revision: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

interface History {
  failures: number;
  starts: number;
  lastStartMs: number | undefined;
}

interface Wanted {
  readonly component: Component;
  readonly digest: string;
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
    const { clock, log, layout, components } = this.#deps;
    ready();
    try {
      for (let look = 0; ; look++) {
        try {
          await this.#look(signal);
          if (look % 240 === 0) this.#rotateLogs();
        } catch (err) {
          if (isAbort(err, signal)) throw err;
          // A full disk, say. What runs goes on, and the next look may have more luck.
          log.error({ err }, 'the processes could not be looked after');
        }
        await clock.sleep(lookEveryMs, signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
      await stopComponents({ layout, components: components(), clock });
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { layout, clock, log } = this.#deps;
    const wanted = new Map(this.#refresh().map((one) => [one.component.name, one]));
    const names = new Set([...wanted.keys(), ...this.#left()]);
    const running = new Map([...names].map((name) => [name, findRunning(layout, name)]));
    const nowMs = clock.nowMs();
    const seen = [...names].map((name): Seen => {
      const history = this.#historyOf(name);
      const record = running.get(name);
      if (record === undefined && history.lastStartMs !== undefined) this.#noteEnd(history, nowMs);
      return { name, wanted: wanted.get(name)?.digest, running: record, failures: history.failures, lastStartMs: history.lastStartMs };
    });
    for (const step of planSupervision(seen, nowMs)) {
      const component = wanted.get(step.name)?.component;
      try {
        if (component === undefined) {
          await this.#stop(step.name, running.get(step.name), signal);
          continue;
        }
        await this.#start(component, running.get(step.name), signal);
        log.info(
          { component: step.name, starts: this.#historyOf(step.name).starts },
          step.do === 'start' ? 'component started' : 'component replaced',
        );
      } catch (err) {
        if (isAbort(err, signal)) throw err;
        // A full disk, say. The others are looked after all the same.
        log.error({ err, component: step.name }, 'a component could not be started');
      }
    }
  }

  /** Names of processes that run without being wanted; read only when the desired processes have changed. */
  #left(): readonly string[] {
    const wanted = this.#wanted;
    if (wanted === undefined || wanted.isClean) return [];
    const known = new Set(wanted.list.map(({ component }) => component.name));
    const { layout } = this.#deps;
    const left = recordedNames(layout).filter((name) => name !== this.name && !known.has(name));
    for (const name of left) if (findRunning(layout, name) === undefined) forget(layout, name);
    wanted.isClean = left.length === 0;
    return left;
  }

  async #stop(name: string, record: ProcessRecord | undefined, signal: AbortSignal): Promise<void> {
    const { layout, clock, log } = this.#deps;
    if (record !== undefined) await stopProcess(record, clock, signal);
    forget(layout, name);
    this.#history.delete(name);
    log.info({ component: name }, 'component removed');
  }

  async #start(component: Component, old: ProcessRecord | undefined, signal: AbortSignal): Promise<void> {
    const { layout, clock } = this.#deps;
    if (old !== undefined) await stopProcess(old, clock, signal);
    const history = this.#historyOf(component.name);
    history.starts++;
    history.lastStartMs = clock.nowMs();
    this.#ended.delete(history);
    start(layout, component, history.starts, history.lastStartMs);
  }

  /** What should run, with digests; reads files only when something changed. */
  #refresh(): readonly Wanted[] {
    const { layout, clock, revision, components } = this.#deps;
    const current = revision();
    if (this.#wanted !== undefined && this.#wanted.revision === current) return this.#wanted.list;
    const list = components().map((component) => ({ component, digest: commandDigest(component) }));
    if (this.#wanted === undefined) {
      for (const { component } of list)
        if (findRunning(layout, component.name) === undefined) adoptUnrecorded(layout, component, clock.nowMs());
    }
    this.#wanted = { revision: current, list, isClean: false };
    return list;
  }

  #wanted: { readonly revision: string; readonly list: readonly Wanted[]; isClean: boolean } | undefined;
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
    const { layout, log } = this.#deps;
    for (const name of [...this.#refresh().map(({ component }) => component.name), 'supervisor']) {
      const path = layout.log(name);
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < maxLogBytes) continue;
      try {
        copyFileSync(path, `${path}.1`);
      } catch (err) {
        log.warn({ err, path }, 'no room for an old log');
        rmSync(`${path}.1`, { force: true });
      }
      truncateSync(path);
    }
  }
}

interface StopDeps {
  readonly layout: Layout;
  readonly components: readonly Component[];
  readonly clock: Clock;
}

/** Stops the components, also ones without a record; the API server, which is first, goes last and alone. */
export async function stopComponents({ layout, components, clock }: StopDeps): Promise<void> {
  const never = new AbortController().signal;
  const [first, ...others] = components;
  const stop = async (component: Component | undefined): Promise<void> => {
    if (component === undefined) return;
    const record = findRunning(layout, component.name) ?? adoptUnrecorded(layout, component, clock.nowMs());
    if (record !== undefined) await stopProcess(record, clock, never);
    forget(layout, component.name);
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
