import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { Steps } from '../steps.ts';

/** What every command gets. */
export interface CommandContext {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly steps: Steps;
  /** Folder of the bundles that processes are started from. */
  readonly bundleDir: string;
  /** Writes an answer to standard output. */
  readonly print: (text: string) => void;
}
