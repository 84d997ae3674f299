// What pods use: memory and processes from the runtime, disks by measuring folders. Disks are slow to measure, so figures are kept for a
// while, longer where measuring took longer, and one measurement is under way at a time.
// INVARIANT: between awaits, `#disks` holds only figures of pods that were asked for within the last hour.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Clock } from '#base/clock.ts';
import type { ContainerUse, DiskAmount, PodUse, VolumeUse } from '../eviction/usage.ts';
import type { ContainerStorage, Runtime, RuntimePod } from '../runtime/contract.ts';
import type { PodPaths } from '../volumes/paths.ts';
import type { folderSizes } from './folder-sizes.ts';

/** A pod of this node, and its containers as last seen. */
interface MeasuredPod {
  readonly uid: string;
  readonly pod: Pod;
  readonly observed: RuntimePod | undefined;
}

interface PodUsesDeps {
  readonly runtime: Pick<Runtime, 'usage' | 'storage'>;
  readonly paths: PodPaths;
  readonly sizes: typeof folderSizes;
  readonly clock: Clock;
}

interface Kept {
  readonly use: PodUse;
  readonly atMs: number;
}

/** Measuring may take this share of the time at most. */
const leastShare = 0.01;
const leastMs = 10_000;
const mostMs = 300_000;
const forgetMs = 3_600_000;

