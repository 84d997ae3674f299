// The volumes of the pods of this node: made before the first container, kept up to date while the pod lives, taken down at its
// end. What is mounted is known from the kernel and the folders, never from memory, so a killed kubelet leaves nothing behind.
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Container, V1NFSVolumeSource, V1Volume, V1VolumeMount } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import type { StorageOperation } from '../metrics/operation-metrics.ts';
import { expandStrictly } from '../pods/env/expand.ts';
import type { PodAddresses } from '../pods/env/field-ref.ts';
import type { Allocatable } from '../pods/env/resource-ref.ts';
import type { Mount } from '../runtime/contract.ts';
import { type Payload, writePayload } from './atomic-writer.ts';
import { checkHostPath, makeHostPath } from './host-path.ts';
import { mountLayers } from './image-volume.ts';
import type { Mounter } from './mounter.ts';
import type { ReferencedObjects } from './objects.ts';
import { hugePageOptions, isInMemory, makeDiskFolder, memorySizeBytes } from './own-folder.ts';
import { giveToGroup } from './ownership.ts';
import type { PodPaths } from './paths.ts';
import { hasPayload, payloadOf } from './payload.ts';
import { podReferences } from './references.ts';
import { bindSubPath, makeTarget } from './sub-path.ts';
import type { Tokens } from './tokens.ts';
import { readVolumeFile } from './volume-file.ts';

interface PodVolumesDeps {
  readonly paths: PodPaths;
  readonly mounter: Mounter;
  readonly objects: ReferencedObjects;
  readonly tokens: Tokens;
  readonly allocatable: () => Allocatable;
  readonly clock: Clock;
  /** Counts what is done. */
  readonly count?: StorageOperation;
}

/** A volume could not be made; the message is what the FailedMount event says. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
}

const plugins = {
  emptyDir: 'kubernetes.io/empty-dir',
  configMap: 'kubernetes.io/configmap',
  secret: 'kubernetes.io/secret',
  projected: 'kubernetes.io/projected',
  downwardAPI: 'kubernetes.io/downward-api',
  hostPath: 'kubernetes.io/host-path',
  nfs: 'kubernetes.io/nfs',
  image: 'kubernetes.io/image',
} as const;

/** Makes, refreshes and takes down volumes. Calls for one pod must not overlap. */
export class PodVolumes {
  readonly #deps: PodVolumesDeps;
  /** Plugins of the volumes that are there, by the uid of their pod: what this kubelet has made, or seen made. */
  readonly #there = new Map<string, readonly string[]>();

  constructor(deps: PodVolumesDeps) {
    this.#deps = deps;
  }

  /**
   * Makes all volumes of the pod, or brings those that are there up to date. May be repeated. Throws VolumeError for the first
   * that cannot be made.
   */
  async mount(pod: Pod, addresses: PodAddresses, signal: AbortSignal): Promise<void> {
    const volumes = pod.spec.volumes ?? [];
    try {
      await this.#deps.objects.acquire(pod.metadata.uid ?? '', podReferences(pod), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new VolumeError(error instanceof Error ? error.message : String(error), { cause: error });
    }
    for (const volume of volumes) {
      try {
        await this.#count('volume_mount', pluginOf(volume), () => this.#mountOne(pod, volume, addresses, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        const why = error instanceof Error ? error.message : String(error);
        throw new VolumeError(`MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${why}`, { cause: error });
      }
    }
    if (volumes.length > 0) this.#there.set(pod.metadata.uid ?? '', volumes.map(pluginOf));
  }

  /** The plugins of all volumes that are there, with repetitions. */
  plugins(): readonly string[] {
    return [...this.#there.values()].flat();
  }

  /** What of the volumes shows where in a container. Needs them mounted. Throws where a sub-path is impossible. */
  async mountsOf(pod: Pod, container: V1Container, env: ReadonlyMap<string, string>, signal: AbortSignal): Promise<Mount[]> {
    const mounts: Mount[] = [];
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = (pod.spec.volumes ?? []).find(({ name }) => name === mount.name);
      if (volume === undefined)
        throw new VolumeError(`cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`);
      const subPath = subPathOf(mount, env);
      const path = this.#pathOf(pod, volume);
      if (volume.hostPath !== undefined) await makeHostPath(volume.hostPath);
      const target = this.#deps.paths.subPath(pod.metadata.uid ?? '', volume.name, container.name, index);
      if (subPath !== '') await this.#bind(container, mount, { volumePath: path, subPath, target }, signal);
      const source = subPath === '' ? path : target;
      const place = this.#deps.paths.readOnlyBind(pod.metadata.uid ?? '', volume.name, container.name, index);
      const isBound = await this.#bindReadOnly(mount, { source, place }, signal);
      mounts.push({
        hostPath: isBound ? place : source,
        containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
        // What an image shows is read-only by itself; said again, runc would forget that it may not be run.
        readOnly: volume.image === undefined && (mount.readOnly === true || hasPayload(volume)),
        ...propagation(mount),
      });
    }
    return mounts;
  }

