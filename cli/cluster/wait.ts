import { existsSync, readFileSync } from 'node:fs';
import type { Clock } from '#base/clock.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Steps } from '../steps.ts';
import { findRunning } from '../supervisor/process-table.ts';
import type { Component } from './components.ts';
import type { Layout } from './layout.ts';
import type { Milestone } from './readiness.ts';

interface WaitDeps {
  readonly layout: Layout;
  readonly components: readonly Component[];
  readonly clock: Clock;
  readonly steps: Steps;
  readonly waitMs: number;
}

const lookEveryMs = 50;
/** A component that was started so often, within one wait, does not come up by itself. */
const hopelessStarts = 5;

/** Waits for each milestone in turn. Throws a UsageError: exit code 4 when time is up, 1 when a component keeps failing. */
export async function waitFor(milestones: readonly Milestone[], deps: WaitDeps, signal: AbortSignal): Promise<void> {
  const { clock, steps, waitMs } = deps;
  using limit = clock.deadline(signal, waitMs);
  const startsBefore = new Map(deps.components.map(({ name }) => [name, findRunning(deps.layout, name)?.starts ?? 0]));
  for (const milestone of milestones) {
    let lacking = '';
    await steps.step(milestone.title, async (detail) => {
      for (;;) {
        const state = await look(milestone, limit.signal);
        if (state === true) return;
        lacking = state;
        detail(lacking);
        const failing = failingComponent(deps, startsBefore);
        if (findRunning(deps.layout, 'supervisor') === undefined) {
          throw new UsageError(`the cluster was stopped meanwhile: ${lastWords(deps.layout, 'supervisor')}`, { exitCode: 1 });
        }
        if (failing !== undefined) throw new UsageError(`${failing} does not stay up: ${lastWords(deps.layout, failing)}`, { exitCode: 1 });
        try {
          await clock.sleep(lookEveryMs, limit.signal);
        } catch (error) {
          signal.throwIfAborted();
          throw new UsageError(`not reached within ${waitMs / 1_000} s: ${milestone.title}: ${lacking}`, { exitCode: 4, cause: error });
        }
      }
    });
  }
}

async function look(milestone: Milestone, signal: AbortSignal): Promise<true | string> {
  try {
    return await milestone.check(signal);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function failingComponent({ layout, components }: WaitDeps, startsBefore: ReadonlyMap<string, number>): string | undefined {
  return components.find(({ name }) => (findRunning(layout, name)?.starts ?? 0) - (startsBefore.get(name) ?? 0) >= hopelessStarts)?.name;
}

/** The end of a component's log, for a message. */
export function lastWords(layout: Layout, component: string): string {
  const path = layout.log(component);
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  const line = lines.at(-1) ?? '';
  return `${line === '' ? 'it says nothing' : readable(line)} (log: ${path})`;
}

/** A structured log line in words; other lines as they are. */
function readable(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    return [msg, err?.message].filter((part) => part !== undefined).join(': ');
  } catch {
    return line;
  }
}
