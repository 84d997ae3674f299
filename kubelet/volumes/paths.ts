import { join } from 'node:path';

/** Where things of a pod lie below --root-dir, as upstream has it. */
export interface PodPaths {
  readonly root: string;
  readonly pods: string;
  pod(uid: string): string;
  /** `plugin` such as kubernetes.io/empty-dir. */
  volume(uid: string, plugin: string, name: string): string;
  volumes(uid: string): string;
  subPaths(uid: string): string;
  subPath(uid: string, volume: string, container: string, index: number): string;
  /** The volume as a container sees it that may write nowhere in it, also not to what is mounted below. */
  readOnlyBind(uid: string, volume: string, container: string, index: number): string;
  /** Termination messages of a container. */
  container(uid: string, name: string): string;
  etcHosts(uid: string): string;
}

export function podPaths(root: string): PodPaths {
  const pods = join(root, 'pods');
  const pod = (uid: string): string => join(pods, uid);
  return {
    root,
    pods,
    pod,
    volume: (uid, plugin, name) => join(pod(uid), 'volumes', plugin.replaceAll('/', '~'), name),
    volumes: (uid) => join(pod(uid), 'volumes'),
    subPaths: (uid) => join(pod(uid), 'volume-subpaths'),
    subPath: (uid, volume, container, index) => join(pod(uid), 'volume-subpaths', volume, container, String(index)),
    readOnlyBind: (uid, volume, container, index) => join(pod(uid), 'volume-subpaths', volume, container, `${index}${readOnlySuffix}`),
    container: (uid, name) => join(pod(uid), 'containers', name),
    etcHosts: (uid) => join(pod(uid), 'etc-hosts'),
  };
}

const readOnlySuffix = '-read-only';

/** Whether a path is one of `PodPaths.readOnlyBind`. */
export function isReadOnlyBind(path: string): boolean {
  return path.endsWith(readOnlySuffix) && path.includes('/volume-subpaths/');
}
