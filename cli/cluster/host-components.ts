// What runs on a host of a cluster of several: the kubelet, and what the manifests say (kubeadm's static Pods). The command of a component's
// manifest runs as a process of the host: components are known by name, and need no image. All other manifests are the kubelet's.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { bundledComponents, hostCommandOf } from '#api/core/pod/host-component.ts';
import type { V1Pod } from '#api/generated/types.ts';
import { reasonOf } from '#base/write-file.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { allocatorEnv, type Component, heapOptions, reloadedByApiServer } from './components.ts';

export interface HostFolders {
  /** Of the manifests: `/etc/kubernetes/manifests`. */
  readonly manifests: string;
  /** Of kubeconfigs: `/etc/kubernetes`. */
  readonly kubernetes: string;
  /** Of the kubelet's configuration and flags: `/var/lib/kubelet`. */
  readonly kubelet: string;
}

interface HostComponents {
  readonly components: readonly Component[];
  /** What could not be understood, with its file. */
  readonly problems: readonly string[];
}

const etcdFiles = ['cert-file', 'key-file', 'trusted-ca-file', 'peer-cert-file', 'peer-key-file', 'peer-trusted-ca-file'];
/** What others need starts first, and stops last. */
const first: readonly string[] = ['etcd', 'kube-apiserver'];

/** Reads the files. A manifest that is broken is a problem, not an end: `previous` goes on as it was. */
export function readHostComponents(folders: HostFolders, bundleDir: string, previous: readonly Component[] = []): HostComponents {
  const problems: string[] = [];
  const components = manifestPaths(folders.manifests).flatMap((path): Component[] => {
    try {
      const component = componentOf(readFileSync(path, 'utf8'), bundleDir);
      return component === undefined || isEarly(component) ? [] : [component];
    } catch (error) {
      problems.push(`${path}: ${reasonOf(error)}`);
      return previous.filter(({ name }) => name === basename(path).replace(/\.ya?ml$/, ''));
    }
  });
  const rank = ({ name }: Component): number => (first.includes(name) ? first.indexOf(name) : first.length);
  const kubelet = kubeletOf(folders, bundleDir);
  return { components: [...components.sort((a, b) => rank(a) - rank(b)), ...(kubelet === undefined ? [] : [kubelet])], problems };
}

/** Its kubeconfig is yet to come: a joining host's kubelet gets it a while after the manifests are there. */
function isEarly({ argv }: Component): boolean {
  const path = argv.find((word) => word.startsWith('--kubeconfig=/'))?.slice('--kubeconfig='.length);
  return path !== undefined && !existsSync(path);
}

/** Changes when any of the files does. */
export function hostRevision(folders: HostFolders): string {
  const kubeconfigs = existsSync(folders.kubernetes) ? readdirSync(folders.kubernetes).filter((file) => file.endsWith('.conf')) : [];
  const files = [
    ...manifestPaths(folders.manifests),
    ...kubeconfigs.map((file) => join(folders.kubernetes, file)),
    join(folders.kubelet, 'config.yaml'),
    join(folders.kubelet, 'kubeadm-flags.env'),
  ];
  return files
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return `${path} ${found?.mtimeMs} ${found?.size}`;
    })
    .join('\n');
}

/**
 * Half of the host's processors, one at least: the API server beside etcd needs the others, and on a host of two etcd does the same with a
 * seventh less CPU time on one (docs/performance.md). A manifest's own GOMAXPROCS wins.
 */
const goProcessors = (processors: number): Record<string, string> => ({ GOMAXPROCS: String(Math.max(1, Math.floor(processors / 2))) });

/**
 * Undefined for pods that are left to the kubelet. `processors`: the host's. Throws an Error that says what is wrong with the manifest.
 */
export function componentOf(text: string, bundleDir: string, processors: number = availableParallelism()): Component | undefined {
  const pod = parse(text) as V1Pod | null;
  if (pod?.kind !== 'Pod') throw new Error('not a Pod');
  const [program, ...args] = hostCommandOf(pod) ?? [];
  if (program === undefined) return undefined;
  const [container] = pod.spec?.containers ?? [];
  const env = Object.fromEntries((container?.env ?? []).map(({ name, value = '' }) => [name, value]));
  const name = pod.metadata?.name ?? container?.name ?? program;
  const image = container?.image === undefined ? {} : { image: container.image };
  if (!bundledComponents.includes(program)) {
    // etcd reads its certificates with each connection.
    return { name, program, argv: args, env: { ...goProcessors(processors), ...env }, ...image, reloads: etcdFiles };
  }
  const reloads = program === 'kube-apiserver' ? { reloads: reloadedByApiServer } : {};
  return {
    name,
    argv: [...heapOptions(program), join(bundleDir, `${program}.js`), ...args],
    env: { ...allocatorEnv(program), ...env },
    ...image,
    ...reloads,
  };
}

function kubeletOf({ kubernetes, kubelet }: HostFolders, bundleDir: string): Component | undefined {
  const config = join(kubelet, 'config.yaml');
  if (!existsSync(config)) return undefined;
  const [bootstrap, kubeconfig] = [join(kubernetes, 'bootstrap-kubelet.conf'), join(kubernetes, 'kubelet.conf')];
  const args = [
    `--bootstrap-kubeconfig=${bootstrap}`,
    `--kubeconfig=${kubeconfig}`,
    `--config=${config}`,
    '--host-components',
    ...flagsIn(join(kubelet, 'kubeadm-flags.env')),
  ];
  return {
    name: 'kubelet',
    argv: [...heapOptions('kubelet'), join(bundleDir, 'kubelet.js'), ...args],
    env: allocatorEnv('kubelet'),
    reloads: ['bootstrap-kubeconfig', 'kubeconfig'],
    knows: existsSync(kubeconfig) ? clusterIn(kubeconfig, 'authenticated') : clusterIn(bootstrap, 'anonymous'),
  };
}

/**
 * Where a kubelet finds its cluster, and who it is where its kubeconfig holds that. The kubeconfig that a kubelet writes itself when it has got its
 * first certificate says no more than the one for the bootstrap did, and is no reason for a new start.
 */
function clusterIn(path: string, how: 'authenticated' | 'anonymous'): string {
  try {
    const { server, ca, credentials } = findEndpoint({ path, env: {} });
    const identity = how === 'authenticated' && credentials.kind !== 'certificate-files' ? [credentials] : [];
    return JSON.stringify([server, ca, ...identity]);
  } catch {
    return '';
  }
}

/** `KUBELET_KUBEADM_ARGS="--a=b --c=d"` */
function flagsIn(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const [, text = ''] = /^KUBELET_KUBEADM_ARGS="?([^"\n]*)"?$/m.exec(readFileSync(path, 'utf8')) ?? [];
  return text.split(/\s+/).filter((word) => word !== '');
}

function manifestPaths(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^[^.].*\.ya?ml$/.test(file))
    .sort()
    .map((file) => join(folder, file));
}