  /** The text of a file in a volume of the pod that containers write to; undefined: there is none. Throws where it must not be read. */
  async readFile(pod: Pod, name: string, path: string, maxBytes: number): Promise<string | undefined> {
    const volume = (pod.spec.volumes ?? []).find((one) => one.name === name);
    if (volume === undefined) throw new VolumeError(`cannot find volume ${JSON.stringify(name)} in the pod`);
    return await readVolumeFile(this.#pathOf(pod, volume), path, maxBytes);
  }

  /** True when the volume, one of an image, shows its image already. */
  async hasImage(pod: Pod, volume: V1Volume): Promise<boolean> {
    return await this.#isMounted(this.#pathOf(pod, volume));
  }

  /** Shows the layers of an image, the topmost first, as the volume that is made of it. */
  async mountImage(pod: Pod, volume: V1Volume, layers: readonly string[], signal: AbortSignal): Promise<void> {
    const path = this.#pathOf(pod, volume);
    await mkdir(path, { recursive: true, mode: 0o750 });
    await mountLayers(layers, path, this.#deps.mounter, signal);
  }

  /** True when a token of the pod is due, so that `mount` would change something. */
  isDue(podUid: string): boolean {
    return this.#deps.tokens.isDue(podUid);
  }

  /** Unmounts and removes all volumes of a pod, of whatever kubelet's making. May be repeated. */
  async release(podUid: string, signal: AbortSignal): Promise<void> {
    const { objects, tokens } = this.#deps;
    objects.release(podUid);
    tokens.release(podUid);
    const [plugin = ''] = this.#there.get(podUid) ?? [];
    const clear = async (): Promise<void> => this.#clearAll(podUid, signal);
    await (plugin === '' ? clear() : this.#count('volume_unmount', plugin, clear));
    this.#there.delete(podUid);
  }

  async #clearAll(podUid: string, signal: AbortSignal): Promise<void> {
    const { paths } = this.#deps;
    for (const folder of [paths.subPaths(podUid), paths.volumes(podUid)]) await this.#clear(folder, signal);
  }

  /** Removes everything of a pod from the disk. Its volumes are released first. */
  async forget(podUid: string, signal: AbortSignal): Promise<void> {
    await this.release(podUid, signal);
    await this.#clear(this.#deps.paths.pod(podUid), signal);
  }

  /** Pods of which something lies on the disk. */
  async podsOnDisk(): Promise<readonly string[]> {
    return await readdir(this.#deps.paths.pods).catch(() => []);
  }

  async #clear(folder: string, signal: AbortSignal): Promise<void> {
    const { mounter } = this.#deps;
    for (const point of await mounter.mountsBelow(folder)) await mounter.unmount(point, signal);
    // A mount that is still there may be a folder of the host: its content is not ours to remove.
    const left = await mounter.mountsBelow(folder);
    if (left.length > 0) throw new VolumeError(`${left[0]} is still mounted`);
    await rm(folder, { recursive: true, force: true });
  }

  async #mountOne(pod: Pod, volume: V1Volume, addresses: PodAddresses, signal: AbortSignal): Promise<void> {
    if (volume.hostPath !== undefined) return await checkHostPath(volume.hostPath);
    // Made when the first container that wants it starts, as other images are.
    if (volume.image !== undefined) return;
    if (volume.nfs !== undefined) return await this.#mountNfs(volume.nfs, this.#pathOf(pod, volume), signal);
    const path = this.#pathOf(pod, volume);
    await this.#makeFolder(pod, volume, path, signal);
    if (!hasPayload(volume)) return;
    const payload = await this.#payload(pod, volume, addresses, signal);
    const group = pod.spec.securityContext?.fsGroup;
    const finish = async (folder: string): Promise<void> => (group === undefined ? undefined : await giveToGroup(folder, group, true));
    const isNew = await writePayload(path, payload, this.#deps.clock.nowMs(), finish);
    if (isNew && group !== undefined) await giveToGroup(path, group, true);
  }

  async #mountNfs({ server, path, readOnly }: V1NFSVolumeSource, target: string, signal: AbortSignal): Promise<void> {
    if (await this.#isMounted(target)) return;
    await mkdir(target, { recursive: true, mode: 0o750 });
    const host = server.includes(':') && !server.startsWith('[') ? `[${server}]` : server;
    const options = readOnly === true ? ['ro'] : [];
    await this.#deps.mounter.mountFilesystem({ type: 'nfs', source: `${host}:${path}`, options }, target, signal);
  }

  async #isMounted(path: string): Promise<boolean> {
    return (await this.#deps.mounter.mountsBelow(path)).includes(path);
  }

  async #payload(pod: Pod, volume: V1Volume, addresses: PodAddresses, signal: AbortSignal): Promise<Payload> {
    const { objects, tokens, allocatable } = this.#deps;
    const namespace = pod.metadata.namespace ?? '';
    const fetched = new Map<object, string>();
    for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
      if (serviceAccountToken !== undefined) fetched.set(serviceAccountToken, await tokens.fetch(pod, serviceAccountToken, signal));
    }
    return payloadOf(pod, volume, {
      configMap: (name) => objects.configMap(namespace, name),
      secret: (name) => objects.secret(namespace, name),
      token: (projection) => fetched.get(projection) ?? '',
      addresses,
      allocatable: allocatable(),
    });
  }

