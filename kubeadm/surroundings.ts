import type { Clock } from '#base/clock.ts';

/** What a command may touch of the host besides files: given by `main.ts`, and by tests. */
export interface Surroundings {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** How long a request to the API server is repeated while it may yet be answered; default a minute. */
  readonly patienceMs?: number;
  /** Standard output. */
  print(text: string): void;
  /** Standard error. */
  warn(text: string): void;
}
