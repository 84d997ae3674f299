import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { CommandContext } from './context.ts';

/** `coxswain kubeadm …`: the kubeadm beside this command, for those who have it on no PATH. */
export function kubeadm({ argv, bundleDir }: CommandContext): Promise<void> {
  const { status } = spawnSync(process.execPath, [join(bundleDir, 'kubeadm.js'), ...argv], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
  return Promise.resolve();
}
