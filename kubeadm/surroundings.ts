import type { Clock } from '#base/clock.ts';

/** What a command may touch of the host besides files: given by `main.ts`, and by tests. */
export interface Surroundings {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Standard output. */
  print(text: string): void;
  /** Standard error. */
  warn(text: string): void;
}
