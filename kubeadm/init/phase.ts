import type { Client } from '#client/client.ts';
import { type Command, command } from '../command.ts';
import type { Folders } from '../folders.ts';
import type { Patches } from '../manifests/patches.ts';
import type { HostFacts } from '../preflight/facts.ts';
import type { Surroundings } from '../surroundings.ts';
import type { BootstrapToken } from '../token/bootstrap-token.ts';
import { initFlags, type InitFlagValues, type LoadedInit, loadInit } from './flags.ts';

/** What the phases of one `kubeadm init` share. */
export interface InitJob extends LoadedInit {
  readonly flags: InitFlagValues;
  readonly folders: Folders;
  /** The places that are told: those of a real run, also in a dry one. */
  readonly shown: Folders;
  readonly host: Surroundings;
  readonly facts: HostFacts;
  readonly isDryRun: boolean;
  readonly patches: Patches;
  /** The first is the one that join commands are printed with. */
  readonly tokens: readonly BootstrapToken[];
  /** What uploaded certificates are encrypted with: AES-256, in hex. */
  readonly certificateKey: string;
  /** Made when it is first asked for, with the super-admin's kubeconfig. */
  client(): Client;
}

/** One step of `kubeadm init`, which `kubeadm init phase …` runs alone. */
export interface Phase {
  readonly name: string;
  readonly about: string;
  /** The parts that it consists of, in order; it does nothing itself then. */
  readonly parts?: readonly Phase[];
  readonly run?: (job: InitJob) => Promise<void> | void;
}

/** Runs phases in order, leaving out those that `skipped` names (`certs`, `addon/kube-proxy`). */
export async function runPhases(phases: readonly Phase[], job: InitJob, skipped: readonly string[], above = ''): Promise<void> {
  for (const { name, run, parts = [] } of phases) {
    const path = `${above}${name}`;
    if (skipped.includes(path)) continue;
    await run?.(job);
    await runPhases(parts, job, skipped, `${path}/`);
  }
}

/** Names of all phases, as `--skip-phases` takes them. */
export function phasePaths(phases: readonly Phase[], above = ''): readonly string[] {
  return phases.flatMap(({ name, parts = [] }) => [`${above}${name}`, ...phasePaths(parts, `${above}${name}/`)]);
}

/** Makes a job of what the user said. */
export type Prepare = (loaded: LoadedInit, flags: InitFlagValues, host: Surroundings) => InitJob & AsyncDisposable;

/** The command that runs one phase alone; one of parts also has `all`. */
export function phaseCommand(phase: Phase, prepare: Prepare): Command {
  const parts = phase.parts ?? [];
  const one = (what: Phase, name: string): Command =>
    command({
      name,
      about: what.about,
      flags: initFlags,
      run: async ({ flags, given, host }) => {
        await using job = prepare(loadInit(flags, given), flags, host);
        await runPhases([what], job, []);
      },
    });
  if (parts.length === 0) return one(phase, phase.name);
  return {
    name: phase.name,
    about: phase.about,
    flags: {},
    maxArgs: 0,
    commands: [one(phase, 'all'), ...parts.map((part) => one(part, part.name))],
  };
}
