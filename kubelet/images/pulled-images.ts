// Which images this kubelet has pulled, remembered in a file: only those are its to remove. All others on the engine are somebody's own.
import type { Log } from '#base/log.ts';
import { RememberedFile } from './remembered-file.ts';

export interface PulledImage {
  /** The image's id when it came. Another one of that name is not ours. */
  readonly id: string;
  readonly pulledMs: number;
}

export class PulledImages {
  readonly #file: RememberedFile;
  readonly #known = new Map<string, PulledImage>();

  constructor(path: string, log: Log) {
    this.#file = new RememberedFile(path, log);
  }

  /** Reads what an earlier kubelet wrote. What cannot be read is nobody's, so it stays. */
  async load(): Promise<void> {
    const entries = ((await this.#file.load()) ?? {}) as Record<string, PulledImage>;
    for (const [reference, image] of Object.entries(entries)) if (!this.#known.has(reference)) this.#known.set(reference, image);
  }

  /** By what they were pulled as. */
  entries(): readonly (readonly [reference: string, image: PulledImage])[] {
    return [...this.#known];
  }

  /** Resolves when it is on the disk. Does not throw: an image that is not remembered merely stays. */
  async add(reference: string, image: PulledImage): Promise<void> {
    this.#known.set(reference, image);
    await this.#save();
  }

  async forget(reference: string): Promise<void> {
    if (this.#known.delete(reference)) await this.#save();
  }

  async #save(): Promise<void> {
    await this.#file.save(() => Object.fromEntries(this.#known));
  }
}
