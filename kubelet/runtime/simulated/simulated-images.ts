import { createHash } from 'node:crypto';
import { RuntimeError } from '../contract.ts';
import type { ImageStore, PullOptions, StoredImage } from '../image-contract.ts';

/** Images that are only names. */
export class SimulatedImages implements ImageStore {
  readonly #images = new Map<string, StoredImage>();
  readonly #anyImage: boolean;

  constructor(references: readonly string[], anyImage: boolean) {
    this.#anyImage = anyImage;
    for (const reference of references) this.#add(reference);
  }

  async list(): Promise<readonly StoredImage[]> {
    return [...this.#images.values()];
  }

  async find(reference: string): Promise<StoredImage | undefined> {
    return this.#images.get(reference) ?? [...this.#images.values()].find((image) => image.id === reference);
  }

  async layers(reference: string): Promise<readonly string[] | undefined> {
    const found = await this.find(reference);
    return found === undefined ? undefined : [`/layers/${found.id}`];
  }

  async pull(reference: string, _options: PullOptions): Promise<StoredImage> {
    if (!this.#anyImage && !this.#images.has(reference)) throw new RuntimeError('ImagePull', `manifest for ${reference} not found`);
    return this.#add(reference);
  }

  async remove(reference: string): Promise<void> {
    this.#images.delete(reference);
  }

  #add(reference: string): StoredImage {
    const id = `sha256:${createHash('sha256').update(reference).digest('hex')}`;
    const image = { id, tags: [reference], digests: [], sizeBytes: 1_000_000, user: '', ref: id };
    this.#images.set(reference, image);
    return image;
  }
}
