import { statSync } from 'node:fs';
import type { Clock } from './clock.ts';
import { isAbort, type Service } from './lifecycle.ts';
import type { Log } from './log.ts';

interface FileWatchOptions {
  readonly paths: readonly string[];
  /** Called when a file is another one, or was written. What it throws is logged, and it is called again with the next look. */
  readonly onChange: () => Promise<void> | void;
  readonly clock: Clock;
  readonly log: Log;
}

const lookEveryMs = 10_000;

/**
 * Checks every ten seconds whether files changed, such as renewed certificates. Polling costs less than inotify here, and also notices
 * changes behind symbolic links and mounts.
 */
export class FileWatch implements Service {
  readonly name = 'file watch';
  readonly #options: FileWatchOptions;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { onChange, clock, log } = this.#options;
    let seen = this.#look();
    ready();
    for (;;) {
      await clock.sleep(lookEveryMs, signal);
      const now = this.#look();
      if (now === seen) continue;
      try {
        await onChange();
        seen = now;
        log.info({ paths: this.#options.paths.length }, 'changed files were read again');
      } catch (err) {
        if (isAbort(err, signal)) throw err;
        // Half written, or a certificate whose key comes later: what was read before goes on.
        log.warn({ err }, 'changed files cannot be used yet');
      }
    }
  }

  #look(): string {
    return this.#options.paths
      .map((path) => {
        const found = statSync(path, { throwIfNoEntry: false });
        return `${found?.ino} ${found?.mtimeMs} ${found?.size}`;
      })
      .join('\n');
  }
}
