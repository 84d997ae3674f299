// Which images this kubelet has pulled, remembered in a file: only those are its to remove. All others on the engine are somebody's own.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '#base/log.ts';

export interface PulledImage {
  /** The image's id when it came. Another one of that name is not ours. */
  readonly id: string;
  readonly pulledMs: number;
}

export class PulledImages {
  readonly #path: string;
  readonly #log: Log;
  readonly #known = new Map<string, PulledImage>();
  #writes: Promise<void> = Promise.resolve();

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Reads what an earlier kubelet wrote. What cannot be read is nobody's, so it stays. */
  async load(): Promise<void> {
    try {
      const entries = JSON.parse(await readFile(this.#path, 'utf8')) as Record<string, PulledImage>;
      for (const [reference, image] of Object.entries(entries)) if (!this.#known.has(reference)) this.#known.set(reference, image);
    } catch (err) {
      this.#log.debug({ err }, 'nothing is known of images pulled before');
    }
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

  #save(): Promise<void> {
    this.#writes = this.#writes.then(async () => {
      try {
        await mkdir(dirname(this.#path), { recursive: true });
        await writeFile(`${this.#path}.tmp`, JSON.stringify(Object.fromEntries(this.#known)), { mode: 0o600 });
        await rename(`${this.#path}.tmp`, this.#path);
      } catch (err) {
        this.#log.warn({ err }, 'cannot remember which images were pulled');
      }
    });
    return this.#writes;
  }
}
