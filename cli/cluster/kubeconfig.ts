import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import type { ApiEndpoint } from '#client/endpoint.ts';
import { findEndpoint, kubeconfigPathToWrite } from '#client/kubeconfig.ts';
import { addContext, removeContext } from '#client/kubeconfig-file.ts';
import { serverUrl } from './identity.ts';
import { type ClusterConfig, type Layout, readJson } from './layout.ts';

/** What `up` changed in the user's kubeconfig, so that `down --wipe` can undo it. */
interface WrittenContext {
  readonly path: string;
  /** The context that was current before. */
  readonly previous: string;
}

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How this host's administrator reaches the API server. */
export function adminEndpoint(layout: Layout): ApiEndpoint {
  return findEndpoint({ path: layout.kubeconfig('admin'), env: {} });
}

/** Puts the cluster's context into the user's kubeconfig (KUBECONFIG honoured) and answers the file's path. */
export async function writeUserKubeconfig(layout: Layout, config: ClusterConfig, { env, clock, signal }: Surroundings): Promise<string> {
  const path = kubeconfigPathToWrite(env);
  const { credentials } = adminEndpoint(layout);
  const before = await addContext(
    path,
    { name: config.name, server: serverUrl(config), ca: readFileSync(layout.pki('ca.crt'), 'utf8'), credentials },
    clock,
    signal,
  );
  const known = readWritten(layout).filter((one) => one.path !== path);
  const previous = before === config.name ? (readWritten(layout).find((one) => one.path === path)?.previous ?? '') : before;
  writeFileAtomically(recordPath(layout), JSON.stringify([...known, { path, previous }]));
  return path;
}

/** Takes the context out of every kubeconfig that `up` put it into. */
export async function removeUserKubeconfig(layout: Layout, name: string, { clock, signal }: Omit<Surroundings, 'env'>): Promise<void> {
  for (const { path, previous } of readWritten(layout)) {
    await removeContext(path, { name, ...(previous === '' ? {} : { restore: previous }) }, clock, signal);
  }
  rmSync(recordPath(layout), { force: true });
}

function recordPath(layout: Layout): string {
  return join(layout.dataDir, 'kubeconfig', 'written.json');
}

function readWritten(layout: Layout): readonly WrittenContext[] {
  return readJson<WrittenContext[]>(recordPath(layout)) ?? [];
}
