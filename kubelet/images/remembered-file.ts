import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '#base/log.ts';

/** What a kubelet tells its successor: JSON in a file that is replaced as a whole, one write after another. */
export class RememberedFile {
  readonly #path: string;
  readonly #log: Log;
  #writes: Promise<void> = Promise.resolve();

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Undefined where nothing can be read. */
  async load(): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8'));
    } catch (err) {
      this.#log.debug({ err, path: this.#path }, 'nothing is remembered here');
      return undefined;
    }
  }

  /** Resolves when what `value` then answers is in the file. Does not throw: what cannot be written is said in the log. */
  save(value: () => unknown): Promise<void> {
    this.#writes = this.#writes.then(async () => {
      try {
        await mkdir(dirname(this.#path), { recursive: true });
        await writeFile(`${this.#path}.tmp`, JSON.stringify(value()), { mode: 0o600 });
        await rename(`${this.#path}.tmp`, this.#path);
      } catch (err) {
        this.#log.warn({ err, path: this.#path }, 'cannot remember this');
      }
    });
    return this.#writes;
  }
}
