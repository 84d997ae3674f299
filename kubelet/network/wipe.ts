import { rm } from 'node:fs/promises';
import { ownBridge } from './cni/config.ts';
import { runCommand } from '#base/run-command.ts';
import { removeHostRules } from './host-rules.ts';

/**
 * Removes what the pod network made on this host: the bridge (and with it the host's ends of the pods' cables), the rules, leases and the
 * memory of what was attached. Pods must be gone before; what is gone already does not matter.
 */
export async function wipePodNetwork(options: { readonly stateFolder: string }, signal: AbortSignal): Promise<void> {
  await runCommand('ip', ['link', 'delete', ownBridge], '', signal);
  await removeHostRules(signal);
  await rm(options.stateFolder, { recursive: true, force: true });
}