export class PodUses {
  readonly #deps: PodUsesDeps;
  readonly #disks = new Map<string, Kept>();
  readonly #storage = new Map<string, ContainerStorage>();
  #keepMs = leastMs;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: PodUsesDeps) {
    this.#deps = deps;
  }

  /** Memory and processes now; a pod whose figures cannot be read is absent. */
  async usage(pods: readonly MeasuredPod[], signal: AbortSignal): Promise<ReadonlyMap<string, PodUse>> {
    const found = await Promise.all(
      pods.map(async ({ uid, observed }): Promise<[string, PodUse][]> => {
        const used = await this.#deps.runtime.usage(uid, signal, observed).catch(() => []);
        signal.throwIfAborted();
        const containers = used.map(
          ({ name, memoryWorkingSetBytes: memoryBytes, processes }): ContainerUse => ({
            name,
            memoryBytes,
            ...(processes === undefined ? {} : { processes }),
          }),
        );
        return containers.length === 0 ? [] : [[uid, { containers, volumes: [] }]];
      }),
    );
    return new Map(found.flat());
  }

  /** What is known of the disks without waiting for anything; what is old is measured meanwhile. */
  knownDiskUsage(pods: readonly MeasuredPod[], signal: AbortSignal): ReadonlyMap<string, PodUse> {
    this.#inTurn(pods, 'recent', signal).catch(() => undefined);
    return this.#known(pods);
  }

  /** What pods hold on disks: now, or as of a while ago. */
  async diskUsage(pods: readonly MeasuredPod[], how: 'fresh' | 'recent', signal: AbortSignal): Promise<ReadonlyMap<string, PodUse>> {
    await this.#inTurn(pods, how, signal);
    return this.#known(pods);
  }

  #inTurn(pods: readonly MeasuredPod[], how: 'fresh' | 'recent', signal: AbortSignal): Promise<void> {
    const turn = this.#turn.then(() => this.#refresh(pods, how, signal));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #known(pods: readonly MeasuredPod[]): ReadonlyMap<string, PodUse> {
    return new Map(
      pods.flatMap(({ uid }) => {
        const kept = this.#disks.get(uid);
        return kept === undefined ? [] : [[uid, kept.use] as const];
      }),
    );
  }

  async #refresh(pods: readonly MeasuredPod[], how: 'fresh' | 'recent', signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { clock } = this.#deps;
    const startMs = clock.monotonicMs();
    for (const [uid, { atMs }] of this.#disks) if (startMs - atMs > forgetMs) this.#disks.delete(uid);
    const isOld = ({ uid }: MeasuredPod): boolean => startMs - (this.#disks.get(uid)?.atMs ?? Number.NEGATIVE_INFINITY) >= this.#keepMs;
    const wanted = how === 'fresh' ? pods : pods.filter(isOld);
    if (wanted.length === 0) return;
    const uses = await this.#measure(wanted, signal);
    const endMs = clock.monotonicMs();
    this.#keepMs = Math.min(mostMs, Math.max(leastMs, (endMs - startMs) / leastShare));
    for (const [uid, use] of uses) this.#disks.set(uid, { use, atMs: endMs });
  }

  async #measure(pods: readonly MeasuredPod[], signal: AbortSignal): Promise<Map<string, PodUse>> {
    const places = await Promise.all(pods.map((pod) => this.#places(pod, signal)));
    const folders = places.flatMap(({ containers, volumes }) => [
      ...containers.flatMap(({ storage }) => ('folder' in storage.written ? [storage.written.folder] : [])),
      ...volumes.map(({ folder }) => folder),
    ]);
    const bytes = await this.#deps.sizes(folders, 'bytes', signal);
    const inodes = await this.#deps.sizes(folders, 'inodes', signal);
    const amountOf = (folder: string): DiskAmount => ({ usedBytes: bytes.get(folder) ?? 0, inodes: inodes.get(folder) ?? 0 });
    const uses = await Promise.all(
      places.map(async ({ uid, containers, volumes }): Promise<[string, PodUse]> => {
        const written = await Promise.all(
          containers.map(
            async ({ name, storage }): Promise<ContainerUse> => ({
              name,
              rootfs: 'folder' in storage.written ? amountOf(storage.written.folder) : { usedBytes: storage.written.usedBytes, inodes: 0 },
              logs: await logSize(storage.logFile),
            }),
          ),
        );
        const volumeUses = volumes.map(({ name, folder }): VolumeUse => ({ name, ...amountOf(folder) }));
        return [uid, { containers: written, volumes: volumeUses }];
      }),
    );
    return new Map(uses);
  }

  async #places({ uid, pod, observed }: MeasuredPod, signal: AbortSignal): Promise<Places> {
    // Only the newest of each name: dead ones no longer count.
    const newest = new Map((observed?.containers ?? []).toReversed().map((one) => [one.name, one.id]));
    const containers = await Promise.all(
      [...newest].map(async ([name, id]) => {
        const storage = this.#storage.get(id) ?? (await this.#deps.runtime.storage(id, signal).catch(() => undefined));
        signal.throwIfAborted();
        if (storage !== undefined && 'folder' in storage.written) this.#remember(id, storage);
        return storage === undefined ? [] : [{ name, storage }];
      }),
    );
    const volumes = localVolumes(pod).map(({ name, plugin }) => ({ name, folder: this.#deps.paths.volume(uid, plugin, name) }));
    return { uid, containers: containers.flat(), volumes };
  }

  /** Where a container writes does not change while it lives; the oldest are forgotten. */
  #remember(id: string, storage: ContainerStorage): void {
    this.#storage.delete(id);
    this.#storage.set(id, storage);
    const [oldest] = this.#storage.keys();
    if (this.#storage.size > maxRemembered && oldest !== undefined) this.#storage.delete(oldest);
  }
}

const maxRemembered = 1_000;

interface Places {
  readonly uid: string;
  readonly containers: readonly { readonly name: string; readonly storage: ContainerStorage }[];
  readonly volumes: readonly { readonly name: string; readonly folder: string }[];
}

/** Volumes that live on the node's disk and end with the pod (pkg/volume/util: IsLocalEphemeralVolume). */
function localVolumes({ spec }: Pod): { name: string; plugin: string }[] {
  return (spec.volumes ?? []).flatMap(({ name, emptyDir, configMap }) => {
    if (emptyDir !== undefined && (emptyDir.medium ?? '') === '') return [{ name, plugin: 'kubernetes.io/empty-dir' }];
    return configMap === undefined ? [] : [{ name, plugin: 'kubernetes.io/configmap' }];
  });
}

/** A log and those that it was rotated into. */
async function logSize(file: string | undefined): Promise<DiskAmount> {
  if (file === undefined || file === '') return { usedBytes: 0, inodes: 0 };
  const folder = dirname(file);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(basename(file)));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.blocks ?? 0));
  return { usedBytes: 512 * sizes.reduce((sum, blocks) => sum + blocks, 0), inodes: names.length };
}
