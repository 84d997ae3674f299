// The phases that say which components run on this host, and start what runs them.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';
import type { InitConfiguration } from '../config/cluster.ts';
import type { Folders } from '../folders.ts';
import { startHostAgent } from '../host-agent.ts';
import { kubeletConfigurationText, writeKubeletFiles } from '../kubelet/kubelet-files.ts';
import { type ComponentPod, writeManifest } from '../manifests/component-pod.ts';
import { apiServerPod, controllerManagerPod, etcdPod, type EtcdVersion, etcdVersionIn, schedulerPod } from '../manifests/components.ts';
import type { InitPhase } from './phase.ts';

export const etcd: InitPhase = {
  name: 'etcd',
  about: 'Generate static Pod manifest file for local etcd',
  parts: [
    {
      name: 'local',
      about: 'Generate the static Pod manifest file for a local, single-node local etcd instance',
      run({ config, folders, shown, host, patches }) {
        if (!('local' in config.cluster.etcd)) {
          host.print('[etcd] External etcd mode: Skipping the creation of a manifest for local etcd\n');
          return;
        }
        host.print(`[etcd] Creating static Pod manifest for local etcd in ${JSON.stringify(shown.manifests)}\n`);
        writeManifest(folders.manifests, etcdPod(config, shown, [], etcdVersion()), patches);
      },
    },
  ],
};

const pods: readonly {
  readonly name: string;
  readonly phase: string;
  /** `paths` is what the manifest says, `real` where the files are now. */
  readonly make: (config: InitConfiguration, paths: Folders, real: Folders) => ComponentPod;
}[] = [
  { name: 'kube-apiserver', phase: 'apiserver', make: apiServerPod },
  {
    name: 'kube-controller-manager',
    phase: 'controller-manager',
    make: (config, paths, real) => controllerManagerPod(config, paths, { hasCaKey: existsSync(join(real.certificates, 'ca.key')) }),
  },
  { name: 'kube-scheduler', phase: 'scheduler', make: schedulerPod },
];

/** The components that every control plane runs, etcd not counted. */
export function controlPlanePods(config: InitConfiguration, shown: Folders, folders: Folders): readonly ComponentPod[] {
  return pods.map(({ make }) => make(config, shown, folders));
}

export const controlPlane: InitPhase = {
  name: 'control-plane',
  about: 'Generate all static Pod manifest files necessary to establish the control plane',
  run: ({ shown, host }) => host.print(`[control-plane] Using manifest folder ${JSON.stringify(shown.manifests)}\n`),
  parts: pods.map(({ name, phase, make }) => ({
    name: phase,
    about: `Generates the ${name} static Pod manifest`,
    run: (job) => {
      job.host.print(`[control-plane] Creating static Pod manifest for ${JSON.stringify(name)}\n`);
      writeManifest(job.folders.manifests, make(job.config, job.shown, job.folders), job.patches);
    },
  })),
};

export const kubeletStart: InitPhase = {
  name: 'kubelet-start',
  about: 'Write kubelet settings and (re)start the kubelet',
  async run({ config, folders, shown, host, isDryRun, patches }) {
    const configuration = patches.applyToText('kubeletconfiguration', kubeletConfigurationText(config.cluster));
    writeKubeletFiles(
      { folder: folders.kubelet, shown: shown.kubelet, configuration, local: config.local, podSubnet: config.cluster.networking.podSubnet },
      host.print,
    );
    host.print('[kubelet-start] Starting the kubelet\n');
    if (!isDryRun) await startHostAgent(host);
  },
};

/** The etcd of this host. Throws a UsageError where there is none. */
export function etcdVersion(): EtcdVersion {
  try {
    const found = etcdVersionIn(execFileSync('etcd', ['--version'], { encoding: 'utf8' }));
    if (found !== undefined) return found;
  } catch (error) {
    throw new UsageError(`etcd cannot be run: ${reasonOf(error)} (Debian: apt-get install etcd-server)`, { exitCode: 3, cause: error });
  }
  throw new UsageError('the etcd of this host is not one of version 3', { exitCode: 3 });
}
