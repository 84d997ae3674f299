// The accounts that an image knows: its /etc/passwd and /etc/group, read from its layers without ever following a link out of them.
import { readFile } from 'node:fs/promises';
import type { ImageStore } from '../runtime/image-contract.ts';
import { descend } from '../volumes/sub-path.ts';

export interface Accounts {
  /** As in passwd(5) and group(5); empty where the image has no such file. */
  readonly passwd: string;
  readonly group: string;
}

const maxBytes = 1_048_576;
const maxRemembered = 200;

export class ImageAccounts {
  readonly #images: Pick<ImageStore, 'layers'>;
  readonly #known = new Map<string, Accounts>();

  constructor(images: Pick<ImageStore, 'layers'>) {
    this.#images = images;
  }

  /** @param imageId of the store. Undefined where the engine keeps its images out of reach, or a file is not a plain one. */
  async of(imageId: string, signal: AbortSignal): Promise<Accounts | undefined> {
    const known = this.#known.get(imageId);
    if (known !== undefined) return known;
    const layers = await this.#images.layers(imageId, signal);
    if (layers === undefined) return undefined;
    const [passwd, group] = await Promise.all([fileOf(layers, ['etc', 'passwd']), fileOf(layers, ['etc', 'group'])]);
    if (passwd === undefined || group === undefined) return undefined;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= maxRemembered && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(imageId, { passwd, group });
    return { passwd, group };
  }
}

/** The file in the topmost layer that has it; undefined where a link or something else stands in its place. */
async function fileOf(layers: readonly string[], path: readonly string[]): Promise<string | undefined> {
  for (const layer of layers) {
    try {
      const place = await descend(layer, path);
      try {
        const stats = await place.stat();
        // A device stands for what an upper layer has taken away.
        if (stats.isCharacterDevice()) return '';
        if (!stats.isFile() || stats.size > maxBytes) return undefined;
        return await readFile(`/proc/self/fd/${place.fd}`, 'utf8');
      } finally {
        await place.close();
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTDIR') return '';
      if (code !== 'ENOENT') return undefined;
    }
  }
  return '';
}
