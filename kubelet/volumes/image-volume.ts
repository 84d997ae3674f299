// The files of an image as a volume: its layers, one over the other, as the engine mounts them in containers; read-only
// there, and nothing there may be run.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Pod } from '#api/core/pod/pod.ts';
import type { Mounter } from './mounter.ts';

const flags = ['ro', 'noexec', 'nosuid', 'nodev'];
/** The kernel takes a page of options. */
const maxOptionsLength = 3_800;

/** References of the images that a pod has as volumes. */
export function volumeImages({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ image }) => image?.reference ?? []);
}

/** Mounts layers, the topmost first, on an existing folder. Throws what the kernel says. */
export async function mountLayers(layers: readonly string[], target: string, mounter: Mounter, signal: AbortSignal): Promise<void> {
  const [first = '', ...others] = layers;
  if (others.length === 0) {
    // An overlay has two layers at least.
    await mounter.mountFilesystem({ type: 'none', source: first, options: ['bind', ...flags] }, target, signal);
    return;
  }
  const folder = dirname(dirname(first));
  const isLong = layers.join(':').length > maxOptionsLength;
  const names = isLong ? await Promise.all(layers.map(shortName)) : layers;
  await mounter.mountFilesystem(
    {
      type: 'overlay',
      source: 'overlay',
      options: [...flags, `lowerdir=${names.join(':')}`],
      ...(isLong ? { workingFolder: folder } : {}),
    },
    target,
    signal,
  );
}

/** The engine's own short link to a layer, from the folder of all layers: it has the same trouble. */
async function shortName(layer: string): Promise<string> {
  return join('l', (await readFile(join(dirname(layer), 'link'), 'utf8')).trim());
}