  /** The volume's own folder, on tmpfs where its content must not reach a disk. */
  async #makeFolder(pod: Pod, volume: V1Volume, path: string, signal: AbortSignal): Promise<void> {
    const { mounter, allocatable } = this.#deps;
    const medium = volume.emptyDir?.medium ?? '';
    const hasHugePages = /^HugePages(-|$)/.test(medium);
    if (medium !== '' && medium !== 'Memory' && !hasHugePages) throw new VolumeError(`unknown emptyDir medium ${medium}`);
    const group = volume.emptyDir === undefined ? undefined : pod.spec.securityContext?.fsGroup;
    if (!isInMemory(volume) && !hasHugePages) return await makeDiskFolder(path, group);
    if (await this.#isMounted(path)) return;
    await mkdir(path, { recursive: true, mode: 0o755 });
    if (hasHugePages) {
      const options = hugePageOptions(pod, medium, group);
      return await mounter.mountFilesystem({ type: 'hugetlbfs', source: 'nodev', options }, path, signal);
    }
    await mounter.mountTmpfs(path, { sizeBytes: memorySizeBytes(pod, volume, allocatable()), group }, signal);
  }

  async #bind(
    container: V1Container,
    mount: V1VolumeMount,
    paths: { volumePath: string; subPath: string; target: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { mounter } = this.#deps;
    try {
      // One that is left from before may show what has been replaced since.
      for (const point of await mounter.mountsBelow(paths.target)) await mounter.unmount(point, signal);
      await bindSubPath(paths, mounter, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      throw new VolumeError(
        `failed to prepare subPath for volumeMount ${JSON.stringify(mount.name)} of container ${JSON.stringify(container.name)}`,
        { cause: error },
      );
    }
  }

  /** False: the mount may leave what is mounted below it writable. */
  async #bindReadOnly(
    { name, readOnly, recursiveReadOnly = 'Disabled' }: V1VolumeMount,
    { source, place }: { readonly source: string; readonly place: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    if (readOnly !== true || recursiveReadOnly === 'Disabled') return false;
    const { mounter } = this.#deps;
    try {
      for (const point of await mounter.mountsBelow(place)) await mounter.unmount(point, signal);
      await makeTarget(place, (await stat(source)).isDirectory());
      await mounter.bindReadOnly(source, place, signal);
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      if (recursiveReadOnly === 'IfPossible') return false;
      const why = error instanceof Error ? error.message : String(error);
      throw new VolumeError(
        `volume ${JSON.stringify(name)} requested recursive read-only mode, but it is not supported by the node: ${why}`,
        {
          cause: error,
        },
      );
    }
  }

  #count(operation: 'volume_mount' | 'volume_unmount', plugin: string, work: () => Promise<void>): Promise<void> {
    const { count } = this.#deps;
    return count === undefined ? work() : count(operation, plugin, work);
  }

  #pathOf(pod: Pod, volume: V1Volume): string {
    if (volume.hostPath !== undefined) return join('/', volume.hostPath.path);
    const kind = (Object.keys(plugins) as (keyof typeof plugins)[]).find((one) => volume[one] !== undefined);
    if (kind === undefined) {
      const given = Object.keys(volume).filter((key) => key !== 'name');
      throw new VolumeError(`volumes of the kind ${given.join(', ')} are not supported by this node yet`);
    }
    return this.#deps.paths.volume(pod.metadata.uid ?? '', plugins[kind], volume.name);
  }
}

/** 'N/A' for volumes that this node cannot make. */
export function pluginOf(volume: V1Volume): string {
  return Object.entries(plugins).find(([kind]) => volume[kind as keyof typeof plugins] !== undefined)?.[1] ?? 'N/A';
}

function subPathOf(mount: V1VolumeMount, env: ReadonlyMap<string, string>): string {
  const { subPath = '', subPathExpr = '' } = mount;
  const { text, missing } = subPathExpr === '' ? { text: subPath, missing: [] } : expandStrictly(subPathExpr, (name) => env.get(name));
  if (missing.length > 0) throw new VolumeError(`missing value for ${missing.join(', ')}`);
  if (text.startsWith('/')) throw new VolumeError(`error SubPath \`${text}\` must not be an absolute path`);
  if (text.split('/').includes('..')) throw new VolumeError(`unable to provision SubPath \`${text}\`: must not contain '..'`);
  return text;
}

function propagation({ mountPropagation }: V1VolumeMount): Pick<Mount, 'propagation'> {
  return mountPropagation === 'HostToContainer' || mountPropagation === 'Bidirectional' ? { propagation: mountPropagation } : {};
}
