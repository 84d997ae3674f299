import type { Pod } from '#api/core/pod/pod.ts';
import type { DiskUse } from '../node/measure.ts';
import { isInMemory } from '../volumes/own-folder.ts';
import type { PodPaths } from '../volumes/paths.ts';
import { pluginOf } from '../volumes/pod-volumes.ts';

interface MountedVolumesDeps {
  readonly paths: Pick<PodPaths, 'volume'>;
  /** What the file system at that path says of itself. */
  readonly fileSystem: (path: string) => Promise<DiskUse>;
}

export interface MountedVolume extends DiskUse {
  readonly name: string;
}

/** Volumes that are file systems of their own, in memory or on a server, which know themselves how full they are. Those that are not there are left out. */
export async function mountedVolumes(pod: Pod, { paths, fileSystem }: MountedVolumesDeps): Promise<MountedVolume[]> {
  const volumes = (pod.spec.volumes ?? []).filter((volume) => isInMemory(volume) || volume.nfs !== undefined);
  const found = volumes.map(async (volume): Promise<MountedVolume[]> => {
    const path = paths.volume(pod.metadata.uid ?? '', pluginOf(volume), volume.name);
    const use = await fileSystem(path).catch(() => undefined);
    return use === undefined ? [] : [{ name: volume.name, ...use }];
  });
  return (await Promise.all(found)).flat();
}
