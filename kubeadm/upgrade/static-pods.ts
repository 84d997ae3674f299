// Manifests of a control plane give way to new ones, one component after the other, each once the one before is well again. When one
// does not become well, all go back to what they were. The order of steps is upstream's (cmd/kubeadm/app/phases/upgrade/staticpods.go).
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { formatDuration } from '#base/duration.ts';
import { UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';
import { type ComponentPod, writeManifest } from '../manifests/component-pod.ts';
import type { Patches } from '../manifests/patches.ts';
import type { Surroundings } from '../surroundings.ts';
import type { RunningComponents } from './running.ts';

interface NewPod {
  readonly pod: ComponentPod;
  /** Makes its certificates anew, where that is wanted. */
  renew(): Promise<void>;
}

interface StaticPodDeps {
  readonly manifests: string;
  /** `/etc/kubernetes/tmp`: on the same file system. */
  readonly temporary: string;
  readonly patches: Patches;
  readonly running: RunningComponents;
  readonly limitMs: number;
  readonly host: Surroundings;
}

const lookEveryMs = 200;

/** Throws a UsageError when a component did not become well; what was replaced is back then. */
export async function replaceStaticPods(pods: readonly NewPod[], deps: StaticPodDeps): Promise<void> {
  const { temporary, host, patches } = deps;
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  const fresh = mkdtempSync(join(temporary, 'kubeadm-upgraded-manifests'));
  const backup = join(
    temporary,
    `kubeadm-backup-manifests-${new Date(host.clock.nowMs()).toISOString().slice(0, 19).replaceAll(':', '-')}`,
  );
  mkdirSync(backup, { recursive: true, mode: 0o700 });
  host.print(`[upgrade/staticpods] Writing new Static Pod manifests to ${JSON.stringify(fresh)}\n`);
  const replaced: string[] = [];
  try {
    for (const { pod } of pods) writeManifest(fresh, pod, patches);
    for (const one of pods) await replaceOne(one, { ...deps, fresh, backup, replaced });
  } catch (error) {
    for (const name of replaced) copyFileSync(join(backup, `${name}.yaml`), join(deps.manifests, `${name}.yaml`));
    host.signal.throwIfAborted();
    throw new UsageError(
      `couldn't upgrade control plane. kubeadm has tried to recover everything into the earlier state. Errors faced: ${reasonOf(error)}`,
      { exitCode: 1, cause: error },
    );
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    if (replaced.length === 0) rmSync(backup, { recursive: true, force: true });
  }
}

interface Turn extends StaticPodDeps {
  readonly fresh: string;
  readonly backup: string;
  /** Of which the old manifest lies in the backup. */
  readonly replaced: string[];
}

async function replaceOne({ pod, renew }: NewPod, turn: Turn): Promise<void> {
  const { manifests, fresh, backup, replaced, host, running, limitMs } = turn;
  const { name } = pod;
  const [current, next, old] = [manifests, fresh, backup].map((folder) => join(folder, `${name}.yaml`)) as [string, string, string];
  host.print(`[upgrade/staticpods] Preparing for ${JSON.stringify(name)} upgrade\n`);
  await renew();
  const [before, after] = [existsSync(current) ? readFileSync(current, 'utf8') : undefined, readFileSync(next, 'utf8')];
  if (before === after) {
    host.print(`[upgrade/staticpods] Current and new manifests of ${name} are equal, skipping upgrade\n`);
    return;
  }
  if (before === undefined) throw new Error(`there is no manifest ${current}`);
  const command = commandOf(after);
  // What has the command already was started by the old manifest: it must give way, where anything of the container changes.
  const known = isRestarted(before, after) ? running.pidsOf(command) : [];
  copyFileSync(current, old);
  replaced.push(name);
  renameSync(next, current);
  host.print(
    `[upgrade/staticpods] Moving new manifest to ${JSON.stringify(current)} and backing up old manifest to ${JSON.stringify(old)}\n`,
  );
  host.print('[upgrade/staticpods] Waiting for the kubelet to restart the component\n');
  host.print(`[upgrade/staticpods] This can take up to ${formatDuration(limitMs)}\n`);
  await becomesWell({ ...turn, pod, command, known });
  host.print(`[upgrade/staticpods] Component ${JSON.stringify(name)} upgraded successfully!\n`);
}

interface Wait extends Turn {
  readonly pod: ComponentPod;
  readonly command: readonly string[];
  /** Processes that do not count. */
  readonly known: readonly number[];
}

async function becomesWell({ pod, command, known, running, limitMs, host }: Wait): Promise<void> {
  const { clock, signal } = host;
  const startMs = clock.monotonicMs();
  for (;;) {
    const isNew = running.pidsOf(command).some((pid) => !known.includes(pid));
    if (isNew && (await running.isHealthy(pod.probe, signal))) return;
    signal.throwIfAborted();
    if (clock.monotonicMs() - startMs > limitMs) {
      throw new Error(`${pod.name} ${isNew ? 'is not healthy' : 'was not started anew'} after ${formatDuration(limitMs)}`);
    }
    await clock.sleep(lookEveryMs, signal);
  }
}

interface Manifest {
  readonly spec?: { readonly containers?: readonly { readonly command?: readonly string[]; readonly [field: string]: unknown }[] };
}

/** The command of a manifest's container. */
export function commandOf(text: string): readonly string[] {
  return (parse(text) as Manifest | null)?.spec?.containers?.[0]?.command ?? [];
}

function isRestarted(before: string, after: string): boolean {
  const processOf = (text: string): string => {
    const { command, image, env, args } = (parse(text) as Manifest | null)?.spec?.containers?.[0] ?? {};
    return JSON.stringify([command, image, env, args]);
  };
  return processOf(before) !== processOf(after);
}
