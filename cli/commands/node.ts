import { rmSync } from 'node:fs';
import { boolFlag, parseFlags } from '#base/flags.ts';
import { runServices, UsageError } from '#base/lifecycle.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import type { Component } from '../cluster/components.ts';
import { hostRevision, readHostComponents } from '../cluster/host-components.ts';
import { Layout } from '../cluster/layout.ts';
import { stopPods, wipeNode } from '../cluster/node-cleanup.ts';
import { ensureKernelSettings } from '../setup/kernel.ts';
import { findRunning, forget, recordSelf } from '../supervisor/process-table.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { CommandContext } from './context.ts';
import { requireRoot } from './options.ts';

const folders = { manifests: '/etc/kubernetes/manifests', kubernetes: '/etc/kubernetes', kubelet: '/var/lib/kubelet' };
const pidFile = '/run/coxswain/node.pid';
const flags = { wipe: boolFlag(false, "Remove this host's pods, their network and the rules of Services, then end") };

/** `coxswain node`: keeps what kubeadm set up on this host running, until SIGTERM. */
export async function node({ argv, signal, clock, log, bundleDir, print }: CommandContext): Promise<void> {
  const { values } = parseFlags('coxswain node', flags, argv, "Runs this host's part of a cluster that kubeadm set up.");
  requireRoot();
  if (values.wipe) {
    await stopPods(log, clock, signal);
    await wipeNode([], signal);
    print("This host's pods and rules are gone.\n");
    return;
  }
  const layout = new Layout('/var/lib/coxswain/node');
  layout.create();
  if (findRunning(layout, 'supervisor') !== undefined) throw new UsageError('this host is looked after already', { exitCode: 1 });
  recordSelf(layout, 'supervisor', clock.nowMs());
  writeFileAtomically(pidFile, `${process.pid}\n`, 0o644);
  ensureKernelSettings();
  let known: readonly Component[] = [];
  const components = (): readonly Component[] => {
    const { components: found, problems } = readHostComponents(folders, bundleDir, known);
    for (const problem of problems) log.error({ problem }, 'a manifest cannot be used');
    known = found;
    return found;
  };
  try {
    await runServices(signal, [new Supervisor({ layout, components, revision: () => hostRevision(folders), clock, log })]);
  } finally {
    forget(layout, 'supervisor');
    rmSync(pidFile, { force: true });
  }
}
