// Work in phases: the whole of a command runs them in order, `COMMAND phase …` one of them, `--skip-phases` leaves some out.
import type { Flags } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { type Call, type Command, command, group } from './command.ts';

/** One step of a command; `J` is what the steps of one run share. */
export interface Phase<J> {
  readonly name: string;
  readonly about: string;
  /** The parts that it consists of, in order. */
  readonly parts?: readonly Phase<J>[];
  /** What it does itself, before its parts. */
  readonly run?: (job: J) => Promise<void> | void;
}

/** Runs phases in order, leaving out those that `skipped` names (`certs`, `addon/kube-proxy`). */
export async function runPhases<J>(phases: readonly Phase<J>[], job: J, skipped: readonly string[], above = ''): Promise<void> {
  for (const { name, run, parts = [] } of phases) {
    const path = `${above}${name}`;
    if (skipped.includes(path)) continue;
    await run?.(job);
    await runPhases(parts, job, skipped, `${path}/`);
  }
}

/** Refuses names for `--skip-phases` that no phase has. */
export function refuseUnknownPhases<J>(phases: readonly Phase<J>[], skipped: readonly string[]): void {
  const known = phasePaths(phases);
  const unknown = skipped.find((path) => !known.includes(path));
  if (unknown !== undefined) throw new UsageError(`invalid phase name: ${unknown}`);
}

function phasePaths<J>(phases: readonly Phase<J>[], above = ''): readonly string[] {
  return phases.flatMap(({ name, parts = [] }) => [`${above}${name}`, ...phasePaths(parts, `${above}${name}/`)]);
}

/** What a command's help says of its phases. */
export function phaseList<J>(name: string, phases: readonly Phase<J>[]): string {
  const rows = phases.flatMap(({ name: own, about, parts = [] }) => [
    { indent: '', label: own, about },
    ...parts.map((part) => ({ indent: '  ', label: `/${part.name}`, about: part.about })),
  ]);
  const width = Math.max(...rows.map(({ label }) => label.length)) + 2;
  const lines = rows.map(({ indent, label, about }) => `${indent}${label.padEnd(width)}${about}\n`);
  return `The "${name}" command executes the following phases:\n\`\`\`\n${lines.join('')}\`\`\``;
}

interface PhaseCommands<F extends Flags, J> {
  /** Of the command that has the phases. */
  readonly name: string;
  readonly flags: F;
  readonly maxArgs?: number;
  /** Makes a job of what the user said. */
  readonly prepare: (call: Call<F>) => J & AsyncDisposable;
}

/** `COMMAND phase`: a command for every phase and every part; a phase of parts also has `all`. */
export function phaseCommand<F extends Flags, J>(
  phases: readonly Phase<J>[],
  { name, flags, maxArgs = 0, prepare }: PhaseCommands<F, J>,
): Command {
  const one = (what: Phase<J>, called: string): Command =>
    command({
      name: called,
      about: what.about,
      flags,
      maxArgs,
      run: async (call) => {
        await using job = prepare(call);
        await runPhases([what], job, []);
      },
    });
  const commands = phases.map((phase) => {
    const { parts = [] } = phase;
    if (parts.length === 0) return one(phase, phase.name);
    return group(phase.name, phase.about, [one(phase, 'all'), ...parts.map((part) => one(part, part.name))]);
  });
  return group('phase', `Use this command to invoke single phase of the "${name}" workflow`, commands);
}
